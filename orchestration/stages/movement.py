"""Write `meta.movement`: how far estimates moved since the last publication.

`estimation/study/movement.py` computes it.
"""

from __future__ import annotations

from typing import Any

import duckdb
import pandas as pd

from orchestration.run import Run
from orchestration.terminal import progress
from warehouse.database import open_build, write_frame
from warehouse.publication.change_tables import CannotBeCompared, database_before
from warehouse.publication.errors import PublishError
from warehouse.publication.untrusted import open_untrusted


def measure_movement(run: Run, marts: Any, primary: pd.DataFrame) -> None:
    """Write `meta.movement` of a run; without rows where there is no publication of its kind, or
    none that can be read, which is printed.
    """
    from estimation.analyses.primary import DECLARED
    from estimation.study.movement import COLUMNS, movement_rows

    frame = pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS)
    try:
        before = _read_before(run)
    except (PublishError, CannotBeCompared, duckdb.Error) as error:
        found = str(error).splitlines()[0]
        progress(f"  how far estimates moved is not computed: {found}")
        before = None
    if before is not None:
        earlier, old = before
        frame = movement_rows(earlier, marts, DECLARED, old, primary)
    with open_build(run.home.build) as con:
        write_frame(con, "meta", "movement", frame)


def _read_before(run: Run) -> tuple[Any, pd.DataFrame] | None:
    """Return marts and `estimates.primary` of the current publication; None if there is none of the
    same kind as this run.
    """
    from estimation.analyses.primary import DECLARED
    from estimation.sample.marts import read_marts

    database = database_before(run.home.published, simulated=run.settings.is_simulated)
    if database is None:
        return None
    with open_untrusted(database) as con:
        marts = read_marts(con, DECLARED, pair_years=False)
        return marts, con.table("estimates.primary").df()
