"""`citysync COMMAND`: the one command of a checkout; `--help` lists what it does.

Belongs here: the commands, their arguments, and the function that each calls. Imports nothing
heavy: a command loads only what it needs. `fit`, `primary` and `classify` are the library's own
command line.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from orchestration import DAMAGED

try:
    from estimation import cli
    from orchestration.supervision import exit_code_of, hold_signals, supervise
except EOFError:
    # `orchestration.machine_faults`, which explains such errors, may be damaged too
    print(f"citysync: exit 2: {sys.pycache_prefix or sys.prefix}: {DAMAGED}")
    sys.exit(2)


@dataclass(frozen=True)
class Argument:
    """A positional argument or an option of a command.

    Attributes
    ----------
    names : tuple of str
        As argparse wants them; the first is shown.
    help : str
    variable : str
        Its name as a variable of make, as in ``make sql Q="select 1"``.
    how : mapping
        Further arguments of `add_argument`. A positional argument may be left out unless this sets
        its `nargs`.
    """

    names: tuple[str, ...]
    help: str
    variable: str = ""
    how: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Command:
    """A command of `citysync`.

    Attributes
    ----------
    help : str
    work : str
        ``module:function``. The function gets the arguments in their order and returns the exit
        code.
    arguments : tuple of Argument
    is_watched : bool
        Whether it runs in a child process, which an interrupt ends at once. False for servers and
        for commands that people run interactively.
    """

    help: str
    work: str
    arguments: tuple[Argument, ...] = ()
    is_watched: bool = True


FLAG = {"action": "store_true"}
COUNT = {"type": cli.count}
LANDING = Argument(("--landing",), "folder of delivered files", "LANDING")
RUN = Argument(("run",), "run id of a publication that is kept; default: the current one", "RUN")
SOURCE = Argument(("source",), "folder of the source, named as the source is", "SRC")
WITHIN = "orchestration.commands."
COMMANDS = {
    "refresh": Command(
        "read the landing, build, check, estimate, report, publish",
        WITHIN + "refresh:refresh",
        (
            Argument(LANDING.names, f"{LANDING.help}; default: the simulated landing", "LANDING"),
            Argument(("--permutations",), "draws of the permutation test; default 9999", how=COUNT),
        ),
    ),
    "sql": Command(
        "read-only SQL on the published warehouse",
        WITHIN + "sql:run_sql",
        (
            Argument(("-q", "--query"), "the query; without it three examples are printed", "Q"),
            Argument(
                ("--out", "--csv"), "write that result: .csv, .parquet or .xlsx by its name", "OUT"
            ),
        ),
        is_watched=False,
    ),
    "ui": Command(
        "Dagster UI on 127.0.0.1:3000 (CITYSYNC_UI_PORT)",
        WITHIN + "servers:serve_ui",
        (LANDING,),
        is_watched=False,
    ),
    "fetch": Command(
        "official data from their service into a landing, for this machine alone",
        WITHIN + "fetch:fetch",
        (Argument(SOURCE.names, "nbs (the statistics bureau) or world_bank", "SRC"), LANDING),
    ),
    "check-source": Command(
        "read one source and compare it with the published warehouse, in seconds",
        WITHIN + "check_source:check_source",
        (
            SOURCE,
            Argument(
                ("--all",), "every file and indicator, however many lines that takes", how=FLAG
            ),
        ),
    ),
    "new-source": Command(
        "draft the layout of a source that no layout knows",
        "warehouse.ingest.drafting.new_source:new_source",
        (
            SOURCE,
            Argument(("--source-id",), "name of the source where the folder's does not serve"),
            Argument(("--output",), "file for the draft; default: standard output"),
            Argument(("--published",), "database to compare values with; default: the home's"),
        ),
    ),
    "correct": Command(
        "put a delivered figure right, with its evidence, or take a correction back",
        WITHIN + "correct:correct",
        (
            Argument(("city",), "code or name of the city"),
            Argument(("indicator",), "id of the indicator"),
            Argument(("year",), "calendar year"),
            Argument(("wrong",), "the figure as delivered, in the unit of the file"),
            Argument(("right",), "the figure to use instead, in the same unit"),
            Argument(("evidence",), "a document, or SOURCE/FILE CELL where it was delivered"),
            Argument(("--reason",), "what is wrong"),
            Argument(("--withdraw",), "take the correction back", how=FLAG),
        ),
    ),
    "why": Command(
        "one cell explained: its figures, every rule's test with its margin, what it enters",
        WITHIN + "why:why",
        (
            Argument(("city",), "code or name of the city"),
            Argument(("indicator",), "id of the indicator"),
            Argument(("year",), "calendar year"),
            Argument(("--publication",), RUN.help, "RUN"),
            Argument(("--flips",), "also the nearest figure that turns each decision", how=FLAG),
            Argument(("--html",), "file that receives the same as a page"),
            Argument(("--json",), "print JSON", how=FLAG),
        ),
        is_watched=False,
    ),
    "run": Command(
        "run rows of the study on a published warehouse, without a refresh",
        WITHIN + "run_specs:run_specs",
        (
            Argument(("database",), "a published citysync.duckdb", how={"nargs": None}),
            Argument(("spec_ids",), "<analysis>.<outcome>.<variant>", how={"nargs": "+"}),
            Argument(("--permutations",), "the most draws of a row; default its own", how=COUNT),
            Argument(("--seed",), "default that of the row", how=COUNT),
        ),
        is_watched=False,
    ),
    "panel": Command(
        "the city-year panel as CSV and Parquet, with code book and citation",
        WITHIN + "panel:panel",
        (
            Argument(("folder",), "receives the files; default: city_panel", "OUT"),
            Argument(
                ("--today-borders",), "count cities that ended in those that took them", how=FLAG
            ),
            Argument(
                ("--plain",), "without source and flag of each value and treated year", how=FLAG
            ),
            Argument(("--pairs",), "the tables of pairs as Parquet, too", how=FLAG),
        ),
    ),
    "verify": Command(
        "hash everything published again, and compare it with the delivered files",
        WITHIN + "publications:verify",
        (RUN, LANDING),
    ),
    "policy": Command(
        "the main test for a list of cities and dates, as a page and tables",
        WITHIN + "policy:policy",
        (
            Argument(("file",), "CSV with city and year or date", "FILE", {"nargs": None}),
            Argument(("--outcome",), "synchronization (default), trade, exports, wages ..."),
            Argument(("--output",), "folder to write; default: the name of the list"),
        ),
        is_watched=False,
    ),
    "register": Command(
        "write a list of cities and dates down before its data",
        WITHIN + "policy:register",
        (Argument(("file",), "CSV with city and year or date", "FILE", {"nargs": None}),),
        is_watched=False,
    ),
    "registered": Command(
        "what a run wrote down for the next window, and whether it kept to what was written",
        WITHIN + "registered:registered",
        (Argument(("run",), "run id of the archive; default: the current publication", "RUN"),),
    ),
    "rehearse": Command(
        "let the landing arrive edition by edition, and report what each arrival changed",
        WITHIN + "rehearse:rehearse",
        (
            LANDING,
            Argument(("--editions",), "2020..2024, or how many of the newest; default 5"),
            Argument(("--output",), "folder for the table and the page; default: rehearsal"),
        ),
    ),
    "rollback": Command(
        "put an earlier publication back", WITHIN + "publications:rollback", (RUN,)
    ),
    "reproduce": Command(
        "build a publication again and compare its tables",
        WITHIN + "reproduce:reproduce",
        (RUN, LANDING),
    ),
    "deposit": Command(
        "write a replication folder of a publication", "orchestration.deposit.write:deposit", (RUN,)
    ),
    "public": Command(
        "the publication for any static host, without values that may not be passed on",
        WITHIN + "public:public",
        (
            Argument(("out",), "folder to write", "OUT"),
            RUN,
            Argument(
                ("--unmeasured",), "also of too few cities to measure what it gives away", how=FLAG
            ),
        ),
    ),
    "evidence": Command(
        "write the figures in README and docs/evidence from a publication of delivered files",
        WITHIN + "evidence:evidence",
        (
            RUN,
            Argument(
                ("--first-landing",),
                "the run has the first landing alone: write its part of landings.md",
                how=FLAG,
            ),
            Argument(("--with-data-set",), "also the data set of cs.data.zones()", how=FLAG),
        ),
    ),
    "docs": Command("static documentation of the models", WITHIN + "servers:write_docs"),
    "clean": Command("remove what a run can make again", WITHIN + "clean:clean"),
}
#: The older form of these arguments, which still works: `--run ID` for `ID`.
OLD_FORM = re.compile("^--(source|run)(=|$)")


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            # the caller closed it (`>&-`), so nobody reads it
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 -- for good
        # a terminal of another encoding shows the names of cities as escapes
        getattr(sys, name).reconfigure(errors="backslashreplace")
    if words and words[0] in cli.COMMANDS:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        return cli.main(words)
    given_words = [OLD_FORM.sub("", word) for word in words]
    options = vars(_parser().parse_args([word for word in given_words if word]))
    name = options.pop("command")
    command = COMMANDS[name]
    # in the order in which they were added
    given = list(options.values())

    def work() -> int:
        module, _, function = command.work.partition(":")
        return getattr(import_module(module), function)(*given)

    if command.is_watched:
        return supervise(name, work)
    # these end on signals as any program does; the last line goes to standard error, since another
    # program may read what they print
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    return exit_code_of(work, sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = cli.Parser(prog="citysync", description=(__doc__ or "").partition("\n")[0])
    words = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        of_command = words.add_parser(name, help=command.help, description=command.help)
        of_make = _make_variables(one.variable for one in command.arguments)
        for one in command.arguments:
            usual = {} if one.names[0].startswith("-") else {"nargs": "?"}
            usual["default"] = of_make.get(one.variable)
            of_command.add_argument(*one.names, help=one.help, **(usual | one.how))
    for name, text in cli.COMMANDS.items():
        words.add_parser(name, help=text)
    return parser


def _make_variables(names: Iterable[str]) -> dict[str, str]:
    """Return the variables that were given to make, as in ``make sql Q="select 1"``, empty ones
    too; none where make did not start the command.
    """
    is_make = os.environ.get("CITYSYNC_MAKE")
    return {name: os.environ[name] for name in names if is_make and name in os.environ}


if __name__ == "__main__":
    hold_signals()
    sys.exit(main())
