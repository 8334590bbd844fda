"""Tag runs with what they read and by which code, and close those whose process was killed.

Dagster's history keeps a killed run as started, which would make others wait for it.
"""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg

from orchestration.reuse.fingerprint import git_commit

LANDING = "citysync/landing"
# A run in one of these is at work, or was when its process ended.
AT_WORK = (
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
WORDS = (
    "its process ended before the run did (killed, or the machine went down); found by the next "
    "start"
)


class OtherLanding(Exception):
    """A run would read other files than the run that it resumes."""


def tags_of(landing: str, settings: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of a run.

    Parameters
    ----------
    landing : str
        Folder of delivered files; empty for the simulated landing.
    settings : mapping of str to str
        Those that the manifest will record.
    """
    tags = {LANDING: landing or "simulated", "citysync/commit": git_commit()}
    for name, value in settings.items():
        tags[f"citysync/{name.lower().removeprefix('citysync_')}"] = value
    return tags


def refuse_other_landing(instance: dg.DagsterInstance, run_id: str, landing: str) -> None:
    """Refuse a run that resumes one of another landing: Dagster hands that one's tags down, and the
    build holds that one's tables.

    Raises
    ------
    OtherLanding
        Naming both landings and how to start the UI on the right one.
    """
    run = instance.get_run_by_id(run_id)
    now = landing or "simulated"
    before = now
    if run is not None:
        before = run.tags.get(LANDING, now)
    if before != now:
        again = "citysync ui"
        if before != "simulated":
            again = f"citysync ui --landing {before}"
        raise OtherLanding(
            f"the run that is resumed read {before}; this one would read {now}; start the UI on "
            f"the other: {again}"
        )


def forget_old_runs(instance: dg.DagsterInstance, kept: int) -> None:
    """Delete the runs before the newest ones, with their events and logs."""
    for run in instance.get_runs()[kept:]:
        instance.delete_run(run.run_id)


def close_ended_runs(instance: dg.DagsterInstance) -> int:
    """Mark runs as failed whose process is gone; how many there were.

    The caller holds the lock of the home. Every run takes it before it does anything, so no run of
    this home is at work.
    """
    ended = instance.get_runs(dg.RunsFilter(statuses=list(AT_WORK)))
    for run in ended:
        instance.report_run_failed(run, WORDS)
    return len(ended)
