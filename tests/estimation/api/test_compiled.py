"""The command that compiles beforehand says where loops are kept, or that they cannot be."""

import pytest

from estimation.api import compiled
from estimation.cli import main


@pytest.mark.parametrize("can_be_kept", [True, False])
def test_compile_runs_every_loop_where_they_can_be_kept(tmp_path, monkeypatch, capsys, can_be_kept):
    ran = []
    monkeypatch.setattr(compiled, "_run_every_loop", lambda: ran.append(1))
    if can_be_kept:
        monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    else:
        monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
        monkeypatch.setattr(compiled, "use_compile_cache", lambda: None)
    assert main(["compile"]) == (0 if can_be_kept else 1)
    assert ran == [1] * can_be_kept
    assert (str(tmp_path) if can_be_kept else "cannot be kept") in capsys.readouterr().out
