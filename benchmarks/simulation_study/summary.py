"""Rows of draws -> size, power, coverage with their Monte-Carlo errors, as the rows of tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
# columns of a design's draws, heading
SELECTION_COLUMNS = {
    "cm": "`cm`",
    "permutation": "the same, permutation",
    "comove": "`comove`",
    "dispersion": "`dispersion`",
}
ESTIMATORS = ("twfe", *ROBUST)
COLUMNS = (
    *("term", "event_time", "vcov", "is_default", "estimate", "std_error"),
    *("ci_low", "ci_high", "p_value", "n_provinces", "truth"),
)


def tables(folder: Path, designs: dict[str, tuple[str, Any]]) -> dict[str, list[list[str]]]:
    """Rows of each table by its mark on the page, the header first."""
    return {
        "two-way": two_way_table(folder),
        "placebos": placebo_table(folder),
        "estimators": estimator_table(folder),
        "selection": selection_table(folder, designs),
    }


def read_draws(path: Path) -> pd.DataFrame:
    """Rows of a cell; none where it was not run."""
    return pd.read_csv(path) if path.exists() else pd.DataFrame(columns=COLUMNS, dtype=float)


def line_rows(
    draws: pd.DataFrame, line: str, term: tuple[str, ...] = ("treated", "att")
) -> pd.DataFrame:
    """Rows of one line of inference for the overall effect.

    `default` is whichever line each fit calls so, `provinces` the jackknife's error with provinces
    less one as degrees of freedom.
    """
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


def rejection(rows: pd.DataFrame) -> float:
    """Share of draws that reject zero at 5 %, of those that had a p-value."""
    return float((rows["p_value"].dropna() < LEVEL).mean())


def coverage(rows: pd.DataFrame) -> float:
    """Share of intervals that hold the effect of their own sample."""
    rows = rows.dropna(subset=["ci_low"])
    return float(((rows["ci_low"] <= rows["truth"]) & (rows["truth"] <= rows["ci_high"])).mean())


def power(rows: pd.DataFrame, effect: float) -> float:
    """Share that rejects zero when `effect` is added to every treated pair-year: the interval moves
    by as much and keeps its width.
    """
    rows = rows.dropna(subset=["ci_low"])
    return float(((rows["ci_low"] + effect > 0) | (rows["ci_high"] + effect < 0)).mean())


def selection_table(folder: Path, designs: dict[str, tuple[str, Any]]) -> list[list[str]]:
    """Rejections of a true null where admissions are selected, and how often each warning is
    given, by design; the header first.
    """
    warnings = [f"warning: {words}" for words in WARNINGS.values()]
    rows = [["design", *SELECTION_COLUMNS.values(), *warnings]]
    for name, (label, _) in designs.items():
        draws = read_draws(folder / f"selection_{name}.csv")
        if len(draws):
            shares = [
                percent(float((draws[column].dropna() < LEVEL).mean()))
                for column in SELECTION_COLUMNS
            ]
            given = [percent(float(draws[f"warns {name}"].mean())) for name in WARNINGS]
            rows.append([label, *shares, *given])
    return rows


def percent(share: float) -> str:
    """A share in per cent."""
    return f"{100 * share:.1f}" if np.isfinite(share) else "-"


def by_size(figures: list[str]) -> str:
    """Figures of 60 and 254 cities in one cell."""
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
    for layout, (label, _) in LAYOUTS.items():
        rows.append([label, *_line_shares(read_draws(folder / f"placebo_{layout}.csv"))])
    return rows


def _line_shares(draws: pd.DataFrame) -> list[str]:
    return [percent(rejection(line_rows(draws, line))) for line in LABELS]


def estimator_table(folder: Path) -> list[list[str]]:
    """By estimator: size of the default under shocks shared in provinces, of the joint test of all
    leads, and coverage where admission has an effect; the header first.
    """
    rows = [["estimator", "size", "joint F of all leads", "coverage of the sample's own effect"]]
    for estimator in ESTIMATORS:
        sizes, leads, held = [], [], []
        for n in SIZES:
            null = read_draws(folder / f"province_{n}_{estimator}.csv")
            effect = read_draws(folder / f"convergence_{n}_{estimator}.csv")
            sizes.append(percent(rejection(line_rows(_overall(null), "default"))))
            leads.append(percent(rejection(line_rows(null, "province_jackknife", ("leads",)))))
            held.append(percent(coverage(line_rows(effect, "default"))))
        rows.append([estimator, *map(by_size, (sizes, leads, held))])
    return rows


def _overall(draws: pd.DataFrame) -> pd.DataFrame:
    """Draws of the overall effect; of an event study event time 0 stands in."""
    if "att" in set(draws["term"]) or "treated" in set(draws["term"]):
        return draws
    return draws[draws["event_time"] == 0].assign(term="att")
