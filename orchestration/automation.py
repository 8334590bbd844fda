"""The job, and what starts it without a person: its yearly schedule and the sensor on the landing
(the page "Automation" of the UI).

Schedule and sensor ship stopped: a person turns them on in the UI.
"""

import os
from pathlib import Path

import dagster as dg

from orchestration import alerts
from orchestration.assets.landing import edition_range_tags, register_editions
from orchestration.home import Home
from orchestration.reuse.fingerprint import hash_landing
from orchestration.terminal import Exit


@dg.failure_hook
def tell_of_failure(context: dg.HookContext) -> None:
    """An alert for a run that was started in the UI or by the schedule; `make refresh` reports its
    own end.
    """
    if not os.environ.get(alerts.WATCHED):
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
def yearly_refresh(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """A refresh of all editions."""
    return dg.RunRequest(tags=_all_editions(context.instance))


@dg.sensor(
    job=refresh_job,
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description=(
        "Asks for a refresh when the files in CITYSYNC_LANDING changed (by path and content) and "
        "have been still for one interval."
    ),
)
def landing_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """A refresh of all editions where the landing differs from the last one asked for, and equals
    that of the tick before.

    The cursor is `done=<hash>;seen=<hash>`: the landing of the last refresh asked for, and that of
    the last tick.
    """
    landing = os.environ.get("CITYSYNC_LANDING", "")
    if not landing:
        return dg.SkipReason(
            "CITYSYNC_LANDING is not set: there is no folder of delivered files to watch"
        )
    seen = hash_landing(Path(landing))
    cursor = dict(part.split("=", 1) for part in (context.cursor or "").split(";") if part)
    if seen == cursor.get("done"):
        return dg.SkipReason("the landing has not changed since the last refresh it asked for")
    if seen != cursor.get("seen"):
        context.update_cursor(f"done={cursor.get('done', '')};seen={seen}")
        return dg.SkipReason("the landing is changing: waiting until it is still")
    context.update_cursor(f"done={seen};seen={seen}")
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=seen, tags=_all_editions(context.instance))]
    )


def _all_editions(instance: dg.DagsterInstance) -> dict[str, str]:
    """Tags that ask for every edition, those included that came since the last refresh."""
    register_editions(instance, Home.from_environment())
    return edition_range_tags(instance)
