"""The stages of a refresh: plain functions of a `Run`, which assets wrap so that Dagster runs them.

`ORDER` lists the stages from top to bottom, the one list of them: Dagster takes the order from what
the assets depend on, and a test compares the two. A gate of Great Expectations stands after
`prepare_build`, `build_staging`, `build_marts` and `estimate` (`orchestration/gates`); what it
stops is not run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from orchestration.stages import counterfactual, estimates, landing, publication, report, warehouse


@dataclass(frozen=True)
class Stage:
    """A stage of a refresh.

    Attributes
    ----------
    step : str
        Name of its step in Dagster.
    work : callable
    line : str
        Its name at the terminal; empty where it ends without a line of its own.
    is_simulated : bool
        Whether it is of simulated data alone.
    is_reused : bool
        Whether it is left out where nothing before the estimates changed.
    """

    step: str
    work: Callable[..., Any]
    line: str = ""
    is_simulated: bool = False
    is_reused: bool = False


ORDER = (
    Stage("raw__simulated_landing", landing.simulate, is_reused=True),
    Stage("raw__tidy", landing.read_source, is_reused=True),
    Stage("raw_tables", landing.prepare_build, "landing", is_reused=True),
    Stage("dbt_staging", warehouse.build_staging, "staging", is_reused=True),
    Stage("dbt_marts", warehouse.build_marts, "marts", is_reused=True),
    Stage(
        "simulation__counterfactual_synchronization",
        counterfactual.wait,
        "counterfactual",
        is_simulated=True,
        is_reused=True,
    ),
    Stage("study", estimates.estimate, "estimates"),
    Stage("publication__report", report.write, "report"),
    Stage("publication__published", publication.publish, "publication"),
)


def stages_left(*, is_reused: bool, is_simulated: bool) -> list[Stage]:
    """Return the stages of a refresh: those after the marts where the tables of the last run are
    used again.
    """
    left = [stage for stage in ORDER if is_simulated or not stage.is_simulated]
    if is_reused:
        left = [stage for stage in left if not stage.is_reused]
    return left
