"""`citysync refresh`: run the job in this process, print what happened, end with an
exit code of `Exit`.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from orchestration import alerts
from orchestration.home import Home, set_tool_environment
from orchestration.lock import hold_lock
from orchestration.reuse.fingerprint import (
    Fingerprint,
    hash_landing,
    note_code,
    take_fingerprint,
)
from orchestration.reuse.plan import (
    ALL,
    NOTHING,
    Plan,
    drop_later_tables,
    keep_record,
    plan_refresh,
)
from orchestration.settings import check_settings, number, path_of_landing, uses_spark
from orchestration.stage_lines import StageLines
from orchestration.supervision import state_of_publication
from orchestration.terminal import Exit, end_command, keep_log, say
from warehouse.publication.publish import refuse_to_replace


def refresh(landing: str | None, permutations: int | None = None) -> int:
    """Build, check, estimate and publish.

    Parameters
    ----------
    landing : folder of delivered files; None for the simulated landing.
    permutations : draws of the permutation test; None for CITYSYNC_PERMUTATIONS, or its default.

    Returns
    -------
    int
        An `Exit`: 0 published, 1 a stop check failed, 2 bad input or usage, 3 another refresh is
        running. The last line printed says which and why.
    """
    home = Home.from_environment()
    path = path_of_landing(landing)
    if permutations is not None:
        # an option is checked, recorded and read like the variable of the same meaning
        os.environ["CITYSYNC_PERMUTATIONS"] = str(permutations)
    check_settings(os.environ)
    refuse_to_replace(home.published, simulated=landing is None)
    os.environ[alerts.BY_COMMAND] = "1"
    with hold_lock(home):
        code = note_code()
        files, before = _fingerprint(path)
        plan = plan_refresh(home, before)
        if plan.scope == NOTHING:
            return _do_nothing(home, plan)
        set_tool_environment(home)
        if uses_spark() and plan.scope == ALL:
            from warehouse.spark.engine import require_spark

            found = ", ".join(f"{name} {value}" for name, value in require_spark().items())
            say(f"  engine: Spark for the pair tables ({found})")
        keep_log(home.log)
        end, reason = _run(home, plan, path, code=code, files=files)
        if end == Exit.DONE:
            # the publication is complete; without a record the next refresh merely repeats stages
            with suppress(OSError):
                _, after = _fingerprint(path)
                keep_record(home, before, after)
    return end_command(end, reason)


def _fingerprint(landing: str) -> tuple[dict[str, str], Fingerprint | None]:
    """Return the hash of each delivered file, and the fingerprint of the run. That is None where a
    file cannot be read: the run itself will report which one and why.
    """
    if not landing:
        return {}, take_fingerprint(None)
    try:
        files = hash_landing(Path(landing))
    except OSError:
        return {}, None
    return files, take_fingerprint(files)


def _do_nothing(home: Home, plan: Plan) -> int:
    """Print that nothing changed and nothing is run, with the summary of the current
    publication.
    """
    from orchestration.summary import print_summary

    say(
        f"citysync refresh: nothing to do, {plan.reason} as in run {plan.run_id} (FORCE=1 does "
        "everything again)"
    )
    print_summary(home)
    return end_command(Exit.DONE, f"published {home.published} is unchanged (run {plan.run_id})")


def _run(
    home: Home, plan: Plan, landing: str, *, code: Mapping[str, str], files: Mapping[str, str]
) -> tuple[Exit, str]:
    """Let Dagster run the stages of a plan, and return the exit code and its reason."""
    started = time.monotonic()
    what = landing or "the SIMULATED landing (a planted, known effect)"
    say(f"citysync refresh: {what}")
    warnings.filterwarnings("ignore", category=FutureWarning)
    from dagster import AssetSelection, BetaWarning, DagsterInstance

    warnings.filterwarnings("ignore", category=BetaWarning)
    from orchestration.dagster_ui.runs import close_ended_runs, forget_old_runs, tags_of
    from orchestration.definitions import load_definitions
    from orchestration.failure_reason import reason_of_failure
    from orchestration.resources import RunSettings
    from orchestration.run import open_run

    settings = RunSettings.from_environment(landing)
    is_whole = plan.scope == ALL
    if is_whole:
        say(f"  every stage is run: {plan.reason}")
    stage_lines = StageLines()
    stage_lines.announce(home, is_whole=is_whole, is_simulated=settings.is_simulated)
    with DagsterInstance.get() as instance:
        if closed := close_ended_runs(instance):
            say(f"  {closed} run(s) of the history were killed: they are marked as failed")
        forget_old_runs(instance, kept=number("CITYSYNC_RUNS"))
        if not is_whole:
            say(f"  the tables of run {plan.run_id} in build/ are used: {plan.reason}")
            drop_later_tables(home)
        with open_run(home, settings, code=code, files=files, stage_lines=stage_lines) as run:
            definitions = load_definitions(run)
            selection = None
            if not is_whole:
                groups = AssetSelection.groups("estimates", "publication")
                selection = list(groups.resolve(definitions.resolve_asset_graph()))
            result = definitions.resolve_job_def("refresh").execute_in_process(
                instance=instance,
                raise_on_error=False,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                asset_selection=selection,
                tags=tags_of(settings.landing, settings.as_environment()),
            )
    if not result.success:
        code_and_reason = reason_of_failure(list(result.all_events), home)
        say(f"nothing was published; {state_of_publication(home)}")
        if home.build.exists():
            say(f"this run's database, quality tables and Data Docs are kept in {home.build}")
        return code_and_reason
    from orchestration.summary import print_summary

    stage_lines.note_seconds()
    print_summary(home)
    return Exit.DONE, f"published {home.published} in {time.monotonic() - started:.0f} s"
