"""Pictures as SVG text: the same input gives the same bytes (fixed salt, no dates), colours that colour-blind readers can tell apart.

Every picture is about a phone's width, so that its letters stay readable there; the page sets several side by side on a wide screen.
"""

from __future__ import annotations

import io
import re

import matplotlib
import numpy as np
import pandas as pd

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's palette
BLUE, VERMILION, GREEN, ORANGE, SKY, GREY, INK = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#8a8f98", "#1d2530"
# colour and shape both tell estimators apart
ESTIMATOR_MARKS = ((BLUE, "o"), (VERMILION, "s"), (GREEN, "^"), (ORANGE, "D"), ("#CC79A7", "v"), (INK, "P"), (SKY, "X"))
STYLE = {
    "svg.hashsalt": "citysync",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#9aa1ab",
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "legend.frameon": False,
}
SIMULATED = "SIMULATED"
LINE_LABELS = {
    "province_jackknife": "province jackknife",
    "city": "city",
    "dyadic": "dyadic",
    "permutation": "permutation",
    "conventional": "conventional (contrast only)",
}


def _svg(figure: Figure, is_simulated: bool) -> str:
    if is_simulated:
        figure.suptitle(SIMULATED, x=0.99, ha="right", color=VERMILION, fontsize=8, fontweight="bold")
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, facecolor="white")
    plt.close(figure)
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def inline(svg: str, prefix: str) -> str:
    """An SVG to stand inside a page: ids made unique by a prefix, size left to the page."""
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r"url\(#", f"url(#{prefix}-", svg)
    svg = re.sub(r'href="#', f'href="#{prefix}-', svg)
    # stated namespaces look like addresses and are not needed inside HTML
    svg = re.sub(r'\s(?:xmlns(?::xlink)?)="[^"]*"', "", svg).replace("xlink:href", "href")
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    return re.sub(r'(<svg[^>]*?)\swidth="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?)\sheight="[^"]*"', r"\1", svg, count=1), count=1)


def _new(width: float, height: float) -> tuple[Figure, Axes]:
    figure, axes = plt.subplots(figsize=(width, height), layout="constrained")
    return figure, axes


def paths_svg(paths: pd.DataFrame, outcome: str, title: str, approvals: pd.DataFrame, is_simulated: bool) -> str | None:
    """Mean of an outcome by year for pairs with one pilot and pairs with none (without `is_one` for all pairs), and the approval dates."""
    if paths.empty or paths[outcome].isna().all():
        return None
    with plt.rc_context(STYLE):
        figure, axes = _new(4.4, 3.1)
        lines = (
            ((True, VERMILION, "-", "one pilot"), (False, BLUE, "--", "no pilot"))
            if "is_one" in paths
            else ((None, BLUE, "-", "all pairs"),)
        )
        for is_one, colour, style, label in lines:
            part = paths if is_one is None else paths[paths["is_one"] == is_one]
            if len(part):
                n_pairs = int(part["n_pairs"].max())
                axes.plot(
                    part["year"], part[outcome], style, color=colour, marker="o", markersize=3.5, label=f"{label} ({n_pairs:,} pairs)"
                )
        first, last = paths["year"].min(), paths["year"].max()
        for when in pd.to_datetime(approvals["approval_date"]):
            position = when.year + (when.day_of_year - 1) / 365.25
            if first <= position <= last + 1:
                axes.axvline(position, color=GREY, linewidth=0.7, linestyle=":")
        _year_ticks(axes, int(first), int(last))
        axes.set_title(title)
        figure.legend(fontsize=8.5, loc="outside lower center", ncols=2)
        return _svg(figure, is_simulated)


