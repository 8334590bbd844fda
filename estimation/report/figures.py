"""Static pictures as SVG: the same input gives the same bytes (fixed salt, no dates), in colours
that colour-blind readers can tell apart.

One function draws a picture for the page, for the files to take away and for the README; in a page
its colours become those of the page.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's palette
BLUE, VERMILION, GREEN, ORANGE, SKY, GREY, INK = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#E69F00",
    "#56B4E9",
    "#8a8f98",
    "#1d2530",
)
SHADE, PURPLE = "#eef1f5", "#CC79A7"
# what a colour of a picture is called in templates/tokens.css
TOKENS = {
    BLUE: "--blue",
    VERMILION: "--vermilion",
    GREEN: "--green",
    ORANGE: "--orange",
    SKY: "--sky",
    GREY: "--grey",
    INK: "--ink",
    SHADE: "--shade",
    PURPLE: "--purple",
}
STYLE = {
    "svg.hashsalt": "citysync",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
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
FEW_PILOTS = 4
EVENT_WORDS = {
    "event_x": "years since admission (pilots behind the point)",
    "event_y": "change of synchronization (correlation units)",
    "event_before": "before admission",
    "event_leads": "joint test of the leads: permutation p {p}",
    "event_default": "95 % default",
    "event_permutation": "95 % permutation",
    "event_truth": "truth",
    "event_base": "base",
    "event_few": "hollow: fewer than 4 pilots",
}


def to_svg(figure: Figure, background: str = "none") -> str:
    """A standing SVG; the figure is closed."""
    buffer = io.StringIO()
    with warnings.catch_warnings():
        # letters stay text and are set by the reader's fonts; that ours lacks Chinese ones only
        # moves a label by a hair
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(
            buffer, format="svg", metadata={"Date": None, "Creator": None}, facecolor=background
        )
    plt.close(figure)
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def inline(svg: str, prefix: str) -> str:
    """An SVG to stand inside a page: ids made unique by a prefix, size, colours and fonts left to
    the page.
    """
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r"url\(#", f"url(#{prefix}-", svg)
    svg = re.sub(r'href="#', f'href="#{prefix}-', svg)
    # stated namespaces look like addresses and are not needed inside HTML
    svg = re.sub(r'\s(?:xmlns(?::xlink)?)="[^"]*"', "", svg).replace("xlink:href", "href")
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font: (?:[a-z]+ )?([0-9.]+px) [^;\"]*", r"font-size: \1", svg)
    for colour, token in TOKENS.items():
        svg = re.sub(re.escape(colour), f"var({token})", svg, flags=re.IGNORECASE)
    svg = re.sub(r"(#(?:ffffff|fff))\b", "var(--paper)", svg, flags=re.IGNORECASE)
    return re.sub(
        r'(<svg[^>]*?)\swidth="[^"]*"',
        r"\1",
        re.sub(r'(<svg[^>]*?)\sheight="[^"]*"', r"\1", svg, count=1),
        count=1,
    )


def drawn(
    width: float,
    height: float,
    draw: Callable[[Figure, Axes], None],
    stamped: str = "",
    background: str = "none",
) -> str:
    """Draw on one pair of axes and return the SVG; in a page the sheet is the page, alone it needs
    a colour.
    """
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(width, height), layout="constrained")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            draw(figure, axes)
            stamp(figure, stamped)
            return to_svg(figure, background)


def stamp(figure: Figure, text: str) -> None:
    """Say on the picture itself that its numbers are simulated; nothing where the text is empty."""
    if text:
        figure.suptitle(text, x=0.99, ha="right", color=VERMILION, fontsize=8, fontweight="bold")


def axis_titles(axes: Axes, x: str, y: str) -> None:
    """Axis titles with units, findable in the SVG by their ids."""
    axes.set_xlabel(x, gid="axis-x")
    axes.set_ylabel(y, gid="axis-y")


def real(column: pd.Series) -> np.ndarray:
    """A column as floats, missing as NaN."""
    return column.to_numpy(dtype=float, na_value=np.nan)


def event_study(
    axes: Axes, events: pd.DataFrame, words: dict[str, str], leads_p: float | None = None
) -> None:
    """Draw an event study: estimates with the default interval thick and the permutation's thin;
    hollow where fewer than 4 pilots.

    Parameters
    ----------
    axes : Axes
    events : one row a year: event_time, estimate, ci_low, ci_high, low_permutation,
    high_permutation, n_pilots, truth
    words : as EVENT_WORDS
    leads_p : permutation p of the joint test of the leads, set into the corner
    """
    times = real(events["event_time"])
    axes.axvspan(times.min() - 0.6, -0.5, color=SHADE, zorder=0, linewidth=0)
    axes.axhline(0, color=INK, linewidth=0.8)
    lines = (
        ("ci_low", "ci_high", BLUE, 2.6, -0.08),
        ("low_permutation", "high_permutation", SKY, 1.2, 0.12),
    )
    for low, high, colour, width, shift in lines:
        axes.vlines(
            times + shift, real(events[low]), real(events[high]), color=colour, linewidth=width
        )
    few = (events["n_pilots"].fillna(0) < FEW_PILOTS).to_numpy(dtype=bool)
    for mask, face in ((~few, BLUE), (few, "white")):
        axes.scatter(
            times[mask] - 0.08,
            real(events["estimate"])[mask],
            s=28,
            color=BLUE,
            facecolors=face,
            zorder=3,
        )
    axes.scatter([-1], [0], s=24, marker="s", color=INK, zorder=3)
    truth = real(events["truth"])
    if np.isfinite(truth).any():
        axes.scatter(times + 0.28, truth, marker="x", s=30, color=VERMILION, zorder=4)
    _event_ticks(axes, events, words)
    axis_titles(axes, words["event_x"], words["event_y"])
    _event_labels(axes, words, leads_p, np.isfinite(truth).any(), bool(few.any()))


def _event_ticks(axes: Axes, events: pd.DataFrame, words: dict[str, str]) -> None:
    counts = {
        int(t): int(n)
        for t, n in zip(events["event_time"], events["n_pilots"].fillna(0), strict=True)
    }
    times = sorted({*counts, -1})
    shown = times if len(times) <= 16 else [t for t in times if t % 2 == 0 or t == -1]
    axes.set_xticks(
        shown,
        [
            f"{t}\n({counts[t]})".replace("-", "−") if t in counts else f"−1\n{words['event_base']}"
            for t in shown
        ],
    )
    axes.tick_params(labelsize=8.5)
    axes.set_xlim(times[0] - 0.6, times[-1] + 0.6)


def _event_labels(
    axes: Axes, words: dict[str, str], leads_p: float | None, has_truth: bool, has_few: bool
) -> None:
    place = axes.get_xaxis_transform()
    low, high = axes.get_ylim()
    axes.set_ylim(
        low - 0.07 * (high - low), high + 0.05 * (high - low)
    )  # the words stand clear of the intervals
    axes.text(
        axes.get_xlim()[0] + 0.15,
        0.98,
        words["event_before"],
        transform=place,
        fontsize=8.5,
        color=INK,
        va="top",
    )
    if leads_p is not None:
        text = words["event_leads"].format(p="<0.001" if leads_p < 0.001 else f"{leads_p:.3f}")
        axes.text(
            axes.get_xlim()[0] + 0.15,
            0.02,
            text,
            transform=place,
            fontsize=8.5,
            color=INK,
            va="bottom",
            gid="leads-p",
        )
    key = [(BLUE, words["event_default"]), (SKY, words["event_permutation"])]
    key += [(VERMILION, f"× {words['event_truth']}")] if has_truth else []
    key += [(INK, f"○ {words['event_few']}")] if has_few else []
    for k, (colour, text) in enumerate(key):
        axes.text(
            (0.0, 0.2, 0.45, 0.58)[k],
            1.03,
            text,
            transform=axes.transAxes,
            fontsize=8.5,
            color=colour,
            va="bottom",
            weight="bold",
        )


def event_rows(
    estimates: pd.DataFrame, spec_id: str, truth: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The years of an event study from ``estimates.estimate``: the default line beside the
    permutation, the truth where it is known.
    """
    own = estimates[
        (estimates["spec_id"] == spec_id)
        & estimates["event_time"].notna()
        & estimates["cohort_year"].isna()
    ]
    default = own[own["is_default"].fillna(False).astype(bool)].set_index("event_time")
    rows = own.drop_duplicates("event_time").set_index("event_time")[["estimate", "n_pilots"]]
    rows = rows.join(default[["ci_low", "ci_high"]])
    permuted = own[own["vcov"] == "permutation"].set_index("event_time")[["ci_low", "ci_high"]]
    rows = rows.join(
        permuted.rename(columns={"ci_low": "low_permutation", "ci_high": "high_permutation"})
    )
    rows["truth"] = np.nan
    if truth is not None:
        known = truth[
            (truth["spec_id"] == spec_id)
            & truth["event_time"].notna()
            & truth["cohort_year"].isna()
        ]
        rows["truth"] = (
            known.drop_duplicates("event_time").set_index("event_time")["truth"].reindex(rows.index)
        )
    return rows.reset_index().sort_values("event_time")


