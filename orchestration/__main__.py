"""Command line: `python -m orchestration COMMAND`; `--help` lists them.

Each command imports only what it needs.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from orchestration.early_signals import end_on_signals, hold_streams, restore

if TYPE_CHECKING:
    import argparse

# ctrl-c, ctrl-\ and `kill`: somebody was there
INTERRUPTED = (130, 131, 143)


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code."""
    import argparse

    from orchestration.home import BadHome, Home
    from orchestration.supervision import supervise
    from orchestration.terminal import Exit, end_command

    parser = argparse.ArgumentParser(prog="python -m orchestration", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    refresh = commands.add_parser(
        "refresh", help="read the landing, build, check, estimate, report, publish"
    )
    refresh.add_argument(
        "--landing", help="folder of delivered files (default: the simulated landing)"
    )
    refresh.add_argument(
        "--permutations", type=int, help="draws of the permutation test (default 9999)"
    )
    fetch = commands.add_parser("fetch", help="official data from their service into a landing")
    fetch.add_argument("--source", help="nbs (the statistics bureau) or world_bank")
    fetch.add_argument(
        "--landing", help="landing to write into (default: fetched/landing in the home)"
    )
    check = commands.add_parser(
        "check-source", help="read, stage and judge one source against the published warehouse"
    )
    check.add_argument("--source", help="folder of the source, named as the source is")
    for name, text in (
        ("verify", "hash everything published again, and compare it with the delivered files"),
        ("rollback", "put an earlier publication back"),
        ("reproduce", "build a publication again and compare its tables"),
        ("deposit", "write a replication folder of a publication"),
    ):
        after = commands.add_parser(name, help=text)
        after.add_argument(
            "--run",
            help=(
                "run id of a publication that is kept (default: the current one; rollback: the "
                "one before)"
            ),
        )
        if name != "rollback":
            after.add_argument("--landing", help="folder with the delivered files of that run")
    ui = commands.add_parser("ui", help="Dagster UI on 127.0.0.1:3000")
    ui.add_argument(
        "--landing",
        help=(
            "folder of delivered files that runs of the UI read (default: CITYSYNC_LANDING, else "
            "the simulated landing)"
        ),
    )
    sql = commands.add_parser("sql", help="read-only SQL on the published warehouse")
    sql.add_argument("--query", help="print one result and leave")
    sql.add_argument(
        "--out", "--csv", help="write that result to this file: .csv, .parquet or .xlsx by its name"
    )
    commands.add_parser("docs", help="static documentation of the models")
    audit = commands.add_parser(
        "audit",
        help="compare what is installed with the lock file, look up advisories, and list licences",
    )
    audit.add_argument(
        "--advisories",
        help="folder or zip archive of known advisories in the OSV format, as a copy at hand",
    )
    commands.add_parser("clean", help="remove what a run can make again")
    chosen = parser.parse_args(arguments)
    try:
        Home.from_environment().require_usable()
    except BadHome as error:
        return end_command(
            "" if chosen.command == "refresh" else chosen.command, Exit.BAD_INPUT, str(error)
        )
    if chosen.command in ("sql", "ui"):
        restore()
    if chosen.command == "sql":
        # `make sql Q=... | head`: it ends with its reader, as every program that prints rows does
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        from orchestration.commands.sql_prompt import run_sql

        return run_sql(chosen.query, chosen.out)
    if chosen.command == "ui":
        from orchestration.commands.servers import serve_ui

        return serve_ui(chosen.landing)
    if chosen.command != "refresh":
        return supervise(chosen.command, lambda: _run(chosen))
    from orchestration import alerts
    from orchestration.supervision import main_pid

    alerts.watch()
    code = supervise(chosen.command, lambda: _run(chosen))
    if code not in (Exit.DONE, *INTERRUPTED) and main_pid() == os.getpid():
        alerts.send_ending(chosen.command, code)
    return code


def _run(chosen: argparse.Namespace) -> int:  # noqa: PLR0911 -- one return a command
    """A command whose work is watched."""
    if chosen.command == "refresh":
        from orchestration.commands.refresh import refresh

        return refresh(chosen.landing, chosen.permutations)
    if chosen.command == "fetch":
        from orchestration.commands.fetch import fetch

        return fetch(chosen.source, chosen.landing)
    if chosen.command == "check-source":
        from orchestration.commands.check_source import check_source

        return check_source(chosen.source)
    if chosen.command == "reproduce":
        from orchestration.commands.reproduce import reproduce

        return reproduce(chosen.run, chosen.landing)
    if chosen.command in ("verify", "rollback", "deposit"):
        return _of_publication(chosen)
    if chosen.command == "clean":
        from orchestration.commands.clean import clean

        return clean()
    if chosen.command == "audit":
        from orchestration.commands.audit import audit

        return audit(chosen.advisories)
    from orchestration.commands.servers import write_docs

    return write_docs()


def _of_publication(chosen: argparse.Namespace) -> int:
    """A command that takes a publication as it is."""
    from orchestration.commands import publications
    from orchestration.deposit.write import deposit

    if chosen.command == "verify":
        return publications.verify(chosen.run, chosen.landing)
    return (
        publications.rollback(chosen.run) if chosen.command == "rollback" else deposit(chosen.run)
    )


if __name__ == "__main__":
    end_on_signals()
    hold_streams()
    sys.exit(main())