def _year_ticks(axes: Axes, first: int, last: int) -> None:
    step = max(1, -(-(last - first) // 5))
    axes.set_xticks(list(range(first, last + 1, step)))


def event_study_svg(
    estimates: pd.DataFrame, spec_id: str, *, truth: pd.DataFrame | None = None, title: str | None = None, is_simulated: bool = False
) -> str | None:
    """Event study: estimates with the default line's interval and, thin, the permutation's; hollow where fewer than 4 pilots stand behind.

    Parameters
    ----------
    estimates : DataFrame
        ``estimates.estimate``.
    spec_id : str
    truth : DataFrame, optional
        ``estimates.truth``, drawn as crosses.
    title : str, optional
    is_simulated : bool

    Returns
    -------
    str or None
        A standing SVG; None without estimates.
    """
    own = estimates[(estimates["spec_id"] == spec_id) & estimates["event_time"].notna() & estimates["cohort_year"].isna()]
    if own.empty:
        return None
    with plt.rc_context(STYLE):
        figure, axes = _new(4.4, 3.3)
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.axvline(-0.5, color=GREY, linewidth=0.8, linestyle=":")
        _bars(axes, own[own["is_default"].fillna(False).astype(bool)], BLUE, 2.4, 0.0, "95 %, default line")
        _bars(axes, own[own["vcov"] == "permutation"], SKY, 1.2, 0.16, "95 %, permutation")
        points = own.drop_duplicates("event_time").sort_values("event_time")
        few = (points["n_pilots"].fillna(0) < 4).to_numpy(dtype=bool)
        for mask, face in ((~few, BLUE), (few, "white")):
            axes.scatter(_real(points["event_time"])[mask], _real(points["estimate"])[mask], s=26, color=BLUE, facecolors=face, zorder=3)
        axes.scatter([-1], [0], s=22, marker="s", color=INK, zorder=3)
        _truth_marks(axes, truth, spec_id)
        _pilot_ticks(axes, points)
        axes.set_title(title or spec_id)
        axes.set_xlabel("years since admission (pilots behind the point)")
        if axes.get_legend_handles_labels()[1]:
            figure.legend(fontsize=8, loc="outside lower center", ncols=3, handlelength=1.2, columnspacing=1.2)
        return _svg(figure, is_simulated)


def _bars(axes: Axes, rows: pd.DataFrame, colour: str, width: float, shift: float, label: str) -> None:
    rows = rows[rows["ci_low"].notna() & rows["ci_high"].notna()]
    if len(rows):
        axes.vlines(
            _real(rows["event_time"]) + shift, _real(rows["ci_low"]), _real(rows["ci_high"]), color=colour, linewidth=width, label=label
        )


def _truth_marks(axes: Axes, truth: pd.DataFrame | None, spec_id: str) -> None:
    if truth is None:
        return
    own = truth[(truth["spec_id"] == spec_id) & truth["event_time"].notna() & truth["cohort_year"].isna()]
    if len(own):
        axes.scatter(_real(own["event_time"]) - 0.16, _real(own["truth"]), marker="x", s=30, color=VERMILION, zorder=4, label="truth")


def _pilot_ticks(axes: Axes, points: pd.DataFrame) -> None:
    counts = dict(zip(points["event_time"].astype(int), points["n_pilots"].fillna(0).astype(int), strict=True))
    times = sorted({*counts, -1})
    shown = times if len(times) <= 11 else [t for t in times if t % 2 == 0]
    axes.set_xticks(shown, [f"{t}\n({counts[t]})" if t in counts else f"{t}\nbase" for t in shown], fontsize=8.5)


def _real(column: pd.Series) -> np.ndarray:
    return column.to_numpy(dtype=float, na_value=np.nan)


def lines_svg(rows: pd.DataFrame, title: str, truth: float | None, is_simulated: bool) -> str | None:
    """One coefficient under every line of inference: its interval, the default one bold, the contrast grey."""
    if rows.empty:
        return None
    with plt.rc_context(STYLE):
        figure, axes = _new(4.6, 2.5)
        axes.axvline(0, color=INK, linewidth=0.8)
        names = [name for name in LINE_LABELS if (rows["vcov"] == name).any()]
        for height, name in enumerate(reversed(names)):
            row = rows[rows["vcov"] == name].iloc[0]
            is_default = bool(row["is_default"]) if pd.notna(row["is_default"]) else False
            colour = GREY if name == "conventional" else (BLUE if is_default else SKY)
            if pd.notna(row["ci_low"]) and pd.notna(row["ci_high"]):
                axes.hlines(height, row["ci_low"], row["ci_high"], color=colour, linewidth=4 if is_default else 2.2)
            axes.scatter([row["estimate"]], [height], s=28, color=colour, zorder=3)
        if truth is not None:
            axes.axvline(truth, color=VERMILION, linewidth=1.2, linestyle="--")
            axes.text(truth, len(names) - 0.45, " truth", color=VERMILION, fontsize=8.5, va="center")
        axes.set_yticks(range(len(names)), [LINE_LABELS[name].replace(" (", "\n(") for name in reversed(names)])
        axes.set_ylim(-0.6, len(names) - 0.2)
        axes.set_title(title)
        return _svg(figure, is_simulated)


def spread_svg(quantiles: pd.DataFrame, title: str, is_simulated: bool) -> str | None:
    """Median of all pairs by year, inside the bands that hold half and four fifths of them."""
    if quantiles.empty or quantiles["p50"].isna().all():
        return None
    with plt.rc_context(STYLE):
        figure, axes = _new(5.2, 3.3)
        years = _real(quantiles["year"])
        for low, high, shade, label in (("p10", "p90", 0.18, "10 to 90 %"), ("p25", "p75", 0.4, "25 to 75 %")):
            band = (_real(quantiles[low]), _real(quantiles[high]))
            axes.fill_between(years, *band, color=BLUE, alpha=shade, linewidth=0, label=label)
        axes.plot(years, _real(quantiles["p50"]), color=INK, marker="o", markersize=3.5, label="median")
        _year_ticks(axes, int(years.min()), int(years.max()))
        axes.set_title(title)
        figure.legend(fontsize=8.5, loc="outside lower center", ncols=3)
        return _svg(figure, is_simulated)


def estimators_svg(
    estimates: pd.DataFrame, specs: dict[str, str], title: str, is_simulated: bool, truth: pd.DataFrame | None = None
) -> str | None:
    """Event studies of one outcome by several estimators side by side, each with its default interval.

    Parameters
    ----------
    estimates : ``estimates.estimate``
    specs : words by ``spec_id``, in the order of drawing
    title : str
    is_simulated : bool
    truth : ``estimates.truth``, drawn as crosses for the first spec
    """
    rows = estimates[estimates["event_time"].notna() & estimates["cohort_year"].isna()]
    rows = rows[rows["is_default"].fillna(False).astype(bool) | ~rows.duplicated(["spec_id", "event_time"])]
    with plt.rc_context(STYLE):
        figure, axes = _new(8.2, 4.0)
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.axvline(-0.5, color=GREY, linewidth=0.8, linestyle=":")
        shown = [name for name in specs if (rows["spec_id"] == name).any()]
        for k, name in enumerate(shown):
            own = rows[rows["spec_id"] == name].sort_values(["event_time", "is_default"]).drop_duplicates("event_time", keep="last")
            x = _real(own["event_time"]) + (k - (len(shown) - 1) / 2) * 0.13
            colour, marker = ESTIMATOR_MARKS[k % len(ESTIMATOR_MARKS)]
            axes.vlines(x, _real(own["ci_low"]), _real(own["ci_high"]), color=colour, linewidth=1.3)
            axes.scatter(x, _real(own["estimate"]), color=colour, marker=marker, s=22, zorder=3, label=specs[name])
        if truth is not None and shown:
            own = truth[(truth["spec_id"] == shown[0]) & truth["event_time"].notna() & truth["cohort_year"].isna()]
            axes.scatter(_real(own["event_time"]) - 0.45, _real(own["truth"]), marker="x", s=28, color=INK, zorder=4, label="truth")
        axes.set_title(title)
        axes.set_xlabel("years since admission")
        if shown:
            figure.legend(fontsize=8.5, loc="outside lower center", ncols=4)
        return _svg(figure, is_simulated) if shown else _closed(figure)


def _closed(figure: Figure) -> None:
    plt.close(figure)
