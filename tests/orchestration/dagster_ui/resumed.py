"""For a process of its own: go on from where the last run of a home failed, by the call of Dagster
that stands behind its UI's button.
"""

from __future__ import annotations

import os

import dagster as dg

from orchestration.home import Home, set_tool_environment


def refresh_job() -> dg.JobDefinition:
    """The job by name, so that Dagster can load it again."""
    from orchestration.definitions import load_definitions

    return load_definitions().resolve_job_def("refresh")


def resume(landing: str) -> None:
    """Resume and print the steps that ran, one a line."""
    os.environ["CITYSYNC_LANDING"] = landing
    set_tool_environment(Home.from_environment())
    with dg.DagsterInstance.get() as instance:
        failed = instance.get_runs(limit=1)[0]
        options = dg.ReexecutionOptions.from_failure(failed.run_id, instance)
        result = dg.execute_job(
            dg.reconstructable(refresh_job),
            instance=instance,
            reexecution_options=options,
            raise_on_error=True,
        )
    for event in result.all_events:
        if event.is_step_success:
            print("step", event.step_key)
