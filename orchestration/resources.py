"""Resources of Dagster: the settings of a run, and the `Run` that its assets share.

`run_of_ui` makes the `Run` of a run that was started in the UI. A refresh at the terminal makes its
own and gives it to Dagster instead.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import dagster as dg

from estimation.defaults import DRAWS
from orchestration.dagster_ui.runs import refuse_other_landing, tags_of
from orchestration.home import Home
from orchestration.lock import hold_lock
from orchestration.reuse.fingerprint import note_code
from orchestration.run import Run, open_run
from orchestration.settings import (
    RECORDED_SETTINGS,
    check_settings,
    number,
    path_of_landing,
    setting,
)
from warehouse.publication.publish import refuse_to_replace

# Dagster's own job, which makes the selected assets
SELECTION_JOB = "__ASSET_JOB"


class RunSettings(dg.ConfigurableResource):
    """Settings of a run; the command line hands them over as environment variables, the UI as
    resource configuration.

    Attributes
    ----------
    landing : str
        Folder of delivered files; empty for the simulated landing.
    permutations : int
        Draws of the permutation test.
    simulated_cities : int
        Cities of the simulated landing, 0 for all.
    """

    landing: str = ""
    permutations: int = DRAWS
    simulated_cities: int = 0

    @classmethod
    def from_environment(cls, landing: str | None = None) -> RunSettings:
        """Return the settings that CITYSYNC_LANDING, CITYSYNC_PERMUTATIONS and
        CITYSYNC_SIMULATED_CITIES give; `landing` replaces the first.
        """
        if landing is None:
            landing = os.environ.get("CITYSYNC_LANDING", "")
        return cls(
            landing=landing,
            permutations=number("CITYSYNC_PERMUTATIONS"),
            simulated_cities=number("CITYSYNC_SIMULATED_CITIES"),
        )

    def as_environment(self) -> dict[str, str]:
        """Return the settings that change results, as environment variables (not the landing's
        path).
        """
        given = {name: os.environ[name] for name in RECORDED_SETTINGS if os.environ.get(name)}
        return given | {
            "CITYSYNC_PERMUTATIONS": str(self.permutations),
            "CITYSYNC_SIMULATED_CITIES": str(self.simulated_cities),
        }

    @property
    def is_simulated(self) -> bool:
        """Whether no delivered files were given."""
        return not self.landing

    @property
    def analyses(self) -> tuple[str, ...]:
        """Return the analyses that are estimated (ANALYSES), always with the primary test; empty
        for all.
        """
        named = {name for name in setting("ANALYSES").split(",") if name}
        return tuple(sorted({*named, "primary"})) if named else ()


@dg.resource(
    required_resource_keys={"settings"},
    description="What a run is given and hands from stage to stage.",
)
def run_of_ui(context: dg.InitResourceContext) -> Iterator[Run]:
    """Yield the `Run` of a run that was started in the UI. It holds the lock of the home, so that
    it never shares a build with a refresh at the terminal.
    """
    home = Home.from_environment()
    settings = context.resources.settings
    run = context.run
    # where a selection matches no asset, Dagster would make all of them
    nothing_selected = not run.asset_selection and not run.asset_check_selection
    if run.job_name == SELECTION_JOB and nothing_selected:
        raise dg.Failure(
            "expected at least one selected asset, found none; `dg list defs` lists the assets, "
            "and the job refresh makes them all"
        )
    check_settings(settings.as_environment())
    landing = path_of_landing(settings.landing or None)
    # before it empties the build, not when all is done
    refuse_to_replace(home.published, simulated=not landing)
    with hold_lock(home, "run of the UI"):
        refuse_other_landing(context.instance, run.run_id, landing)
        tags = tags_of(landing, settings.as_environment())
        context.instance.add_run_tags(run.run_id, tags)
        with open_run(home, settings, code=note_code()) as opened:
            yield opened
