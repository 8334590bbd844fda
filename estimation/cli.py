"""Command line: fit an estimator on a file of city pairs and print one JSON object."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .classify import ClassifyError, classify_file, find_rules
from .fit import ESTIMATORS, VARIANCE_ESTIMATORS, FitResult, NotEstimable, fit_panel
from .panel.pair_file import PairColumns, PairFile, read_pairs
from .panel.panel_error import PanelError
from .primary import WITHIN_BLOCK

FIT_HELP = """
PANEL, one row per pair in a year:

  city_i_id,city_j_id,year,cohort_year,y,province_i_id,province_j_id
  330100,340100,2014,2015,0.31,330000,340000     the pair's only pilot is first treated in 2015
  340100,340200,2014,,0.12,340000,340000         blank: never treated, a control

  city_i_id < city_j_id (as integers if all are, else as text); leave pairs of two pilots out. cohort_year is the year, not a 0/1 dummy:
  'exactly one of the two is a pilot now' switches off again and is refused. province_i_id, province_j_id enable the province lines;
  city_i_cohort_year, city_j_cohort_year name the pilots where the pairs alone do not tell.

estimators
  twfe                 one effect, pair and year effects (term treated)
  event_study          leads and lags, the year before admission omitted (term event)
  callaway_santanna    cohorts against never-treated pairs, varying base (terms att, event, group_time)
  sun_abraham          interaction-weighted, the same after admission on a balanced panel
  gardner, borusyak    imputation from untreated rows; etwfe: extended two-way (terms att, event)
  within_block         pilots against cities of their own province by mean outcome with never-pilots; inference by permutation alone

lines of inference (--vcov)
  province_jackknife   the default where 10 provinces can be left out and pilots sit in 2 of them
  city                 the default where the jackknife cannot be, with at least 4 pilots that do not all sit in one province
  permutation          admission years shuffled within provinces; the default with fewer than 4 pilots, or with all in one province;
                       elsewhere read it beside the default: for secondary regressions an effect counts where both reject
  dyadic               pairs that share a city, t with pilots - 1 degrees of freedom
  conventional         clustered by pair: the contrast only, it rejects far too often

examples
  python -m estimation fit panel.csv --outcome y
  python -m estimation fit panel.parquet --outcome y --estimator event_study --vcov dyadic,permutation --permutations 999 --json
  python -m estimation fit panel.csv --outcome y --controls x1,x2 --permutations 0 --json | python -m json.tool

Long draws show their progress on stderr where that is a terminal. Bad input: exit code 2, the reason on stderr, nothing on stdout.
"""
PRIMARY_HELP = """
The primary test of this project on any panel of cities, one row per city and year:

  city_id,year,growth,cohort_year,block_id
  330100,2014,8.2,2015,330000     first treated in 2015
  330200,2014,7.9,,330000         blank: never treated

block_id is the group inside which admission is compared and permuted, for example the province. Printed are the change of mean
synchronization of a pilot with never-pilots (correlation units), its interval by inversion of the same test, its p, the smallest
effect that would be found in 80 % of cases, and the two channels: variance of own shocks, loading on the common cycle.
docs/methods, section 18 has the formulas; docs/evidence/primary-test.md says how the test was chosen and what it was measured to do.

  python -m estimation primary cities.csv --seed 1 --permutations 9999 --json
"""
RUN_HELP = """
Runs rows of estimation/analyses on a published warehouse, opened read-only, without a refresh:

  python -m estimation run data/published/citysync.duckdb baseline.cm_growth_official.headline --permutations 999

