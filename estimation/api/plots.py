"""Pictures of a fit on matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..panel.panel_error import PanelError, need, refused, require_among, require_file
from ..results import Estimate
from .words import LINES, label_of, line_of, permutation_p, require_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# of `result`, which draws itself by this file
Fit = Any

# safe for colour-blind readers (Okabe and Ito 2008)
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"
SHOWN_BLOCKS = 25
BINS = 40
# how far from the other interval the permutation's stands, in periods
BESIDE = 0.12
# so that a picture of the same fit has the same bytes
SALT = "citysync"


def draw(
    fit: Fit, kind: str | None = None, ax: Axes | None = None, file: Any = None, **options: Any
) -> Axes:
    """Return one picture of a fit; see `Fit.plot`."""
    require_among("kind", [kind], (*KINDS, None))
    if kind is None:
        kind = "forest"
        if any(e.term == "event" for e in fit.estimates):
            kind = "event_study"
    option = "vcov" if kind == "event_study" else "term"
    if others := sorted({*options} - {option}):
        raise refused(f"options of {kind}", f"none but {option}", others, "leave them out")
    return drawn(lambda axes: KINDS[kind](fit, axes, **options), ax, file)


def drawn(picture: Callable[[Axes], None], ax: Axes | None, file: Any) -> Axes:
    """Draw a picture on axes that are given or made here, and write it where a file is named."""
    axes = new_axes() if ax is None else ax
    if not hasattr(axes, "axvline"):
        raise refused("ax", "axes of matplotlib", ax, "give one of plt.subplots(), or none")
    try:
        picture(axes)
        if file is not None:
            save(axes, file)
    except ValueError:
        if ax is None:
            _pyplot().close(axes.figure)
        raise
    return axes


def _pyplot() -> ModuleType:
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise need("matplotlib", "a plot") from error
    return pyplot


def new_axes() -> Axes:
    """Axes of a picture of its own.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    _, ax = _pyplot().subplots(figsize=(7.0, 4.0), layout="constrained")
    return ax


def save(ax: Axes, file: Any) -> None:
    """Write a picture; that of the same numbers has the same bytes."""
    import matplotlib as mpl

    figure: Any = ax.figure
    endings = [f".{kind}" for kind in figure.canvas.get_supported_filetypes()]
    path = require_file(file, endings)
    # a picture of vectors carries neither the time nor a random salt
    undated = None
    if path.suffix.lower() == ".svg":
        undated = {"Date": None}
    with mpl.rc_context({"svg.hashsalt": SALT}):
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata=undated)


def draw_event_study(fit: Fit, ax: Axes, *, vcov: str | None = None) -> None:
    """Estimates by period from treatment with their intervals; the permutation's beside those of
    the other line, thin.
    """
    events = [e for e in fit.estimates if e.term == "event"]
    if not events:
        expected = "one with estimates by period from treatment"
        raise refused("fit", expected, fit.estimator, "fit estimator='event_study'")
    times = sorted({e.event_time for e in events})
    if vcov is not None:
        require_line(vcov, (e.vcov for e in events))
    chosen = [line_of([e for e in events if e.event_time == t], vcov) for t in times]
    placebo = {e.event_time: e for e in events if e.vcov == "permutation"}
    _intervals(
        ax,
        [(t + BESIDE, placebo[t]) for t in times if t in placebo],
        GREY,
        1.0,
        "permutation, 95 %",
    )
    others = [(t, e) for t, e in zip(times, chosen, strict=True) if e.vcov != "permutation"]
    names = ", ".join(dict.fromkeys(LINES[e.vcov] for _, e in others))
    _intervals(ax, others, BLUE, 3.0, f"{names}, 95 %")
    ax.plot(times, [e.estimate for e in chosen], "o", color=BLUE, markersize=5, zorder=3)
    gaps = [t for t in range(min(times), max(times)) if t not in times and t < 0]
    if gaps:
        ax.plot(
            gaps[-1:],
            [0],
            "o",
            markerfacecolor="white",
            color=BLUE,
            markersize=5,
            zorder=3,
            label="reference, 0 by definition",
        )
    ax.axhline(0, color="black", linewidth=0.8)
    ax.axvspan(min(times) - 0.5, -0.5, color="black", alpha=0.05, linewidth=0)
    ax.set(
        xlabel="periods from first treatment",
        ylabel=f"effect on {fit.outcome}",
        title=f"{fit.outcome}: {fit.estimator}",
    )
    ax.locator_params(axis="x", integer=True)
    _legend_below(ax)


