"""Compiled loops that changed on the disk are thrown away before they are run: a flipped bit of
machine code aborts, or lies.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.home import Home
from orchestration.reuse.compiled_loops import RECORD, checked_loops

LOOP = """
from numba import njit

@njit(cache=True)
def add(x):
    return x * 0.37 + 1.25

add(1.0)
"""


@pytest.mark.parametrize("damage", ["none", "a flipped bit", "no record"])
def test_what_changed_is_thrown_away_and_the_rest_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, damage: str
) -> None:
    monkeypatch.delenv("CITYSYNC_CACHE", raising=False)
    home = Home(tmp_path)
    program = tmp_path / "loop.py"
    program.write_text(LOOP, encoding="utf-8")
    env = {**os.environ, "NUMBA_CACHE_DIR": str(home.cache / "numba")}
    with checked_loops(home):
        subprocess.run([sys.executable, str(program)], env=env, check=True)
    files = sorted((home.cache / "numba").rglob("*.nb?"))
    assert len(files) == 2
    if damage == "a flipped bit":
        data = bytearray(files[0].read_bytes())
        data[len(data) // 2] ^= 1
        files[0].write_bytes(data)
    elif damage == "no record":
        # of a run that was killed
        (home.cache / RECORD).unlink()
    with checked_loops(home):
        kept = [path for path in files if path.exists()]
    assert (len(kept) < 2) == (damage == "a flipped bit")
    assert ("thrown away and made again" in capsys.readouterr().out) == (damage == "a flipped bit")
