"""The command that compiles beforehand runs every loop and says where they are kept, or that they
cannot be.
"""

import os

from estimation.api import compiled
from estimation.cli import main


def test_every_loop_runs_and_is_kept_where_it_can_be(monkeypatch, capsys):
    assert main(["compile"]) == 0
    folder = os.environ["NUMBA_CACHE_DIR"]
    assert folder in capsys.readouterr().out
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setattr(compiled, "use_compile_cache", lambda: None)
    assert main(["compile"]) == 1 and "cannot be kept" in capsys.readouterr().out
