"""`python -m benchmarks.primary_test.family --panel DB`: every variant of the primary test on the
real admissions (candidate x series x window), with one joint permutation p, as rows of a table.

Run after the rule had been committed and had chosen; docs/evidence/primary-test.md has the table,
so that nobody can pick.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import duckdb
import numpy as np

from benchmarks.page import markdown
from estimation.analyses.primary import DECLARED, NEWEST
from estimation.primary.city_panel import build_panel
from estimation.primary.detectable import detectable
from estimation.primary.interval import family_p, judge, rank_p
from estimation.primary.redeal import deal
from estimation.study.run import read_marts
from estimation.study.windows import city_window

from .candidates import CANDIDATES, SERIES, imputation, statistics

LAST_YEARS = (2019, 2021, 2022, 2023)


def variants(
    growth: np.ndarray, years: np.ndarray, cohort: np.ndarray, block: np.ndarray, draws: int
) -> dict[tuple[int, str, str], np.ndarray]:
    """Studentised coefficients (1 + draws,) by last year, series and candidate, on the same cities;
    a city's whole record is dealt at once.
    """
    dealt = deal(block, draws, [1, 0])
    found = {}
    for last in LAST_YEARS:
        inside = years <= last
        panel = build_panel(growth[:, inside], years[inside], cohort, block)
        for (series, name), drawn in statistics(panel, dealt).items():
            found[last, series, name] = drawn
    return found


def main() -> None:
    """Parse the command line, run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.primary_test.family")
    parser.add_argument("--panel", type=Path, required=True, help="published warehouse")
    parser.add_argument("--permutations", type=int, default=1999)
    chosen = parser.parse_args()
    specs = [spec for spec in DECLARED if spec.series == DECLARED[0].series]
    with duckdb.connect(str(chosen.panel), read_only=True) as connection:
        marts = read_marts(connection, specs)
    windows = {spec.variant: city_window(marts, spec) for spec in specs}
    newest = windows[NEWEST]
    found = variants(newest.growth, newest.years, newest.cohort, newest.block, chosen.permutations)
    rows = [("window, series", *CANDIDATES)]
    for last in LAST_YEARS:
        for series in SERIES:
            cells = [found[last, series, name] for name in CANDIDATES]
            shown = (f"{drawn[0]:+.2f} ({rank_p(drawn):.2f})" for drawn in cells)
            rows.append((f"2010-{last}, {series}", *shown))
    print(markdown(rows))
    print(f"\njoint p {rank_p(np.max(np.abs(list(found.values())), axis=0)):.3f}\n")
    for variant, window in windows.items():
        panel = build_panel(window.growth, window.years, window.cohort, window.block)
        dealt = deal(panel.block, chosen.permutations, [1, 0])
        both = [imputation(panel, panel.measured(series)[2], dealt) for series in panel.series]
        corrected = family_p([one.statistic() for one in both])
        for series, one, other, p in zip(SERIES, both, both[::-1], corrected, strict=True):
            largest = np.abs(other.statistic(other.estimate[0]))
            sizes = [detectable(one, largest, sign) for sign in (1, -1)]
            print(series, variant, "imputation", judge(one)[0], f"p of both {p:.3f}", sizes)


if __name__ == "__main__":
    main()
