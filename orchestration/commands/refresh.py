"""`citysync refresh`: run the job in this process, print what happened, end with the
contract's exit code.
"""

from __future__ import annotations

import os
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

from orchestration import alerts
from orchestration.faults import explain_text
from orchestration.home import Home, set_tool_environment
from orchestration.reuse.fingerprint import Fingerprint, note_code, take_fingerprint
from orchestration.reuse.plan import (
    ALL,
    NOTHING,
    Plan,
    keep_record,
    plan_refresh,
    rewind,
    stages_left,
)
from orchestration.run_settings import check_settings, uses_spark
from orchestration.stages import stages
from orchestration.supervision import hold_lock
from orchestration.terminal import Exit, end_command, keep_log, say
from warehouse.errors import Refused
from warehouse.publication.publish import refuse_to_replace


def refresh(landing: str | None, permutations: int | None = None) -> int:
    """Build, check, estimate and publish.

    Parameters
    ----------
    landing : folder of delivered files; None for the simulated landing.
    permutations : draws of the permutation test; None for the study's 9,999.

    Returns
    -------
    int
        An `Exit`: 0 published, 1 a stop check failed, 2 bad input or usage, 3 another refresh is
        running. The last line printed says which and why.
    """
    home = Home.from_environment()
    use_landing(landing)
    if permutations is not None:
        os.environ["CITYSYNC_PERMUTATIONS"] = str(permutations)
    check_settings(os.environ)
    _check_roster(landing)
    refuse_to_replace(home.published, simulated=landing is None)
    os.environ[alerts.BY_COMMAND] = "1"
    with hold_lock(home):
        note_code()
        before = _fingerprint(landing)
        plan = plan_refresh(home, before)
        if plan.work == NOTHING:
            return _stand(home, plan)
        set_tool_environment(home)
        if uses_spark() and plan.work == ALL:
            from warehouse.spark.engine import require_spark

            found = ", ".join(f"{name} {value}" for name, value in require_spark().items())
            say(f"  engine: Spark for the pair tables ({found})")
        keep_log(home.log)
        code, reason = _run(home, plan, simulated=landing is None)
        if code == Exit.DONE:
            # published is published: without a record the next refresh only does more
            with suppress(OSError):
                keep_record(home, before, _fingerprint(landing))
    return end_command(code, reason)


def _fingerprint(landing: str | None) -> Fingerprint | None:
    """What the run depends on; None where something cannot be read, which the run itself will say
    better.
    """
    try:
        return take_fingerprint(Path(landing) if landing else None)
    except OSError:
        return None


def _stand(home: Home, plan: Plan) -> int:
    """Nothing changed: print the summary of the current publication, and that nothing was run."""
    from orchestration.commands.summary import print_summary

    say(
        f"citysync refresh: nothing to do, {plan.reason} as in run {plan.run_id} (FORCE=1 does "
        "everything again)"
    )
    print_summary(home)
    return end_command(
        Exit.DONE, f"published {home.published} stands unchanged (run {plan.run_id})"
    )


def use_landing(landing: str | None) -> None:
    """Let the runs of this process read a landing; raise Refused where one was given that is no
    folder.
    """
    if landing is not None and not landing.strip():
        raise Refused(
            "LANDING is empty: give the folder with the delivered files, or leave it out for the "
            "simulated landing"
        )
    path = Path(landing or "")
    if landing and not path.is_dir():
        found = "is a file" if path.exists() else "does not exist"
        raise Refused(
            f"landing {path} {found}: expected a folder with one folder per source; check the path"
        )
    os.environ["CITYSYNC_LANDING"] = str(path.absolute()) if landing else ""


def _check_roster(landing: str | None) -> None:
    """Raise Refused where places of another level are asked for and a delivered landing does not
    say which they are.
    """
    from warehouse.ingest.roster import PLACES_SOURCE, ROSTER

    roster = Path(landing or "") / PLACES_SOURCE / ROSTER
    if landing and os.environ.get("PLACES") == "county" and not roster.is_file():
        raise Refused(
            f"PLACES=county: expected the roster of these places as {roster} (docs/layouts.md "
            "says its columns), found none"
        )


