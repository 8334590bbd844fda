"""Units of the study in processes of their own: the same rows as in this one, errors with their
specs, and no process that stays.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pandas as pd
import pytest

from estimation.analyses.catalog import curve_specs
from estimation.study.run import run_study
from estimation.study.units import StudyError, Unit
from estimation.study.workers import WorkerLost, Workers, run_here
from tests.conftest import REPO
from tests.estimation.study.test_run import FAST, SPECS, economy

CHOSEN = [
    spec
    for spec in SPECS
    if spec.analysis in ("baseline", "dynamics") and "growth_official" in spec.outcome
][:8]


@dataclasses.dataclass(frozen=True)
class Breaking:
    """Stands for a unit: what it does in the process that runs it."""

    does: str
    weight: float = 1.0
    specs: tuple = ()
    kind: str = "test"

    @property
    def name(self) -> str:
        """What errors call it."""
        return f"unit that {self.does}"

    def run(self, frames: dict) -> dict:
        """Draw, fail or die."""
        if self.does == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        return {"row": [{"pid": os.getpid()}]}


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(2) as running:
        yield running


def is_gone(pid: int) -> bool:
    """Whether a process has ended, within a minute."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_a_study_in_processes_has_the_rows_of_one_in_this_process(workers: Workers) -> None:
    marts = economy()[0]
    chosen = {"curve": curve_specs()[:40], **FAST}
    said: list[tuple[int, int]] = []
    here = run_study(marts, CHOSEN, **chosen)
    told = {"on_progress": lambda done, of, _: said.append((done, of))}
    there = run_study(marts, CHOSEN, **chosen, run_units=workers.run, **told)
    for name, frame in vars(here).items():
        pd.testing.assert_frame_equal(frame, getattr(there, name), check_exact=True)
    assert len(here.estimate) and said[-1] == (48, 48) and said == sorted(said)


def run_one(does: str) -> list[dict]:
    """Rows of one unit in one new process."""
    rows: list[dict] = []
    with Workers(1) as one:
        one.run({}, [Breaking(does)], lambda _, found: rows.extend(found["row"]) or [])
    return rows


def test_an_error_comes_with_its_specs_and_a_death_with_what_it_was_at(workers: Workers) -> None:
    broken = dataclasses.replace(CHOSEN[0], seed=-1)
    given = ({"factual": economy()[0]}, [Unit("group", (broken,))], lambda *_: [])
    with pytest.raises(StudyError, match=f"{broken.spec_id}: ValueError") as here:
        run_here(*given)
    with pytest.raises(StudyError) as there:
        workers.run(*given)
    assert str(there.value) == str(here.value)
    died = r"unit that dies: .*\(SIGKILL\), perhaps because memory ran out; .*CITYSYNC_THREADS=1"
    with pytest.raises(WorkerLost, match=died):
        run_one("dies")
    (row,) = run_one("answers")
    assert row["pid"] != os.getpid() and is_gone(row["pid"])


def test_a_worker_ends_with_its_parent() -> None:
    """Killed from outside, the parent can close nothing."""
    code = (
        "from estimation.study.workers import Workers; w = Workers(1); print(*(p.pid for p in "
        "w._processes.values()), flush=True); input()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=REPO, text=True, **pipes)
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait(timeout=60)
    assert is_gone(pid)
