"""Command line: fit an estimator on a file of pairs, as a table for people or one JSON object for
programs.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from . import __version__
from .api.help import FIT_HELP, PRIMARY_HELP
from .defaults import DRAWS
from .panel.panel_error import PanelError

if TYPE_CHECKING:
    from .api.result import Fit

#: What this command line does; a checkout's `citysync` hands these words over to it.
COMMANDS = {
    "fit": "fit an estimator on a panel of pairs",
    "primary": "the primary test on a panel of units",
    "classify": "give each clause of a policy text its tool",
    "compile": "compile the loops of the permutation now: the first fit need not wait for them",
}
FIELDS = (
    "term",
    "cohort_year",
    "event_time",
    "vcov",
    "is_default",
    "estimate",
    "std_error",
    "ci_low",
    "ci_high",
    "p_value",
    "n_pilots",
)
if find_spec(f"{__package__}.classify") is None:
    # the classifier of Chinese policy texts and its lexicon stay in the checkout
    del COMMANDS["classify"]
EPILOGS = {"fit": FIT_HELP, "primary": PRIMARY_HELP}
#: Columns of a panel of cities and what they are called where nothing else is said.
CITY_COLUMNS = {
    "outcome": "growth",
    "unit": "city_id",
    "time": "year",
    "cohort": "cohort_year",
    "block": "block_id",
}
#: What `cs.fit` is asked for by name; what is not given has its default there.
FIT_OPTIONS = (
    *("outcome", "series", "time", "cohort", "block", "estimator", "controls", "weights"),
    *("exposure", "vcov", "permutations", "seed", "shuffle", "control_pairs", "reference"),
    *("binning", "engine"),
)
TABLE_FILES = ("docx", "tex", "html", "md", "csv")
BAD_INPUT = 2
READER_GONE = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code, 2 for bad input with the reason on stderr and nothing
    on stdout.
    """
    try:
        code = _run(_parser().parse_args(arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        # the reader has gone (`| head`): no traceback, and nothing left to flush at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE
    except (ValueError, ImportError, OSError) as error:
        # PanelError and NotEstimable are ValueErrors; a file that cannot be written is an OSError
        print(f"citysync: exit {BAD_INPUT}: {error}", file=sys.stderr)
        return BAD_INPUT
    except (MemoryError, OverflowError, RecursionError) as error:
        said = (str(error).splitlines() or [""])[0]
        print(
            f"citysync: exit {BAD_INPUT}: the panel is too large for this machine or its numbers "
            f"({type(error).__name__}: {said}); give fewer rows, or smaller numbers",
            file=sys.stderr,
        )
        return BAD_INPUT
    return code


def _run(options: argparse.Namespace) -> int:
    if options.command == "classify":
        from .classify import classify_file

        sys.stdout.write(classify_file(options.file))
        return 0
    if options.command == "primary":
        return _primary(options)
    if options.command == "compile":
        return _compile()
    fit = _fit(options)
    _write_files(fit, options)
    if not options.json and (options.table or sys.stdout.isatty()):
        print(fit.summary())
    else:
        print(render(fit, indent=None if options.json else 2))
    return 0


def render(fit: Fit, indent: int | None) -> str:
    """Return JSON text of a result; what is not a finite number is null."""
    from .api.words import PUBLISHED

    document = {
        "estimator": fit.estimator,
        "outcome": fit.outcome,
        "n_obs": fit.n_obs,
        "n_pairs": fit.n_pairs,
        "n_cities": fit.n_units,
        "n_pilots": fit.n_treated,
        "n_units": fit.n_units,
        "n_treated": fit.n_treated,
        "estimates": [
            {name: _plain(getattr(estimate, name)) for name in FIELDS}
            | {"vcov": PUBLISHED.get(estimate.vcov, estimate.vcov), "df": _plain(estimate.df)}
            for estimate in fit.estimates
        ],
        "diagnostics": [
            {"diagnostic": name, "term": term, "value": _plain(value)}
            for name, term, value in fit.diagnostics
        ],
        "warnings": list(fit.warnings),
    }
    return json.dumps(document, indent=indent, ensure_ascii=False, allow_nan=False)


def _compile() -> int:
    from .api.compiled import compile_loops

    folder = compile_loops()
    print(
        "compiled loops cannot be kept: no folder can be written"
        if folder is None
        else f"compiled loops are kept in {folder}"
    )
    return 0 if folder is not None else 1


def _primary(options: argparse.Namespace) -> int:
    from .api.primary import primary

    names = {name: getattr(options, name) for name in CITY_COLUMNS}
    found = primary(
        options.cities,
        **names,
        length=options.length,
        permutations=options.permutations,
        seed=options.seed,
    )
    if options.json:
        print(json.dumps(asdict(found.result), ensure_ascii=False, allow_nan=False))
    else:
        print(found.summary())
    return 0


def _fit(options: argparse.Namespace) -> Fit:
    from .api.fit import fit

    given = {name: getattr(options, name) for name in FIT_OPTIONS}
    asked = {name: value for name, value in given.items() if value is not None}
    if isinstance(options.unit, str) and options.series is None:
        remedy = "give --unit first,second"
        raise PanelError("--unit", None, None, "two columns by comma", options.unit, remedy)
    return _as_the_study_prints(fit(options.panel, unit=options.unit, **asked))


def _as_the_study_prints(fit: Fit) -> Fit:
    """Without p where the outcome is one of the study's whose tests do not hold their size; any
    other outcome as it is.
    """
    try:
        from .analyses.catalog import all_specs
    except ImportError:  # the study stays in the checkout
        return fit
    if not any(spec.outcome == fit.outcome for spec in all_specs()):
        return fit
    from .study.withhold import withhold

    withheld: Any = withhold(fit, fit.outcome)
    return withheld


def _write_files(fit: Fit, options: argparse.Namespace) -> None:
    from .api.tables import etable

    given = (options.panel, options.cohort, options.block)
    read = {Path(one).resolve() for one in given if isinstance(one, str | Path)}
    for ending in TABLE_FILES:
        file = getattr(options, ending)
        if file is not None:
            if file.resolve() in read:
                expected = "another file than those that are read"
                raise PanelError(f"--{ending}", None, None, expected, file, "give another name")
            if file.suffix.lower() != f".{ending}":
                raise PanelError(
                    f"--{ending}",
                    None,
                    None,
                    f"a name that ends in .{ending}",
                    file.name,
                    "give it that ending",
                )
            etable(fit, file=file)
    if options.plot is not None:
        fit.plot(options.plot_kind, file=options.plot)


class Parser(argparse.ArgumentParser):
    """A parser whose faults end as every command does."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(
            BAD_INPUT, f"citysync: exit {BAD_INPUT}: {message}; {self.prog} --help says more\n"
        )


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="citysync", description=__doc__)
    parser.add_argument("--version", action="version", version=f"citysync {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    add = {
        name: commands.add_parser(
            name,
            help=text,
            description=text,
            epilog=EPILOGS.get(name),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        for name, text in COMMANDS.items()
    }
    _add_fit(add["fit"])
    _add_primary(add["primary"])
    if "classify" in add:
        add["classify"].add_argument(
            "file", type=Path, metavar="FILE", help="CSV with columns id, clause"
        )
    return parser


def _add_fit(fit: argparse.ArgumentParser) -> None:
    # names of estimators, lines and columns are checked by what takes them: --help loads no arrays
    fit.add_argument(
        "panel",
        type=Path,
        metavar="PANEL",
        help="CSV, Parquet or Stata's .dta, one row per pair and period",
    )
    fit.add_argument("--outcome", required=True, help="column of the outcome")
    fit.add_argument(
        "--unit",
        type=_columns,
        help="the two columns of ids, by comma; default city_i_id,city_j_id; one column: a panel "
        "of units with --series",
    )
    fit.add_argument("--series", help="of a panel of units, the column that --outcome measures")
    fit.add_argument(
        "--engine",
        choices=("arrays", "all_pairs"),
        help="what adds pairs up; default: chosen by what is given",
    )
    fit.add_argument("--time", help="column of the year or period; default year")
    fit.add_argument(
        "--cohort",
        type=_columns,
        help="first treated period: a column of pairs, two of units, or a file of units; default "
        "cohort_year",
    )
    fit.add_argument(
        "--block",
        type=_columns,
        help="blocks of units: a name, two columns by comma, or a file of units",
    )
    fit.add_argument("--weights", help="column with one positive number per pair")
    fit.add_argument(
        "--exposure",
        choices=("one", "both"),
        help="with cohorts of units: treated by one, or once both are",
    )
    fit.add_argument("--estimator", help="one of those below; default twfe")
    fit.add_argument(
        "--vcov",
        type=_columns,
        help="by comma, of those below; default: the default method and permutation",
    )
    fit.add_argument("--controls", type=_names, help="columns by comma")
    fit.add_argument("--permutations", type=count, help="draws; 0 leaves the permutation out")
    fit.add_argument("--seed", type=count)
    fit.add_argument(
        "--shuffle",
        choices=("block", "all"),
        help="where first treated years move: within blocks, or over all units",
    )
    fit.add_argument(
        "--reference",
        type=int,
        help="event time that an event study leaves out; default -1",
    )
    fit.add_argument(
        "--binning", type=_bins, help="first and last event time, by comma: --binning=-5,5"
    )
    fit.add_argument(
        "--table", action="store_true", help="print a table, which is the default on a terminal"
    )
    fit.add_argument(
        "--control-pairs",
        "--control-group",
        choices=("never_treated", "not_yet_treated"),
        help="pairs that callaway_santanna compares a cohort with",
    )
    fit.add_argument("--json", action="store_true", help="print the object on one line")
    for ending in TABLE_FILES:
        fit.add_argument(
            f"--{ending}", type=Path, metavar="FILE", help=f"write the table as .{ending}"
        )
    fit.add_argument(
        "--plot",
        type=Path,
        metavar="FILE",
        help="draw it: the event study, or the inference methods",
    )
    fit.add_argument(
        "--plot-kind", choices=("event_study", "forest", "permutation", "influence"), default=None
    )


def _add_primary(primary: argparse.ArgumentParser) -> None:
    primary.add_argument(
        "cities",
        type=Path,
        metavar="UNITS",
        help="CSV, Parquet or .dta: city_id, year, growth, cohort_year, block_id",
    )
    for name, default in CITY_COLUMNS.items():
        primary.add_argument(f"--{name}", default=default, help=f"column; default {default}")
    primary.add_argument(
        "--length", help="column with the years that a row covers; the outcome is then the measure"
    )
    primary.add_argument("--permutations", type=count, default=DRAWS, help="draws, at least 20")
    primary.add_argument("--seed", type=count, default=1)
    primary.add_argument("--json", action="store_true", help="print one JSON object")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _columns(text: str) -> str | tuple[str, ...] | None:
    names = _names(text)
    return names if len(names) > 1 else names[0] if names else None


def count(text: str) -> int:
    """Return a whole number from 0, as an argument."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number from 0, found {text!r}")
    return int(text)


def _bins(text: str) -> tuple[int, int]:
    try:
        first, last = (int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected two whole numbers by comma, such as -5,5, found {text!r}"
        ) from None
    return first, last


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
