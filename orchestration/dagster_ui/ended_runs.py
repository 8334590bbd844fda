"""Runs that ended without saying so: a killed process leaves its run as started in Dagster's
history, where it would hold back others.
"""

from __future__ import annotations

import dagster as dg

# A run in one of these is at work, or was when its process ended.
AT_WORK = (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)
WORDS = (
    "its process ended before the run did (killed, or the machine went down); found by the next "
    "start"
)


def close_ended_runs(instance: dg.DagsterInstance) -> int:
    """Mark runs as failed whose process is gone; how many there were.

    The caller holds the lock of the home. Every run takes it before it does anything, so no run of
    this home is at work.
    """
    ended = instance.get_runs(dg.RunsFilter(statuses=list(AT_WORK)))
    for run in ended:
        instance.report_run_failed(run, WORDS)
    return len(ended)
