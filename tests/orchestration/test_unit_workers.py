"""Units of the study in processes of their own: the same rows as in this one, errors with their
specs, and no process that stays; where pair-years do not fit into memory, one outcome after
another.
"""

import dataclasses
import os
import signal
from functools import partial

import duckdb
import pandas as pd
import pytest

from estimation.analyses.specification_curve import SPECS as CURVE
from estimation.study.run import run_study
from estimation.study.units import StudyError, Unit, run_here
from orchestration.memory import holds_pair_years
from orchestration.unit_workers import WorkerLost, run_in_workers
from tests.estimation.study.cities import economy
from tests.estimation.study.test_run import FAST, SPECS
from tests.processes import children_of, is_gone
from warehouse.ingest.errors import LandingError

CHOSEN = [
    spec
    for spec in SPECS
    if spec.analysis in ("baseline", "dynamics") and "growth_official" in spec.outcome
][:4]


@dataclasses.dataclass(frozen=True)
class Dying:
    """Stands for a unit whose process is killed."""

    name: str = "unit that dies"
    weight: float = 1.0

    def run(self, frames: dict) -> None:
        """Die."""
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_study_in_processes_has_the_rows_of_one_in_this_process() -> None:
    marts, specs = economy()[0], (*CHOSEN, *CURVE[:6])
    said: list[tuple[int, int]] = []
    here = run_study(marts, specs, **FAST)
    told = {"on_progress": lambda done, of, _: said.append((done, of))}
    there = run_study(marts, specs, **FAST, run_units=partial(run_in_workers, 2), **told)
    for name, frame in vars(here).items():
        pd.testing.assert_frame_equal(frame, getattr(there, name), check_exact=True)
    assert len(here.estimate) and said[-1] == (10, 10) and said == sorted(said)
    left = [pid for pid, line in children_of(os.getpid()).items() if "spawn_main" in line]
    assert all(map(is_gone, left))


def test_an_error_comes_with_its_specs_and_a_death_with_what_it_was_at() -> None:
    broken = dataclasses.replace(CHOSEN[0], seed=-1)
    given = (economy()[0], [Unit("group", (broken,))], lambda *_: None)
    with pytest.raises(StudyError, match=f"{broken.spec_id}: ValueError") as here:
        run_here(*given)
    with pytest.raises(StudyError) as there:
        run_in_workers(1, *given)
    assert str(there.value) == str(here.value)
    died = r"unit that dies: .*\(SIGKILL\), perhaps because memory ran out; .*CITYSYNC_THREADS=1"
    with pytest.raises(WorkerLost, match=died):
        run_in_workers(1, {"marts": 1}, [Dying()], lambda *_: [])


def test_pair_years_beyond_the_memory_are_not_held_and_beyond_one_outcome_refused() -> None:
    columns = ", ".join(f"i as m{k}" for k in range(9))
    with duckdb.connect() as con:
        con.execute(
            f"create schema marts; create view marts.fct_pair_synchronization as select {columns}, "
            "true as is_study_window "
            "from range(1000000) as r(i)"
        )
        wanted = {"absent", *(f"m{k}" for k in range(9))}
        # 3 keys and 9 outcomes of 8 bytes, two and a half times; two processes get a copy each
        for available, processes, fits in (
            (240_000_000, 1, True),
            (239_999_999, 1, False),
            (96_000_000, 1, False),
            (432_000_000, 2, True),
            (431_999_999, 2, False),
        ):
            options = {"available": available, "processes": processes}
            assert holds_pair_years(con, wanted, **options) == fits
        with pytest.raises(LandingError, match=r"1,000,000 pair-years: .*found 0 GB; deliver"):
            holds_pair_years(con, wanted, available=95_999_999)
        assert holds_pair_years(con, wanted)