def draw_forest(fit: Fit, ax: Axes, *, term: str | None = None) -> None:
    """One coefficient under each inference method that was asked for."""
    label = label_of(fit.default(term))
    rows = [e for e in fit.estimates if label_of(e) == label and e.ci_low is not None]
    if not rows:
        raise ValueError(f"{label} has no interval under any method: ask for more with vcov=")
    for y, e in enumerate(reversed(rows)):
        ax.plot([e.ci_low, e.ci_high], [y, y], color=BLUE, linewidth=3 if e.is_default else 1.5)
        ax.plot(e.estimate, y, "o", color=BLUE, markersize=6)
    ax.set_yticks(
        range(len(rows)),
        [LINES[e.vcov] + (" (default)" if e.is_default else "") for e in reversed(rows)],
    )
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set(
        xlabel=f"{label}: effect on {fit.outcome}, 95 % interval",
        title=f"{fit.outcome}: {fit.estimator}",
    )
    ax.set_ylim(-0.6, len(rows) - 0.4)


def draw_permutation(fit: Fit, ax: Axes, *, term: str | None = None) -> None:
    """Estimates under reassigned treatment, and the real one."""
    estimate = fit.default(term)
    label = label_of(estimate)
    drawn = (fit.parts.draws if fit.parts else {}).get(label, np.zeros(0))
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) == 0:
        expected = f"draws of {label}"
        raise PanelError("fit", None, None, expected, "none", "fit with permutations=999 or more")
    ax.hist(
        drawn,
        bins=BINS,
        density=True,
        color=GREY,
        alpha=0.5,
        label=f"{len(drawn):,} reassignments of treatment",
    )
    p = permutation_p([e for e in fit.estimates if label_of(e) == label])
    shown = "" if p is None else f", p = {p:.3f} (studentised)"
    ax.axvline(
        estimate.estimate,
        color=ORANGE,
        linewidth=2,
        label=f"estimate {estimate.estimate:.4g}{shown}",
    )
    ax.set(
        xlabel=f"{label}: effect on {fit.outcome}",
        ylabel="density",
        title="Placebo estimates and the real one",
    )
    _legend_below(ax)


def draw_influence(fit: Fit, ax: Axes, *, term: str | None = None) -> None:
    """The estimate without each block, those that move it most; without each unit where there are
    no blocks.
    """
    estimate = fit.default(term)
    label = label_of(estimate)
    parts = fit.parts
    by_block = parts.without_block.get(label) if parts else None
    found = by_block or (parts.without_city.get(label) if parts else None)
    if found is None:
        expected = "one with estimates without blocks or units"
        raise refused("fit", expected, fit.estimator, "choose another kind")
    names, values = found
    order = np.argsort(-np.abs(np.nan_to_num(values - estimate.estimate)), kind="stable")[
        :SHOWN_BLOCKS
    ][::-1]
    kind = "block" if by_block else "unit"
    ax.plot(values[order], range(len(order)), "o", color=BLUE, markersize=5)
    ax.axvline(
        estimate.estimate, color=ORANGE, linewidth=1.5, label=f"all: {estimate.estimate:.4g}"
    )
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set_yticks(range(len(order)), [str(name) for name in names[order]], fontsize=7)
    more = (
        f" ({SHOWN_BLOCKS} of {len(names)} that move it most)" if len(names) > SHOWN_BLOCKS else ""
    )
    ax.set(
        xlabel=f"{label}: effect on {fit.outcome}",
        ylabel=f"left out {kind}",
        title=f"Estimate without each {kind}{more}",
    )
    _legend_below(ax)


KINDS: dict[str, Callable[..., None]] = {
    "event_study": draw_event_study,
    "forest": draw_forest,
    "permutation": draw_permutation,
    "influence": draw_influence,
}


def _legend_below(ax: Axes) -> None:
    ax.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3)


def _intervals(
    ax: Axes, rows: Sequence[tuple[float, Estimate]], color: str, width: float, label: str
) -> None:
    known = [(t, e) for t, e in rows if e.ci_low is not None]
    if known:
        times, low, high = zip(*((t, e.ci_low, e.ci_high) for t, e in known), strict=True)
        ax.vlines(times, low, high, color=color, linewidth=width, label=label)
