"""The stages of a refresh: plain functions of a `Run` in the modules of this folder.

Nothing here calls them: assets wrap them (`orchestration/assets/`), and Dagster runs the assets in
the order of their `deps`. `ORDER` lists the steps in the same order, for the lines at the terminal
and for refreshes that leave stages out; a test compares the two. A gate of Great Expectations runs
after `prepare_build`, `build_staging`, `build_marts` and `estimate` (`orchestration/gates`); where
it fails, the stages after it are not run.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """A stage of a refresh.

    Attributes
    ----------
    step : str
        Name of its step in Dagster; `raw__tidy` represents the steps of all sources.
    line : str
        Its name at the terminal; empty where it ends without a line of its own.
    only_simulated : bool
        Whether it runs on simulated data alone.
    before_estimates : bool
        Whether it is left out where only what follows the marts changed.
    """

    step: str
    line: str = ""
    only_simulated: bool = False
    before_estimates: bool = False


ORDER = (
    Stage("raw__simulated_landing", before_estimates=True),
    Stage("raw__tidy", before_estimates=True),
    Stage("raw_tables", "landing", before_estimates=True),
    Stage("dbt_staging", "staging", before_estimates=True),
    Stage("dbt_marts", "marts", before_estimates=True),
    Stage(
        "simulation__counterfactual_synchronization",
        "counterfactual",
        only_simulated=True,
        before_estimates=True,
    ),
    Stage("study", "estimates"),
    Stage("publication__report", "report"),
    Stage("publication__published", "publication"),
)


def stages_left(*, after_marts: bool, is_simulated: bool) -> list[Stage]:
    """Return the stages that a refresh runs, in their order.

    Parameters
    ----------
    after_marts : bool
        Whether the marts of the last run are used, so that only later stages run.
    is_simulated : bool
    """
    left = [stage for stage in ORDER if is_simulated or not stage.only_simulated]
    if after_marts:
        left = [stage for stage in left if not stage.before_estimates]
    return left
