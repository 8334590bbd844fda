"""Execute the failed run in a home's history again from where it failed, by Dagster's own function,
and print its tags and the steps that were executed.
"""

import json

import dagster as dg

from orchestration.definitions import load_definitions
from orchestration.home import Home, set_tool_environment


def refresh_job() -> dg.JobDefinition:
    """Return the job of a refresh."""
    return load_definitions().resolve_job_def("refresh")


def main() -> None:
    """Fail where the history has no failed run, or the run fails again."""
    set_tool_environment(Home.from_environment())
    with dg.DagsterInstance.get() as instance:
        [failed] = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
        result = dg.execute_job(
            dg.reconstructable(refresh_job),
            instance,
            reexecution_options=dg.ReexecutionOptions.from_failure(failed.run_id, instance),
        )
    done = [event.step_key for event in result.all_events if event.is_step_success]
    steps = sorted(step for step in done if not step.startswith("gate"))
    print(json.dumps({"failed": dict(failed.tags), "steps": steps}))


if __name__ == "__main__":
    main()
