"""Units of the study in processes of their own: the same rows as in this one, errors with their
specs, and no process that stays.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from functools import partial

import pytest

from estimation.analyses.catalog import curve_specs
from estimation.inference.permutation.draws import run_in_chunks
from estimation.study.run import run_study
from estimation.study.units import StudyError, Unit, run_here
from orchestration.unit_workers import WorkerLost, run_in_workers
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
        if self.does == "fails":
            raise ValueError(f"{len(frames)} frames")
        if self.does == "draws":
            run_in_chunks(10, lambda part: None)
        return {"row": [{"pid": os.getpid()}]}


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_study_in_processes_has_the_rows_of_one_in_this_process() -> None:
    marts = economy()[0]
    chosen = {"curve": curve_specs()[:40], **FAST}
    said: list[tuple[int, int]] = []
    here = run_study(marts, CHOSEN, **chosen)
    there = run_study(
        marts,
        CHOSEN,
        **chosen,
        run_units=partial(run_in_workers, 2),
        on_progress=lambda done, of, _: said.append((done, of)),
    )
    for name, frame in vars(here).items():
        # to the bit, types and missing values included
        assert frame.equals(getattr(there, name)) and list(frame.dtypes) == list(
            getattr(there, name).dtypes
        ), name
    assert len(here.estimate) and said[-1] == (48, 48) and said == sorted(said)


def test_an_error_comes_with_its_specs_and_the_others_can_go_on() -> None:
    broken = dataclasses.replace(CHOSEN[0], seed=-1)
    with pytest.raises(StudyError, match=f"{broken.spec_id}: ValueError") as here:
        run_here({"factual": economy()[0]}, [Unit("group", (broken,))], lambda *_: [])
    with pytest.raises(StudyError) as there:
        run_in_workers(2, {"factual": economy()[0]}, [Unit("group", (broken,))], lambda *_: [])
    assert str(there.value) == str(here.value)
    assert "in a process of the estimates" in there.value.__notes__[0]
    with pytest.raises(StudyError, match="ValueError: 1 frames"):
        run_one("fails")


def run_one(does: str) -> list[dict]:
    """Rows of one unit in one new process."""
    rows: list[dict] = []
    run_in_workers(
        1, {"marts": 1}, [Breaking(does)], lambda _, found: rows.extend(found["row"]) or []
    )
    return rows


def test_a_process_that_is_killed_is_said_with_what_it_was_at() -> None:
    with pytest.raises(
        WorkerLost,
        match=(
            r"unit that dies: .*\(SIGKILL\), perhaps because memory ran out; "
            r".*CITYSYNC_THREADS=1"
        ),
    ):
        run_one("dies")


def test_a_worker_is_another_process_and_gone_afterwards() -> None:
    (row,) = run_one("answers")
    assert row["pid"] != os.getpid() and is_gone(row["pid"])


def test_draws_leave_nothing_behind_that_python_speaks_of_after_the_last_line() -> None:
    code = (
        "from tests.orchestration.test_unit_workers import run_one\n\n"
        "if __name__ == '__main__':\n    print(len(run_one('draws')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("1\n", "")
