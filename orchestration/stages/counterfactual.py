"""The warehouse without the effect, of simulated data: the truth of a spec is made from it.

It is built in the background while other stages run, since a build keeps one core busy.
"""

from __future__ import annotations

from orchestration.dbt_runner import Dbt, raise_on_failure
from orchestration.home import Home
from orchestration.run import Background, Run
from orchestration.run_settings import uses_spark
from orchestration.unit_workers import n_processes

# outcomes of pairs, and series of cities
TARGETS = ("+fct_pair_synchronization", "+fct_city_pair", "+fct_city_year", "+dim_city")


def start(run: Run) -> None:
    """Start to build in the background, unless Spark or a single core is there for one build at a
    time.
    """
    if not uses_spark() and n_processes() > 1:
        run.counterfactual = Background(build, run.home)


def wait(run: Run) -> None:
    """Wait for the build; build here where none was started.

    Raises
    ------
    DbtFailed
        If a model fails.
    """
    if run.counterfactual is None:
        build(run.home)
    else:
        run.counterfactual.wait()
        run.counterfactual = None
    run.stages.done("counterfactual", "the warehouse without the effect is built")


def build(home: Home) -> None:
    """Build the models on the raw rows of `build/counterfactual/`."""
    # dbt writes what it compiles, and the other build does so at the same time
    folder = ("--target-path", str(home.counterfactual / "dbt"))
    options = ("--exclude-resource-type", "unit_test", "test", *folder)
    results = Dbt(home).build_models(
        TARGETS, build=home.counterfactual, options=options, pairs=True, tests=False
    )
    raise_on_failure(results)
