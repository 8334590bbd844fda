"""Figures of the study that stand alone: event study, forest, tie threshold, permutation density,
specification curve.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .analyses_names import DYNAMICS, HEADLINE
from .exhibit_data import ExhibitData
from .figures import (
    BLUE,
    EVENT_WORDS,
    GREY,
    INK,
    ORANGE,
    SIMULATED,
    SKY,
    STYLE,
    VERMILION,
    event_rows,
    stamp,
)
from .figures import event_study as draw_event_study

OVERALL = ("treated", "att")
OFFICIAL = "cm_growth_official"
DOTS_PER_INCH = 200
CHOICES = (
    "measure",
    "series",
    "window",
    "treatment_rule",
    "tie_rule",
    "control_group",
    "estimator",
    "effects",
)
QUANTILE = "permutation_quantile_"
# another shuffle of the headline, and estimators equal to imputation: the same points again
SAME_NUMBERS = (".gdp_tercile", ".gardner", ".etwfe")


def save_figure(figure: Figure, folder: Path, name: str, *, is_simulated: bool) -> list[Path]:
    """Save a figure as SVG and PNG and close it; the same figure gives the same bytes (fixed salt,
    no date, no program name).
    """
    metadata = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}
    paths = [folder / f"{name}.{kind}" for kind in metadata]
    with plt.rc_context(STYLE):
        stamp(figure, SIMULATED if is_simulated else "")
        for path, kind in zip(paths, metadata, strict=True):
            figure.savefig(
                path, format=kind, dpi=DOTS_PER_INCH, metadata=metadata[kind], facecolor="white"
            )
        plt.close(figure)
    return paths


def _real(column: pd.Series) -> np.ndarray:
    return column.to_numpy(dtype=float, na_value=np.nan)


def _default(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["is_default"].fillna(False).astype(bool)]


def _overall(data: ExhibitData) -> pd.DataFrame:
    """Overall coefficients under their default line, indexed by spec."""
    estimate = data["estimate"]
    return (
        _default(estimate[estimate["term"].isin(OVERALL)])
        .drop_duplicates("spec_id")
        .set_index("spec_id")
    )


def _new(width: float, height: float) -> tuple[Figure, Axes]:
    with plt.rc_context(STYLE):
        return plt.subplots(figsize=(width, height), layout="constrained")


def event_study(data: ExhibitData) -> Figure | None:
    """Leads and lags of the headline: the picture of the report's first page and of the README."""
    rows = event_rows(data["estimate"], DYNAMICS, data["truth"] if data.is_simulated else None)
    if rows.empty:
        return None
    leads = data["leads"]
    leads_p = (
        float(leads["value"].iloc[0]) if len(leads) and pd.notna(leads["value"].iloc[0]) else None
    )
    figure, axes = _new(6.4, 3.9)
    with plt.rc_context(STYLE):
        draw_event_study(axes, rows, EVENT_WORDS, leads_p)
    return figure


def forest(data: ExhibitData) -> Figure | None:
    """The effect on synchronization of official growth under every rule and estimator, default
    intervals, permutation p beside.
    """
    rows = _overall(data)
    rows = rows[
        rows["analysis"].isin(["baseline", "matching", "robustness"])
        & (rows["outcome"] == OFFICIAL)
    ]
    rows = rows[rows["ci_low"].notna() & ~rows.index.str.endswith(SAME_NUMBERS)]
    if rows.empty:
        return None
    estimate = data["estimate"]
    drawn = estimate[
        (estimate["vcov"] == "permutation") & estimate["term"].isin(OVERALL)
    ].drop_duplicates("spec_id")
    p_value = drawn.set_index("spec_id")["p_value"].reindex(rows.index)
    with plt.rc_context(STYLE):
        figure, axes = _new(7.2, 1.0 + 0.26 * len(rows))
        place = np.arange(len(rows))[::-1]
        axes.axvline(0, color=INK, linewidth=0.8)
        colour = [VERMILION if spec_id == HEADLINE else BLUE for spec_id in rows.index]
        axes.hlines(place, _real(rows["ci_low"]), _real(rows["ci_high"]), color=colour, linewidth=2)
        axes.scatter(_real(rows["estimate"]), place, color=colour, s=22, zorder=3)
        axes.set_yticks(
            place,
            [f"{spec_id.split('.')[0]}: {spec_id.rsplit('.', 1)[1]}" for spec_id in rows.index],
            fontsize=8.5,
        )
        for height, p in zip(place, p_value, strict=True):
            text = "" if pd.isna(p) else f"{float(p):.3f}"
            axes.text(
                1.01, height, text, transform=axes.get_yaxis_transform(), fontsize=8, va="center"
            )
        axes.set_xlabel(
            (
                "effect on synchronization (correlation units), 95 % default interval; right: "
                "permutation p"
            ),
            gid="axis-x",
        )
    return figure


