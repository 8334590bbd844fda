"""Run a part of the job on the tables that an earlier run left in build/: which assets are left,
and how build/ looked before them.
"""

from __future__ import annotations

import dagster as dg

from orchestration.home import Home
from orchestration.reuse.plan import REPORT
from warehouse.build_database import open_build

# Groups of what runs before the estimates. Everything else is run again, so a new asset is never
# left out.
BEFORE_ESTIMATES = ("raw", "seeds", "staging", "intermediate", "marts", "simulation")
BEFORE_REPORT = (*BEFORE_ESTIMATES, "estimates")


def stages_left(definitions: dg.Definitions, work: str) -> list[dg.AssetKey]:
    """Keys of the assets that are not upstream of where the run starts.

    Parameters
    ----------
    definitions : Definitions
    work : str
        `estimates` or `report`.
    """
    done = BEFORE_REPORT if work == REPORT else BEFORE_ESTIMATES
    return [
        key
        for assets in definitions.resolve_asset_graph().assets_defs
        for key in assets.keys
        if not (set(assets.group_names_by_key.values()) & set(done))
    ]


def rewind(home: Home, work: str) -> None:
    """Take out of the build what the remaining stages will write, so that no table of the earlier
    run's code is left.
    """
    with open_build(home.build) as con:
        for schema in ("meta",) if work == REPORT else ("meta", "estimates"):
            con.execute(f"drop schema if exists {schema} cascade")
        if work != REPORT:
            for table in ("expectation_result", "expectation_row"):
                con.execute(f"delete from quality.{table} where stage = 'estimates'")
