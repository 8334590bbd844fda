"""Compiled loops that changed on the disk are thrown away before they are run: a flipped bit of
machine code aborts, or lies.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.home import Home
from orchestration.reuse.compiled_loops import RECORD, checked_loops, drop_changed, note_compiled

LOOP = """
import numpy as np
from numba import njit

@njit(cache=True)
def total(x):
    s = 0.0
    for i in range(x.shape[0]):
        s += x[i] * 0.37 + 1.25
    return s

print(repr(total(np.arange(50.0))))
"""


def compute(home: Home) -> str:
    """Run a compiled loop with the home's cache, as a run would."""
    program = home.root / "loop.py"
    program.write_text(LOOP, encoding="utf-8")
    env = {**os.environ, "NUMBA_CACHE_DIR": str(home.cache / "numba")}
    return subprocess.run(
        [sys.executable, str(program)], env=env, capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.delenv("CITYSYNC_CACHE", raising=False)
    home = Home(tmp_path)
    with checked_loops(home):
        compute(home)
    return home


def files(home: Home) -> list[Path]:
    return sorted((home.cache / "numba").rglob("*.nb?"))


def flip(path: Path, at: float) -> None:
    data = bytearray(path.read_bytes())
    data[int(at * (len(data) - 1))] ^= 1
    path.write_bytes(data)


def _names(home: Home) -> list[str]:
    return [path.relative_to(home.cache / "numba").as_posix() for path in files(home)]


DAMAGE: dict[str, Callable[[Home], object]] = {
    "machine code, first byte": lambda home: flip(files(home)[0], 0),
    "machine code, a quarter": lambda home: flip(files(home)[0], 0.25),
    "machine code, the middle": lambda home: flip(files(home)[0], 0.5),
    "machine code, last byte": lambda home: flip(files(home)[0], 1),
    "machine code, cut": lambda home: os.truncate(files(home)[0], 100),
    "machine code, empty": lambda home: os.truncate(files(home)[0], 0),
    "index, first byte": lambda home: flip(files(home)[1], 0),
    "index, the middle": lambda home: flip(files(home)[1], 0.5),
    "index, empty": lambda home: os.truncate(files(home)[1], 0),
    "the note, rubbish": lambda home: (home.cache / RECORD).write_text("{"),
    "the note, deep": lambda home: (home.cache / RECORD).write_text("[" * 100_000),
    "the note, a list": lambda home: (home.cache / RECORD).write_text("[]"),
    "the note, of rubbish": lambda home: (home.cache / RECORD).write_text(
        json.dumps({name: [1, "a", None] for name in _names(home)})
    ),
    "the note, of hashes alone": lambda home: (home.cache / RECORD).write_text(
        json.dumps(dict.fromkeys(_names(home), "0"))
    ),
    "the note, a folder": lambda home: (
        (home.cache / RECORD).unlink(),
        (home.cache / RECORD).mkdir(),
    ),
}


def test_what_is_as_it_was_written_is_kept(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    times = {path: path.stat().st_mtime_ns for path in files(home)}
    assert len(times) == 2 and set(
        json.loads((home.cache / RECORD).read_text(encoding="utf-8"))
    ) == {path.relative_to(home.cache / "numba").as_posix() for path in times}
    with checked_loops(home):
        assert {path: path.stat().st_mtime_ns for path in files(home)} == times
    assert "thrown away" not in capsys.readouterr().out


@pytest.mark.parametrize("name", DAMAGE)
def test_what_changed_is_thrown_away_with_one_line(
    home: Home, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    DAMAGE[name](home)
    with checked_loops(home):
        assert len(files(home)) < 2
    assert (
        "compiled loops are not as they were written: thrown away and made again"
        in capsys.readouterr().out
    )
    assert isinstance(json.loads((home.cache / RECORD).read_text(encoding="utf-8")), dict)


def test_the_loop_is_compiled_again_and_right(home: Home) -> None:
    before = compute(home)
    for path in files(home):
        flip(path, 0.5)
    with checked_loops(home):
        assert compute(home) == before
    assert drop_changed(home.cache / "numba", home.cache / RECORD) == 0


def test_what_a_killed_run_compiled_is_kept(home: Home) -> None:
    (home.cache / RECORD).unlink()
    assert drop_changed(home.cache / "numba", home.cache / RECORD) == 0 and len(files(home)) == 2


def test_what_a_fit_beside_the_runs_compiled_is_kept(home: Home) -> None:
    """numba writes a longer index into a new file and moves it into place."""
    index = files(home)[1]
    other = index.with_suffix(".new")
    other.write_bytes(index.read_bytes() + b"one more type")
    other.replace(index)
    assert drop_changed(home.cache / "numba", home.cache / RECORD) == 0
    # but one that is written over where it lies is not
    with checked_loops(home):
        pass
    index.write_bytes(index.read_bytes() + b"rubbish")
    assert drop_changed(home.cache / "numba", home.cache / RECORD) == 1


def test_a_note_that_cannot_be_written_is_no_fault(home: Home) -> None:
    note_compiled(home.cache / "numba", home.root / "loop.py" / "note.json")
