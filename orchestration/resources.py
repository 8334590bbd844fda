"""The one resource of the graph: a run's settings, and the lock and tags that every run takes.

Holds no logic of a stage.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from orchestration import alerts
from orchestration.dagster_ui.run_tags import tag_run
from orchestration.home import Home
from orchestration.reuse.fingerprint import note_code
from orchestration.reuse.plan import forget_record
from orchestration.run_settings import SETTINGS, number, setting
from orchestration.simulated_landing import landing_path
from orchestration.supervision import hold_lock
from warehouse.publication.publish import refuse_to_replace


class Settings(dg.ConfigurableResource):
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
    permutations: int = 9_999
    simulated_cities: int = 0

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Settings]:
        """Hold the home's lock while a run lasts, so that one started in the UI and a refresh at
        the terminal never share a build.

        Every run passes here, wherever it was started, so this is also where it gets its tags.
        """
        home = Home.from_environment()
        # before it empties the build, not when all is done
        refuse_to_replace(home.published, self.is_simulated)
        with hold_lock(home, "run of the UI"):
            if alerts.BY_COMMAND not in os.environ:
                # a refresh at the terminal has noted it before it planned what to run
                note_code()
            forget_record(home)
            if context.instance is not None and context.run is not None:
                tag_run(context.instance, context.run.run_id, self.landing, self.as_environment())
            yield self

    @classmethod
    def from_environment(cls) -> Settings:
        """What CITYSYNC_LANDING, CITYSYNC_PERMUTATIONS and CITYSYNC_SIMULATED_CITIES say."""
        return cls(
            landing=os.environ.get("CITYSYNC_LANDING", ""),
            permutations=number("CITYSYNC_PERMUTATIONS"),
            simulated_cities=number("CITYSYNC_SIMULATED_CITIES"),
        )

    def as_environment(self) -> dict[str, str]:
        """What a run's results depend on besides its files and code, as the variables that set it;
        the landing's path is not among them.
        """
        given = {name: os.environ[name] for name in SETTINGS if os.environ.get(name)}
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
        """The analyses that are estimated (ANALYSES), the primary test always among them; empty for
        all.
        """
        named = {name for name in setting("ANALYSES").split(",") if name}
        return tuple(sorted({*named, "primary"})) if named else ()

    def landing_path(self, home: Home) -> Path:
        """The landing to read: the delivered one, else the simulated one with the effect."""
        return landing_path(home, self.landing)
