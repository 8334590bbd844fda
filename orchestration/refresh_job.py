"""The job `refresh`, and what starts it without a person: its yearly schedule and the sensor on the
landing (the page "Automation" of the UI).

They request the whole job, not single assets by Dagster's conditions: a refresh empties the build,
and a publication must come from one run. Schedule and sensor ship stopped: a person turns them on
in the UI.
"""

import os
from pathlib import Path

import dagster as dg

from orchestration import alerts
from orchestration.reuse.fingerprint import hash_landing, hash_of_files
from orchestration.terminal import Exit

#: Tag with the id of the run that sent its alert. A resumed run inherits tags, so the value is
#: compared with its own id.
ALERTED = "citysync/alert_of"


@dg.failure_hook
def tell_of_failure(context: dg.HookContext) -> None:
    """Send one alert for a run that was started in the UI or by the schedule: of the first step
    that fails, since with an empty landing each source fails. `citysync refresh` sends its own.
    """
    run = context.instance.get_run_by_id(context.run_id)
    is_sent = run is not None and run.tags.get(ALERTED) == context.run_id
    if is_sent or os.environ.get(alerts.BY_COMMAND):
        return
    context.instance.add_run_tags(context.run_id, {ALERTED: context.run_id})
    alerts.send(
        "refresh",
        Exit.FAILED,
        f"run {context.run_id}, {context.op.name}: {context.op_exception}",
    )


refresh_job = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all(),
    executor_def=dg.in_process_executor,
    hooks={tell_of_failure},
    description="From delivered files to a publication: the graph that `make refresh` runs.",
)


@dg.schedule(
    job=refresh_job,
    cron_schedule="0 6 15 12 *",
    execution_timezone="Asia/Shanghai",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Every 15 December: the yearbook of the year is out by then.",
)
def yearly_refresh() -> dg.RunRequest:
    """Request a refresh."""
    return dg.RunRequest()


@dg.sensor(
    job=refresh_job,
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description=(
        "Requests a refresh when the files in CITYSYNC_LANDING changed (by path and content) and "
        "have been still for one interval."
    ),
)
def landing_sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Request a refresh where the files are the same as at the last evaluation and none was
    requested for them.
    """
    landing = os.environ.get("CITYSYNC_LANDING", "")
    if not landing:
        return dg.SkipReason("CITYSYNC_LANDING is not set: there are no delivered files to watch")
    seen = hash_of_files(hash_landing(Path(landing)))
    if context.cursor == f"done {seen}":
        return dg.SkipReason(
            "the landing has not changed since the last refresh that was requested"
        )
    if context.cursor != seen:
        context.update_cursor(seen)
        return dg.SkipReason("the landing is changing: waiting until it is still")
    context.update_cursor(f"done {seen}")
    return dg.RunRequest()