def event_study_svg(
    estimates: pd.DataFrame,
    spec_id: str,
    *,
    truth: pd.DataFrame | None = None,
    is_simulated: bool = False,
) -> str | None:
    """The event study of a spec as a standing SVG; None without one.

    Parameters
    ----------
    estimates : DataFrame
        ``estimates.estimate``.
    spec_id : str
    truth : DataFrame, optional
        ``estimates.truth``, drawn as crosses.
    is_simulated : bool
    """
    rows = event_rows(estimates, spec_id, truth)
    if rows.empty:
        return None
    stamped = SIMULATED if is_simulated else ""
    return drawn(
        6.4, 3.9, lambda figure, axes: event_study(axes, rows, EVENT_WORDS), stamped, "white"
    )


def year_ticks(axes: Axes, first: int, last: int) -> None:
    """Whole years, at most six."""
    step = max(1, -(-(last - first) // 5))
    axes.set_xticks(list(range(first, last + 1, step)))


def means_svg(
    gap: pd.DataFrame,
    approvals: Sequence[Any],
    breaks: Sequence[int],
    words: dict[str, str],
    stamped: str = "",
) -> str:
    """Means of pairs with one pilot and with none, their gap underneath, breaks of the data
    hatched, approvals dotted.

    Parameters
    ----------
    gap : year, one_pilot, no_pilot, gap
    approvals : dates
    breaks : years in which the data break
    words : means_y, gap_y, year, one, none, approval
    """
    with plt.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure, (top, bottom) = plt.subplots(
            2, 1, figsize=(7.4, 4.2), layout="constrained", sharex=True, height_ratios=(2.2, 1)
        )
        years = real(gap["year"])
        for name, colour, marker, style in (
            ("one_pilot", VERMILION, "o", "-"),
            ("no_pilot", BLUE, "s", "--"),
        ):
            top.plot(years, real(gap[name]), style, color=colour, marker=marker, markersize=4)
        ends = sorted(
            (("one_pilot", words["one"], VERMILION), ("no_pilot", words["none"], BLUE)),
            key=lambda e: -float(gap[e[0]].iloc[-1]),
        )
        for (name, text, colour), shift in zip(ends, (7, -7), strict=True):
            place = (years[-1], float(gap[name].iloc[-1]))
            top.annotate(
                text,
                place,
                xytext=(6, shift),
                textcoords="offset points",
                color=colour,
                fontsize=9,
                va="center",
            )
        bottom.axhline(0, color=INK, linewidth=0.8)
        bottom.plot(years, real(gap["gap"]), color=INK, marker="D", markersize=3.5)
        for axes in (top, bottom):
            for when in breaks:
                axes.axvspan(
                    when - 0.5,
                    when + 0.5,
                    facecolor="none",
                    edgecolor=GREY,
                    hatch="///",
                    linewidth=0,
                    alpha=0.5,
                )
            for when in pd.to_datetime(pd.Series(list(approvals))):
                position = when.year + (when.day_of_year - 1) / 365.25
                if years[0] <= position <= years[-1] + 0.5:
                    axes.axvline(position, color=GREY, linewidth=0.8, linestyle=":")
        top.set_ylabel(words["means_y"], gid="axis-y")
        axis_titles(bottom, words["year"], words["gap_y"])
        bottom.set_xlim(years[0] - 0.5, years[-1] + 2.6)
        year_ticks(bottom, int(years[0]), int(years[-1]))
        stamp(figure, stamped)
        return to_svg(figure)


def provinces_svg(
    rows: pd.DataFrame, names: Sequence[str], words: dict[str, str], stamped: str = ""
) -> str:
    """Estimate without each province, the furthest first, against the estimate with all.

    Parameters
    ----------
    rows : estimate, whole
    names : of the provinces, in the order of rows
    words : carry_x, carry_y
    """

    def draw(figure: Figure, axes: Axes) -> None:
        place = np.arange(len(rows))[::-1]
        axes.axvline(float(rows["whole"].iloc[0]), color=BLUE, linewidth=1.4)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.hlines(place, real(rows["whole"]), real(rows["estimate"]), color=SKY, linewidth=1.6)
        axes.scatter(real(rows["estimate"]), place, color=BLUE, s=22, zorder=3)
        axes.set_yticks(place, list(names), fontsize=8.5)
        axis_titles(axes, words["carry_x"], words["carry_y"])

    return drawn(6.2, 0.9 + 0.2 * len(rows), draw, stamped)


def distance_svg(bins: pd.DataFrame, words: dict[str, str], stamped: str = "") -> str:
    """Mean synchronization of groups of pairs by their distance."""

    def draw(figure: Figure, axes: Axes) -> None:
        axes.scatter(real(bins["distance_km"]), real(bins["synchronization"]), color=BLUE, s=34)
        axes.set_xlim(left=0)
        axis_titles(axes, words["distance_x"], words["distance_y"])

    return drawn(6.4, 3.4, draw, stamped)


def estimators_svg(
    lines: Sequence[tuple[str, pd.DataFrame]], words: dict[str, str], stamped: str = ""
) -> str:
    """Event studies of several estimators side by side on one base, each with its default interval
    and a label at its last point.

    Parameters
    ----------
    lines : (name, rows of event_time, estimate, ci_low, ci_high)
    words : event_x, event_y
    """
    marks = ((BLUE, "o"), (VERMILION, "s"), (GREEN, "^"), (PURPLE, "D"))

    def draw(figure: Figure, axes: Axes) -> None:
        axes.axhline(0, color=INK, linewidth=0.8)
        for k, (name, rows) in enumerate(lines):
            colour, marker = marks[k % len(marks)]
            x = real(rows["event_time"]) + (k - (len(lines) - 1) / 2) * 0.16
            axes.vlines(x, real(rows["ci_low"]), real(rows["ci_high"]), color=colour, linewidth=1.4)
            few = (rows["n_pilots"].fillna(0) < FEW_PILOTS).to_numpy(dtype=bool)
            for mask, face in ((~few, colour), (few, "white")):
                axes.scatter(
                    x[mask],
                    real(rows["estimate"])[mask],
                    color=colour,
                    facecolors=face,
                    marker=marker,
                    s=24,
                    zorder=3,
                )
            axes.text(
                0.01,
                0.98 - 0.075 * k,
                name,
                transform=axes.transAxes,
                fontsize=8.5,
                color=colour,
                va="top",
                weight="bold",
            )
        times = sorted({int(t) for _, rows in lines for t in rows["event_time"]})
        axes.set_xlim(times[0] - 0.6, times[-1] + 0.6)
        low, high = axes.get_ylim()
        axes.set_ylim(low, high + (high - low) * 0.09 * len(lines))  # room for the labels
        axes.set_xticks(times)
        axis_titles(axes, words["event_x"], words["event_y"])

    return drawn(7.4, 3.9, draw, stamped)
