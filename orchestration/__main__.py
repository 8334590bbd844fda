"""Command line: `python -m orchestration refresh | verify | rollback | reproduce | ui | sql | docs | audit | clean`.

Each command imports only what it needs.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from orchestration.early_signals import end_on_signals, restore

if TYPE_CHECKING:
    import argparse


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code."""
    import argparse

    from orchestration.home import BadHome, Home
    from orchestration.supervision import supervise
    from orchestration.terminal import Exit, end_command

    parser = argparse.ArgumentParser(prog="python -m orchestration", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    refresh = commands.add_parser("refresh", help="read the landing, build, check, estimate, report, publish")
    refresh.add_argument("--landing", help="folder of delivered files (default: the simulated landing)")
    refresh.add_argument("--permutations", type=int, help="draws of the permutation test (default 9999)")
    for name, text in (
        ("verify", "hash everything published again, and compare it with the delivered files"),
        ("rollback", "put an earlier publication back"),
        ("reproduce", "build a publication again and compare its tables"),
    ):
        after = commands.add_parser(name, help=text)
        after.add_argument("--run", help="run id of a publication that is kept (default: the current one; rollback: the one before)")
        if name != "rollback":
            after.add_argument("--landing", help="folder with the delivered files of that run")
    ui = commands.add_parser("ui", help="Dagster UI on 127.0.0.1:3000")
    ui.add_argument(
        "--landing", help="folder of delivered files that runs of the UI read (default: CITYSYNC_LANDING, else the simulated landing)"
    )
    sql = commands.add_parser("sql", help="read-only SQL on the published warehouse")
    sql.add_argument("--query", help="print one result and leave")
    sql.add_argument("--csv", help="write that result to this file, for a spreadsheet")
    commands.add_parser("docs", help="static documentation of the models")
    audit = commands.add_parser("audit", help="compare what is installed with the lock file, look up advisories, and list licences")
    audit.add_argument("--advisories", help="folder or zip archive of known advisories in the OSV format, as a copy at hand")
    commands.add_parser("clean", help="remove what a run can make again")
    chosen = parser.parse_args(arguments)
    try:
        Home.from_environment().require_usable()
    except BadHome as error:
        return end_command("" if chosen.command == "refresh" else chosen.command, Exit.BAD_INPUT, str(error))
    if chosen.command in ("sql", "ui"):
        restore()
    if chosen.command == "sql":
        from orchestration.commands.sql_prompt import run_sql

        return run_sql(chosen.query, chosen.csv)
    if chosen.command == "ui":
        from orchestration.commands.servers import serve_ui

        return serve_ui(chosen.landing)
    return supervise(chosen.command, lambda: _run(chosen))


def _run(chosen: argparse.Namespace) -> int:
    """A command whose work is watched."""
    if chosen.command == "refresh":
        from orchestration.commands.refresh import refresh

        return refresh(chosen.landing, chosen.permutations)
    if chosen.command == "reproduce":
        from orchestration.commands.reproduce import reproduce

        return reproduce(chosen.run, chosen.landing)
    if chosen.command in ("verify", "rollback"):
        from orchestration.commands import publications

        return publications.verify(chosen.run, chosen.landing) if chosen.command == "verify" else publications.rollback(chosen.run)
    if chosen.command == "clean":
        from orchestration.commands.clean import clean

        return clean()
    if chosen.command == "audit":
        from orchestration.commands.audit import audit

        return audit(chosen.advisories)
    from orchestration.commands.servers import write_docs

    return write_docs()


if __name__ == "__main__":
    end_on_signals()
    sys.exit(main())