docs/adding-a-regression.md walks through a row of your own.
"""
FIELDS = ("term", "cohort_year", "event_time", "vcov", "is_default", "estimate", "std_error", "ci_low", "ci_high", "p_value", "n_pilots")
BAD_INPUT = 2
READER_GONE = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code, 2 for bad input with the reason on stderr and nothing on stdout."""
    try:
        code = _run(_parser().parse_args(arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        # the reader has gone (`| head`): no traceback, and nothing left to flush at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE
    return code


def _run(options: argparse.Namespace) -> int:
    if options.command == "classify":
        return _classify(options.file)
    if options.command == "run":
        return _run_specs(options)
    if options.command == "primary":
        return _primary(options)
    try:
        file, result = _fit(options)
    except (PanelError, NotEstimable) as error:
        print(f"citysync: {error}", file=sys.stderr)
        return BAD_INPUT
    print(render(file, result, options.outcome, indent=None if options.json else 2))
    return 0


def render(file: PairFile, result: FitResult, outcome: str, indent: int | None) -> str:
    """JSON text of a result; what is not a finite number is null."""
    document = {
        "estimator": result.estimator,
        "outcome": outcome,
        **{name: getattr(result, name) for name in ("n_obs", "n_pairs", "n_cities", "n_pilots")},
        "estimates": [{name: _plain(getattr(estimate, name)) for name in FIELDS} for estimate in result.estimates],
        "diagnostics": [{"diagnostic": name, "term": term, "value": _plain(value)} for name, term, value in result.diagnostics],
        "warnings": [*file.notes, *result.warnings],
    }
    return json.dumps(document, indent=indent, ensure_ascii=False, allow_nan=False)


def _classify(file: Path) -> int:
    try:
        sys.stdout.write(classify_file(file, find_rules()))
    except ClassifyError as error:
        print(f"citysync: {error}", file=sys.stderr)
        return BAD_INPUT
    return 0


def _run_specs(options: argparse.Namespace) -> int:
    from .study.rerun import RunError, run_specs

    try:
        text = run_specs(options.database, options.spec_ids, permutations=options.permutations, seed=options.seed)
    except RunError as error:
        print(f"citysync: {error}", file=sys.stderr)
        return BAD_INPUT
    print(text)
    return 0


def _primary(options: argparse.Namespace) -> int:
    from .primary.command import run_primary

    try:
        text = run_primary(options.cities, options.seed, options.permutations, options.json)
    except ValueError as error:
        print(f"citysync: {error}", file=sys.stderr)
        return BAD_INPUT
    print(text)
    return 0


def _fit(options: argparse.Namespace) -> tuple[PairFile, FitResult]:
    file = read_pairs(options.panel, PairColumns(options.outcome, controls=options.controls, ordered=True))
    if options.estimator == WITHIN_BLOCK:
        return file, _fit_within_block(file, options)
    result = fit_panel(
        file.panel,
        estimator=options.estimator,
        vcov=options.vcov,
        permutations=options.permutations,
        seed=options.seed,
        shuffle=options.shuffle,
        control_names=options.controls,
    )
    return file, result


def _fit_within_block(file: PairFile, options: argparse.Namespace) -> FitResult:
    from .primary.within_block import fit_pair_panel

    if options.controls or options.shuffle != "province" or set(options.vcov or ("permutation",)) != {"permutation"}:
        raise NotEstimable(
            f"{WITHIN_BLOCK} takes no controls, permutes within provinces and has the permutation alone: leave --controls, --shuffle and "
            "--vcov out"
        )
    try:
        return fit_pair_panel(file.panel, permutations=options.permutations, seed=options.seed)
    except ValueError as error:
        raise NotEstimable(str(error)) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m estimation", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    fit = commands.add_parser(
        "fit", help="fit an estimator on a city-pair panel", epilog=FIT_HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    fit.add_argument("panel", type=Path, metavar="PANEL", help="CSV or Parquet: city_i_id, city_j_id, year, cohort_year, outcome, controls")
    fit.add_argument("--outcome", required=True, help="column of the outcome")
    fit.add_argument("--estimator", choices=(*ESTIMATORS, WITHIN_BLOCK), default="twfe")
    fit.add_argument(
        "--vcov",
        type=_variance_estimators,
        default=None,
        help=f"by comma, of {', '.join(VARIANCE_ESTIMATORS)}; default: the default line and permutation",
    )
    fit.add_argument("--controls", type=_names, default=(), help="columns by comma")
    fit.add_argument("--permutations", type=_count, default=9999, help="draws; 0 leaves the permutation out")
    fit.add_argument("--seed", type=_count, default=1)
    fit.add_argument("--shuffle", choices=("province", "all"), default="province", help="where admission years move in the permutation")
    fit.add_argument("--json", action="store_true", help="print the object on one line")
    primary = commands.add_parser(
        "primary", help="the primary test on a city panel", epilog=PRIMARY_HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    primary.add_argument("cities", type=Path, metavar="CITIES", help="CSV or Parquet: city_id, year, growth, cohort_year, block_id")
    primary.add_argument("--permutations", type=_count, default=9999, help="draws, at least 20")
    primary.add_argument("--seed", type=_count, default=1)
    primary.add_argument("--json", action="store_true", help="print one JSON object")
    classify = commands.add_parser("classify", help="give each clause of a policy text its tool")
    classify.add_argument("file", type=Path, metavar="FILE", help="CSV with columns id, clause")
    run = commands.add_parser(
        "run", help="run rows of the study on a published warehouse", epilog=RUN_HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    run.add_argument("database", type=Path, metavar="DATABASE", help="a published citysync.duckdb")
    run.add_argument("spec_ids", nargs="+", metavar="SPEC_ID", help="<analysis>.<outcome>.<variant>")
    run.add_argument("--permutations", type=_count, default=None, help="the most draws a row may take; default: its own")
    run.add_argument("--seed", type=_count, default=None)
    return parser


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _variance_estimators(text: str) -> tuple[str, ...]:
    names = _names(text)
    for name in names:
        if name not in VARIANCE_ESTIMATORS:
            raise argparse.ArgumentTypeError(f"{name}: expected some of {', '.join(VARIANCE_ESTIMATORS)}")
    if not names:
        raise argparse.ArgumentTypeError(f"expected some of {', '.join(VARIANCE_ESTIMATORS)}, found nothing")
    return names


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number from 0, found {text!r}")
    return int(text)


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
