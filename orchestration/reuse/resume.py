"""Run a part of the job on the tables that an earlier run left in build/: which assets are left, and how build/ looked before them."""

from __future__ import annotations

import dagster as dg
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from orchestration.home import Home
from orchestration.resources import open_build
from orchestration.reuse.plan import REPORT

# Where the UI finds the job: the module that `make ui` loads, and the name Dagster gives to a module's only repository.
UI_LOCATION, UI_REPOSITORY = "orchestration.definitions", "__repository__"
# Groups of what runs before the estimates. Everything else is run again, so a new asset is never left out.
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
    """Take out of the build what the stages left will write, so that nothing of the earlier run outlives its code."""
    with open_build(home.build) as con:
        for schema in ("meta",) if work == REPORT else ("meta", "estimates"):
            con.execute(f"drop schema if exists {schema} cascade")
        if work != REPORT:
            con.execute("delete from quality.expectation_result where stage = 'estimates'")


def let_ui_resume(instance: dg.DagsterInstance, run_id: str, job_name: str) -> None:
    """Note in a run of the command line where the UI finds its job, so that its button "Re-execute from failure" works.

    A run made inside a process has no such note, and the UI answers the button with an error of its own. Dagster's command
    `dagster run migrate-repository` notes it the same way.
    """
    run = instance.get_run_by_id(run_id)
    if run is not None and run.remote_job_origin is None:
        origin = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(UI_LOCATION), UI_REPOSITORY), job_name)
        instance.run_storage.replace_job_origin(run, origin)
