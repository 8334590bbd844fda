"""A run whose process was killed is shown as failed from the next start on."""

from __future__ import annotations

import dagster as dg

from orchestration.dagster_ui.ended_runs import WORDS, close_ended_runs


@dg.job
def job() -> None:
    """Stands for the job of a refresh."""


def test_runs_at_work_are_closed_and_others_left_alone() -> None:
    with dg.instance_for_test() as instance:
        # a run of the daemon's queue needs a code location, and is none that this closes
        runs = {
            status: instance.create_run_for_job(job, status=status)
            for status in dg.DagsterRunStatus
            if status.value not in ("MANAGED", "QUEUED")
        }
        assert close_ended_runs(instance) == 3
        now = {status: instance.get_run_by_id(run.run_id).status for status, run in runs.items()}
        closed = {status for status in now if now[status] != status}
        assert {status.value for status in closed} == {"STARTING", "STARTED", "CANCELING"}
        assert {now[status] for status in closed} == {dg.DagsterRunStatus.FAILURE}
        events = instance.all_logs(runs[dg.DagsterRunStatus.STARTED].run_id)
        assert any(WORDS in event.message for event in events)
        assert close_ended_runs(instance) == 0
