"""The one resource of the graph: a run's settings, and the lock and tags that every run takes.

Holds no logic of a stage.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from orchestration.dagster_ui.run_tags import OtherLanding, describe_tags, tag_run
from orchestration.home import Home, hold_lock
from orchestration.reuse.compiled_loops import checked_loops
from orchestration.run_settings import SETTINGS
from warehouse.publication.publish import refuse_to_replace


def refuse_other_landing(landing: str) -> None:
    """A run started in the UI reads the landing that `make ui` was started with: its configuration
    may be anybody's.

    Raises
    ------
    OtherLanding
        Naming both landings and how to start the UI on the other one.
    """
    started_with = os.environ.get("CITYSYNC_UI_LANDING")
    if started_with is not None and landing != started_with:
        wanted = f"make ui LANDING={landing}" if landing else "make ui"
        raise OtherLanding(
            f"this run asks for {landing or 'the simulated landing'}; this UI was started for "
            f"{started_with or 'the simulated landing'}; "
            f"to read the other, stop it and start it again: {wanted}"
        )


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
        refuse_other_landing(self.landing)
        refuse_to_replace(
            home.published, self.is_simulated
        )  # before it empties the build, not when all is done
        with (
            hold_lock(home, "run of the UI" if "CITYSYNC_UI_LANDING" in os.environ else "refresh"),
            checked_loops(home),
        ):
            if context.instance is not None and context.run is not None:
                tag_run(
                    context.instance,
                    context.run.run_id,
                    describe_tags(self.landing, self.permutations),
                )
            yield self

    @classmethod
    def from_environment(cls) -> Settings:
        """What CITYSYNC_LANDING, CITYSYNC_PERMUTATIONS and CITYSYNC_SIMULATED_CITIES say."""
        return cls(
            landing=os.environ.get("CITYSYNC_LANDING", ""),
            permutations=int(os.environ.get("CITYSYNC_PERMUTATIONS", "9999")),
            simulated_cities=int(os.environ.get("CITYSYNC_SIMULATED_CITIES", "0")),
        )

    def as_environment(self) -> dict[str, str]:
        """What a run's results depend on besides its files and code, as the variables that set it;
        the landing's path is not among them.
        """
        given = {name: os.environ[name] for name in SETTINGS if os.environ.get(name)}
        own = {
            "CITYSYNC_PERMUTATIONS": str(self.permutations),
            "CITYSYNC_SIMULATED_CITIES": str(self.simulated_cities),
        }
        return {**given, **own}

    @property
    def is_simulated(self) -> bool:
        """Whether no delivered files were given."""
        return not self.landing

    @property
    def places(self) -> str:
        """Level of the simulated landing's places (PLACES): prefecture, or county."""
        return os.environ.get("PLACES") or SETTINGS["PLACES"].default

    @property
    def analyses(self) -> tuple[str, ...]:
        """The analyses that are estimated (ANALYSES), the primary test always among them; empty for
        all.
        """
        named = {name for name in os.environ.get("ANALYSES", "").split(",") if name}
        return tuple(sorted({*named, "primary"})) if named else ()

    @property
    def strict(self) -> bool:
        """Whether a source folder without a layout is an error (STRICT=1)."""
        return os.environ.get("STRICT", "") == "1"

    def landing_path(self, home: Home) -> Path:
        """The landing to read: the delivered one, else the simulated one with the effect."""
        return (
            home.simulated / "with_effect" if self.is_simulated else Path(self.landing).absolute()
        )