def _run(home: Home, plan: Plan, simulated: bool) -> tuple[Exit, str]:
    """Exit code and its one-line reason."""
    started = time.monotonic()
    landing = os.environ["CITYSYNC_LANDING"]
    say(
        "citysync refresh: "
        f"{'the SIMULATED landing (a planted, known effect)' if simulated else landing}"
    )
    warnings.filterwarnings("ignore", category=FutureWarning)
    from dagster import BetaWarning, DagsterInstance

    warnings.filterwarnings("ignore", category=BetaWarning)
    if plan.work == ALL and plan.reason:
        say(f"  every stage is run: {plan.reason}")
    stages.plan(home, plan.work, simulated=simulated)

    from orchestration.counterfactual import in_own_process
    from orchestration.dagster_ui.run_tags import close_ended_runs
    from orchestration.definitions import load_definitions

    with (
        in_own_process(),
        DagsterInstance.get() as instance,
    ):
        if closed := close_ended_runs(instance):
            say(
                f"  {closed} run{'s' if closed > 1 else ''} in the history had ended without "
                "saying so (killed): marked as failed"
            )
        definitions = load_definitions()
        job = definitions.resolve_job_def("refresh")
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        part = None
        if plan.work != ALL:
            say(f"  {plan.reason} since run {plan.run_id}: its tables in build/ are used")
            rewind(home)
            part = stages_left(definitions)
        result = job.execute_in_process(
            instance=instance, raise_on_error=False, run_config=quiet, asset_selection=part
        )
    if result.success:
        from orchestration.commands.summary import print_summary

        stages.keep()
        print_summary(home)
        return Exit.DONE, f"published {home.published} in {time.monotonic() - started:.0f} s"
    ending = _ending(list(result.all_events), home)
    standing = (
        f"the last publication stands: {home.published}"
        if home.published.exists()
        else "there is none yet"
    )
    say(f"nothing was published; {standing}")
    say(f"this run's database, quality tables and Data Docs are kept in {home.build}")
    return ending


def _ending(events: list[Any], home: Home) -> tuple[Exit, str]:
    """Why a run failed, by the first rule that fits: what was refused, what would be lost, the gate
    that stopped it, a fault of the machine, any other error.
    """
    failures = [
        _causes(event.event_specific_data.error) for event in events if event.is_step_failure
    ]

    def said_by(*names: str) -> list[str]:
        # sources are read side by side: what is wrong with the landing as a whole is said by each
        return list(
            dict.fromkeys(text for chain in failures for name, text in chain if name in names)
        )

    if refused := said_by("LandingError", "PublishError", "SparkFault", "NotMaterialized"):
        for text in refused:
            say(text)
        return Exit.BAD_INPUT, _one_line(" | ".join(refused))
    if losses := said_by("PublicationShrinks"):
        return Exit.FAILED, _one_line(losses[0])
    for event in events:
        if event.event_type_value == "ASSET_CHECK_EVALUATION":
            gate = event.asset_check_evaluation_data
            if gate.blocking and not gate.passed:
                return Exit.FAILED, _one_line(f"{gate.check_name}: {gate.description}")
    for chain in failures:
        for _, text in reversed(chain):
            if sentence := explain_text(text, home.root):
                return Exit.BAD_INPUT, _one_line(sentence)
    name, text = next(
        (chain[-1] for chain in failures if chain),
        ("Failure", "the run failed without a message; see the run in `citysync ui`"),
    )
    return Exit.FAILED, _one_line(f"{name}: {text}")


def _causes(error: Any) -> list[tuple[str, str]]:
    """Class name and message of an error and its causes, the root cause last."""
    found = []
    while error is not None:
        found.append((error.cls_name, error.message.split(": ", 1)[-1].strip()))
        error = error.cause
    return found


def _one_line(text: str) -> str:
    return " ".join(text.split())[:600]
