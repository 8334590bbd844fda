"""Rows of draws -> size, power, coverage with their Monte-Carlo errors, as the rows of tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.simulation_study.grid import EFFECTS, KINDS, LINES, ROBUST, SIZES
from benchmarks.simulation_study.placebo import LAYOUTS
from benchmarks.simulation_study.selection import WARNINGS

LEVEL = 0.05
LABELS = {
    "default": "default",
    "conventional": "conventional",
    "dyadic": "dyadic",
    "city": "city",
    "province_jackknife": "jackknife",
    "provinces": "jackknife, t(R - 1)",
    "permutation": "permutation",
    "both": "default and permutation",
}
# line, what it should hold, heading
COVERAGES = (
    ("default", "expected", "default, of the expected effect"),
    ("default", "overall", "of the mean effect"),
    ("default", "truth", "of the sample's own effect"),
    ("provinces", "expected", "t(R - 1), expected"),
    ("provinces", "truth", "t(R - 1), own"),
    ("conventional", "expected", "conventional, expected"),
)
# column of a design's draws, heading
SELECTION_COLUMNS = {
    "cm default": "`cm`, default",
    "cm permutation": "`cm`, permutation",
    "cm both": "`cm`, both",
    "comove default": "`comove`, default",
    "comove permutation": "`comove`, permutation",
    "dispersion default": "`dispersion`, default",
    "dispersion permutation": "`dispersion`, permutation",
    "primary": "primary test",
    "own_variance": "channel own variance",
    "loading": "channel loading",
}
SHOWN = ("default", *LINES, "provinces", "permutation")


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


def both_reject(draws: pd.DataFrame) -> tuple[float, int]:
    """Share in which default and permutation both reject: the rule for calling an effect
    significant.
    """
    default, permuted = line_rows(draws, "default"), line_rows(draws, "permutation")
    # where the default is the permutation itself there is one line, not two
    default = default[default["vcov"] != "permutation"] if len(default) else default
    if default.empty or permuted.empty:
        return np.nan, 0
    p = pd.concat(
        [default.set_index("seed")["p_value"], permuted.set_index("seed")["p_value"]], axis=1
    ).dropna()
    return float((p < LEVEL).all(axis=1).mean()), len(p)


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
    """Rejections of a true null where admissions are selected, by design and quantity."""
    rows = [["design", "draws", *SELECTION_COLUMNS.values()]]
    for draws in _selection_draws(folder):
        rejected = draws[[name for name in SELECTION_COLUMNS if name in draws]] < LEVEL
        rejected["cm both"] = rejected["cm default"] & rejected["cm permutation"]
        known = {name: draws[name].notna() for name in rejected if name in draws}
        known["cm both"] = known["cm default"] & known["cm permutation"]
        shares = [
            (float(rejected.loc[known[name], name].mean()), int(known[name].sum()))
            for name in SELECTION_COLUMNS
        ]
        rows.append(
            [draws["design"].iloc[0], str(len(draws)), *(percent(*share) for share in shares)]
        )
    return rows


def warning_table(folder: Path) -> list[list[str]]:
    """Draws without effect in which each warning is given, by design."""
    rows = [["design", "draws", *WARNINGS.values()]]
    for draws in _selection_draws(folder):
        shares = [float(draws[f"warns {name}"].mean()) for name in WARNINGS]
        rows.append(
            [draws["design"].iloc[0], str(len(draws)), *(percent(share) for share in shares)]
        )
    return rows


def _selection_draws(folder: Path) -> list[pd.DataFrame]:
    found = [read_draws(path) for path in sorted(folder.glob("selection_*.csv"))]
    return sorted(
        (draws for draws in found if len(draws)), key=lambda draws: draws["position"].iloc[0]
    )


def monte_carlo_error(share: float, count: int) -> float:
    """Standard error of a share over `count` draws."""
    return float(np.sqrt(share * (1 - share) / count)) if count else np.nan


def percent(share: float, count: int = 0) -> str:
    """A share in per cent, with its Monte-Carlo error where a count is given."""
    if not np.isfinite(share):
        return "-"
    return f"{100 * share:.1f}" + (
        f" ({100 * monte_carlo_error(share, count):.1f})" if count else ""
    )


def _line_shares(draws: pd.DataFrame) -> list[tuple[float, int]]:
    return [*(rejection(line_rows(draws, line)) for line in SHOWN), both_reject(draws)]


def size_table(folder: Path) -> list[list[str]]:
    """Rejections of a true null, by setting and size; rows of text, the header first."""
    rows = [["economies", "cities", "draws", *(LABELS[line] for line in (*SHOWN, "both"))]]
    for kind in KINDS:
        if kind.convergence:
            continue
        for n_cities in SIZES:
            draws = read_draws(folder / f"{kind.name}_{n_cities}_twfe.csv")
            if draws.empty:
                continue
            shares = _line_shares(draws)
            rows.append(
                [
                    kind.label,
                    str(n_cities),
                    str(draws["seed"].nunique()),
                    *(percent(*share) for share in shares),
                ]
            )
    return rows


def coverage_table(folder: Path) -> list[list[str]]:
    """Bias and coverage where admission has an effect that differs between cities, by estimator and
    by what counts as the truth.
    """
    rows = [
        ["estimator", "cities", "draws", "mean effect", "bias", *(label for *_, label in COVERAGES)]
    ]
    for n_cities in SIZES:
        for estimator in ("twfe", *ROBUST):
            draws = read_draws(folder / f"convergence_{n_cities}_{estimator}.csv")
            default = line_rows(draws, "default")
            if default.empty:
                continue
            draws = draws.assign(overall=default["expected"].mean())
            error = (default["estimate"] - default["expected"]).std() / np.sqrt(len(default))
            bias = f"{(default['estimate'] - default['expected']).mean():+.4f} ({error:.4f})"
            shares = [
                percent(*coverage(line_rows(draws, line), truth)) for line, truth, _ in COVERAGES
            ]
            rows.append(
                [
                    estimator,
                    str(n_cities),
                    str(len(default)),
                    f"{default['expected'].mean():.4f}",
                    bias,
                    *shares,
                ]
            )
    return rows


def estimator_table(folder: Path) -> list[list[str]]:
    """Size of the other estimators' default line under province-correlated shocks."""
    rows = [["estimator", "coefficient", "cities", "draws", "default", "t(R - 1)", "conventional"]]
    for n_cities in SIZES:
        for estimator in ROBUST:
            draws = read_draws(folder / f"province_{n_cities}_{estimator}.csv")
            if draws.empty:
                continue
            overall = (
                draws
                if estimator != "event_study"
                else draws[draws["event_time"] == 0].assign(term="att")
            )
            shares = [
                percent(*rejection(line_rows(overall, line)))
                for line in ("default", "provinces", "conventional")
            ]
            name = "att" if estimator != "event_study" else "event time 0"
            rows.append([estimator, name, str(n_cities), str(draws["seed"].nunique()), *shares])
            leads = draws[draws["term"] == "leads"]
            if len(leads):
                rows.append(
                    [
                        estimator,
                        "all leads, joint F",
                        str(n_cities),
                        str(len(leads)),
                        percent(*rejection(leads)),
                        "-",
                        "-",
                    ]
                )
    return rows


def power_table(folder: Path) -> list[list[str]]:
    """Power of the default line against effects of a given size."""
    rows = [["economies", "cities", *(f"effect {effect}" for effect in EFFECTS)]]
    for kind in KINDS:
        if kind.convergence:
            continue
        for n_cities in SIZES:
            default = line_rows(read_draws(folder / f"{kind.name}_{n_cities}_twfe.csv"), "default")
            if len(default):
                rows.append(
                    [
                        kind.label,
                        str(n_cities),
                        *(percent(power(default, effect)) for effect in EFFECTS),
                    ]
                )
    return rows


def placebo_table(folder: Path) -> list[list[str]]:
    """Rejections with pseudo-pilots on the real panel."""
    rows = [["pseudo-pilots", "draws", *(LABELS[line] for line in (*SHOWN, "both"))]]
    for layout, label in LAYOUTS.items():
        draws = read_draws(folder / f"placebo_{layout}.csv")
        if draws.empty:
            continue
        shares = _line_shares(draws)
        rows.append([label, str(draws["seed"].nunique()), *(percent(*share) for share in shares)])
    return rows