def threshold(data: ExhibitData) -> Figure | None:
    """The effect over the quantile of the tie above which pairs are kept, with its split; the
    placebo on weak ties apart.
    """
    rows = _overall(data)
    points = {0: "baseline.{}.all_pairs", 50: "baseline.{}.headline"}
    quantiles = {
        spec_id.rsplit(".q", 1)[1]
        for spec_id in rows.index
        if spec_id.startswith(f"matching.{OFFICIAL}.q")
    }
    points |= {int(q): f"matching.{{}}.q{q}" for q in quantiles if q.isdecimal()}
    parts = (
        ("cm", BLUE, "synchronization"),
        ("comove", ORANGE, "co-movement"),
        ("dispersion", SKY, "dispersion"),
    )
    if f"matching.{OFFICIAL}.weak" not in rows.index and len(points) < 3:
        return None
    with plt.rc_context(STYLE):
        figure, axes = _new(6.4, 3.8)
        axes.axhline(0, color=INK, linewidth=0.8)
        for part, colour, label in parts:
            ids = {
                q: text.format(OFFICIAL.replace("cm_", f"{part}_", 1)) for q, text in points.items()
            }
            own = rows.reindex([ids[q] for q in sorted(ids) if ids[q] in rows.index])
            place = [q for q in sorted(ids) if ids[q] in rows.index]
            axes.plot(
                place, _real(own["estimate"]), color=colour, marker="o", markersize=4, label=label
            )
            if part == "cm":
                axes.fill_between(
                    place,
                    _real(own["ci_low"]),
                    _real(own["ci_high"]),
                    color=colour,
                    alpha=0.15,
                    linewidth=0,
                )
        if f"matching.{OFFICIAL}.weak" in rows.index:
            weak = rows.loc[f"matching.{OFFICIAL}.weak"]
            axes.errorbar(
                [-12],
                [weak["estimate"]],
                yerr=[[weak["estimate"] - weak["ci_low"]], [weak["ci_high"] - weak["estimate"]]]
                if pd.notna(weak["ci_low"])
                else None,
                color=VERMILION,
                marker="s",
                markersize=5,
            )
        axes.set_xticks(
            [-12, 0, 25, 50, 75, 90], ["weak\nties", "all", "25", "50\nheadline", "75", "90"]
        )
        axes.set_xlabel(
            "pairs above this percentile of the tie (band: 95 % of synchronization)", gid="axis-x"
        )
        axes.set_ylabel("effect (correlation units)", gid="axis-y")
        axes.legend(fontsize=8.5)
    return figure


