"""Rows of draws -> size, power, coverage with their Monte-Carlo errors, as the rows of tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.simulation_study.grid import EFFECTS, KINDS, ROBUST, SIZES
from benchmarks.simulation_study.placebo import LAYOUTS
from benchmarks.simulation_study.selection import WARNINGS

LEVEL = 0.05
# line of inference, heading
LABELS = {
    "default": "default",
    "conventional": "conventional",
    "dyadic": "dyadic",
    "city": "city",
    "provinces": "jackknife, t(R - 1)",
    "permutation": "permutation",
}
# line, what it should hold, heading
COVERAGES = (
    ("default", "expected", "coverage of the expected effect"),
    ("default", "overall", "of the mean effect"),
    ("default", "truth", "of the sample's own effect"),
)
# columns of a design's draws, heading
SELECTION_COLUMNS = {
    ("cm default", "cm permutation"): "`cm`: default, permutation",
    ("comove default", "comove permutation"): "`comove`: default, permutation",
    ("dispersion default", "dispersion permutation"): "`dispersion`: default, permutation",
}
ESTIMATORS = ("twfe", *ROBUST)
# the others are given in at most 4 % of draws of any design, or say how many provinces there are
SHOWN_WARNINGS = ("pilot_level", "shared")


def read_draws(path: Path) -> pd.DataFrame:
    """Rows of a cell; an empty frame where it was not run."""
    return pd.read_csv(path) if path.exists() and path.stat().st_size > 1 else pd.DataFrame()


def line_rows(
    draws: pd.DataFrame, line: str, term: tuple[str, ...] = ("treated", "att")
) -> pd.DataFrame:
    """Rows of one line of inference for the overall effect.

    `default` is whichever line each fit calls so, `provinces` the jackknife's error with provinces
    less one as degrees of freedom.
    """
    if draws.empty:
        return draws
    overall = draws[draws["term"].isin(term)]
    if line == "provinces":
        return _with_all_degrees(overall[overall["vcov"] == "province_jackknife"])
    return (
        overall[overall["is_default"].astype(bool)]
        if line == "default"
        else overall[overall["vcov"] == line]
    )


def _with_all_degrees(rows: pd.DataFrame) -> pd.DataFrame:
    df, error = rows["n_provinces"] - 1, rows["std_error"]
    half = stats.t.ppf(0.975, df) * error
    p_value = 2 * stats.t.sf(rows["estimate"].abs() / error, df)
    return rows.assign(
        p_value=p_value, ci_low=rows["estimate"] - half, ci_high=rows["estimate"] + half
    )


def rejection(rows: pd.DataFrame) -> tuple[float, int]:
    """Share of draws that reject zero at 5 %, and the number of draws that had a p-value."""
    p = rows["p_value"].dropna() if len(rows) else pd.Series(dtype=float)
    return (float((p < LEVEL).mean()) if len(p) else np.nan, len(p))


def coverage(rows: pd.DataFrame, truth: str = "expected") -> tuple[float, int]:
    """Share of intervals that hold the truth in this column, and the number of intervals."""
    rows = rows.dropna(subset=["ci_low"]) if len(rows) else rows
    if not len(rows):
        return np.nan, 0
    return float(((rows["ci_low"] <= rows[truth]) & (rows[truth] <= rows["ci_high"])).mean()), len(
        rows
    )


def power(rows: pd.DataFrame, effect: float) -> float:
    """Share that rejects zero when `effect` is added to every treated pair-year: the interval moves
    by as much and keeps its width.
    """
    rows = rows.dropna(subset=["ci_low"]) if len(rows) else rows
    if not len(rows):
        return np.nan
    return float(((rows["ci_low"] + effect > 0) | (rows["ci_high"] + effect < 0)).mean())


def selection_table(folder: Path) -> list[list[str]]:
    """Rejections of a true null where admissions are selected, and how often each warning is
    given, by design; the header first.
    """
    warnings = [f"warning: {WARNINGS[name]}" for name in SHOWN_WARNINGS]
    rows = [["design", *SELECTION_COLUMNS.values(), *warnings]]
    for draws in _selection_draws(folder):
        cells = [
            ", ".join(percent(float((draws[name].dropna() < LEVEL).mean())) for name in group)
            for group in SELECTION_COLUMNS
        ]
        given = [percent(float(draws[f"warns {name}"].mean())) for name in SHOWN_WARNINGS]
        rows.append([draws["design"].iloc[0], *cells, *given])
    return rows


def _selection_draws(folder: Path) -> list[pd.DataFrame]:
    found = [read_draws(path) for path in sorted(folder.glob("selection_*.csv"))]
    return sorted(
        (draws for draws in found if len(draws)), key=lambda draws: draws["position"].iloc[0]
    )


def percent(share: float) -> str:
    """A share in per cent."""
    return f"{100 * share:.1f}" if np.isfinite(share) else "-"


def by_size(figures: list[str]) -> str:
    """Figures of 60, 120 and 254 cities in one cell."""
    return "-" if set(figures) == {"-"} else ", ".join(figures)


def two_way_table(folder: Path) -> list[list[str]]:
    """Size of each line and power of the default, by setting; the header first."""
    rows = [["economies", *LABELS.values(), *(f"power at {effect}" for effect in EFFECTS)]]
    for kind in KINDS:
        if kind.convergence:
            continue
        drawn = [read_draws(folder / f"{kind.name}_{n}_twfe.csv") for n in SIZES]
        defaults = [line_rows(draws, "default") for draws in drawn]
        powers = [
            by_size([percent(power(rows_of, effect)) for rows_of in defaults]) for effect in EFFECTS
        ]
        sizes = zip(*(_line_shares(draws) for draws in drawn), strict=True)
        rows.append([kind.label, *(by_size(list(line)) for line in sizes), *powers])
    return rows


def placebo_table(folder: Path) -> list[list[str]]:
    """Rejections with pseudo-pilots on the real panel; the header first."""
    rows = [["pseudo-pilots", *LABELS.values()]]
    for layout, label in LAYOUTS.items():
        rows.append([label, *_line_shares(read_draws(folder / f"placebo_{layout}.csv"))])
    return rows


def _line_shares(draws: pd.DataFrame) -> list[str]:
    return [percent(rejection(line_rows(draws, line))[0]) for line in LABELS]


def estimator_table(folder: Path) -> list[list[str]]:
    """By estimator: size of the default under shocks shared in provinces, of the joint test of all
    leads, and bias and coverage where admission has an effect; the header first.
    """
    heads = ["estimator", "size", "joint F of all leads", "bias"]
    rows = [[*heads, *(heading for *_, heading in COVERAGES)]]
    for estimator in ESTIMATORS:
        null = [read_draws(folder / f"province_{n}_{estimator}.csv") for n in SIZES]
        effect = [read_draws(folder / f"convergence_{n}_{estimator}.csv") for n in SIZES]
        sizes = [percent(rejection(line_rows(_overall(draws), "default"))[0]) for draws in null]
        leads = [
            percent(rejection(draws[draws["term"] == "leads"] if len(draws) else draws)[0])
            for draws in null
        ]
        held = [_coverages(draws) for draws in effect]
        columns = [sizes, leads, *(list(column) for column in zip(*held, strict=True))]
        rows.append([estimator, *map(by_size, columns)])
    return rows


def _overall(draws: pd.DataFrame) -> pd.DataFrame:
    """Draws of the overall effect; of an event study event time 0 stands in."""
    if draws.empty or "att" in set(draws["term"]) or "treated" in set(draws["term"]):
        return draws
    return draws[draws["event_time"] == 0].assign(term="att")


def _coverages(draws: pd.DataFrame) -> list[str]:
    """Bias of the estimate, and shares of the default's intervals that hold each truth."""
    default = line_rows(draws, "default")
    if default.empty:
        return ["-"] * (1 + len(COVERAGES))
    default = default.assign(overall=default["expected"].mean())
    bias = (default["estimate"] - default["expected"]).mean()
    return [f"{bias:+.4f}", *(percent(coverage(default, truth)[0]) for _, truth, _ in COVERAGES)]