def permutation_density(data: ExhibitData) -> Figure | None:
    """Density of the placebo estimates of the headline from their quantiles: each bar holds the
    same share of the draws.
    """
    diagnostic = data["diagnostic"]
    own = diagnostic[
        (diagnostic["spec_id"] == HEADLINE) & diagnostic["diagnostic"].str.startswith(QUANTILE)
    ]
    real = data["estimate"][data["estimate"]["spec_id"] == HEADLINE]
    if own.empty or real.empty:
        return None
    level = own["diagnostic"].str.removeprefix(QUANTILE).astype(float).to_numpy()
    order = np.argsort(level)
    level, edge = level[order], _real(own["value"])[order]
    width, share = np.diff(edge), np.diff(level)
    seen = width > 0
    with plt.rc_context(STYLE):
        figure, axes = _new(5.6, 3.4)
        axes.bar(
            edge[:-1][seen],
            share[seen] / width[seen],
            width=width[seen],
            align="edge",
            color=SKY,
            edgecolor="white",
            linewidth=0.4,
        )
        axes.axvline(
            float(real["estimate"].iloc[0]),
            color=VERMILION,
            linewidth=1.8,
            label="admissions as they were" if not data.is_simulated else "admissions as simulated",
        )
        axes.axvline(0, color=INK, linewidth=0.8)
        p_value = real.loc[real["vcov"] == "permutation", "p_value"]
        text = (
            f" (studentised p {float(p_value.iloc[0]):.3f})"
            if len(p_value) and pd.notna(p_value.iloc[0])
            else ""
        )
        axes.set_xlabel(
            "estimate under permuted admissions (correlation units)" + text, gid="axis-x"
        )
        axes.set_ylabel("density", gid="axis-y")
        axes.set_yticks([])
        axes.legend(fontsize=8.5)
    return figure


def specification_curve(data: ExhibitData) -> Figure | None:
    """All specifications by size of the effect in standard deviations of its outcome, their choices
    below.
    """
    choices = data["specification"]
    rows = _overall(data)
    rows = choices.merge(
        rows[["estimate", "ci_low", "ci_high"]], left_on="spec_id", right_index=True
    )
    if rows.empty:
        return None
    for name in ("estimate", "ci_low", "ci_high"):
        rows[name] = _real(rows[name]) / _real(rows["outcome_sd"])
    rows = rows.sort_values(["estimate", "spec_id"], kind="stable").reset_index(drop=True)
    levels = [(name, level) for name in CHOICES for level in sorted(rows[name].dropna().unique())]
    with plt.rc_context(STYLE):
        figure, (top, bottom) = plt.subplots(
            2,
            1,
            figsize=(8, 3.2 + 0.19 * len(levels)),
            layout="constrained",
            sharex=True,
            height_ratios=(3.0, 0.19 * len(levels)),
        )
        _draw_curve(top, rows)
        _draw_choices(bottom, rows, levels)
    return figure


def _draw_curve(axes: Axes, rows: pd.DataFrame) -> None:
    place = np.arange(len(rows))
    rejects = (rows["ci_low"] > 0) | (rows["ci_high"] < 0)
    has_interval = rows["ci_low"].notna()
    for chosen, colour, label in (
        (~rejects, GREY, "95 % covers 0"),
        (rejects, VERMILION, "95 % excludes 0"),
    ):
        mask = (chosen & has_interval).to_numpy()
        axes.vlines(
            place[mask],
            rows["ci_low"][mask],
            rows["ci_high"][mask],
            color=colour,
            alpha=0.35,
            linewidth=0.5,
            rasterized=True,
        )
        axes.plot([], [], color=colour, label=f"{label}: {int(mask.sum()):,}")
    axes.plot(place, rows["estimate"], color=BLUE, linewidth=1.6)
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set_ylabel("effect in sd of the outcome")
    axes.set_title(
        f"{len(rows):,} specifications, median {rows['estimate'].median():.3f}, default intervals"
    )
    axes.legend(fontsize=8)


def _draw_choices(axes: Axes, rows: pd.DataFrame, levels: list[tuple[str, str]]) -> None:
    for height, (name, level) in enumerate(reversed(levels)):
        place = np.flatnonzero((rows[name] == level).to_numpy())
        axes.scatter(
            place,
            np.full(len(place), height),
            marker="|",
            s=14,
            linewidths=0.25,
            color=INK,
            rasterized=True,
        )
    axes.set_yticks(
        range(len(levels)), [f"{name}: {level}" for name, level in reversed(levels)], fontsize=7
    )
    axes.set_xlabel("specification, by size of the effect")


FIGURES: dict[str, Callable[[ExhibitData], Figure | None]] = {
    "event_study": event_study,
    "forest": forest,
    "threshold": threshold,
    "permutation_density": permutation_density,
    "specification_curve": specification_curve,
}
