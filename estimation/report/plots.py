"""Pictures of the pages as SVG: places across are shares of the width, heights and texts are
pixels, so that one drawing is read on a phone, a screen and paper.

Colours are classes of `templates/plots.css`. A mark carries what it says (`data-said`): the page
shows it under the mouse and, by the arrow keys, to a keyboard.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path

from markupsafe import Markup, escape

TICKS, LINE = 5, 18
#: Width of a picture as a file of its own, in pixels.
WIDTH = 760
# room for a label in pixels
PHONE = 350
FAINT_BELOW_PILOTS = 4
COLOURS = ("blue", "vermilion", "green", "purple")
TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Chart:
    """A picture of a page.

    Attributes
    ----------
    name : its id, and the permalink
    title : what it says
    svg : the picture
    data : file of `data/` with its numbers, without ending
    tables : of the published database
    note : how to read it
    subtitle : what is shown, in which unit, for which years
    """

    name: str
    title: str
    svg: Markup
    data: str
    tables: str
    note: str = ""
    subtitle: str = ""


@dataclass(frozen=True)
class Axis:
    """A scale: its ends, ticks with their texts, and its position (per cent or pixels)."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    start: float = 2.0
    end: float = 98.0

    def at(self, value: float) -> float:
        """Position of a value; one beyond an end is put on the end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 2)

    def holds(self, value: float) -> bool:
        """Return whether a value is on the scale."""
        return self.low - 1e-12 <= value <= self.high + 1e-12


def build_axis(
    must: Iterable[float], ends: Iterable[float] = (), start: float = 2.0, end: float = 98.0
) -> Axis:
    """Return a scale with round ticks that holds zero, every value of `must`, and the ends of
    intervals but the widest.

    An end further out than twice the upper quartile would press all others flat: it is left to an
    arrow.
    """
    must, ends = [0.0, *must], list(ends)
    span = max(max(must) - min(must), 1e-9)
    widths = sorted(abs(value) for value in ends)
    limit = max(2.0 * widths[len(widths) * 3 // 4], span) if widths else span
    kept = must + [value for value in ends if abs(value) <= limit]
    raw = max(max(kept) - min(kept), 1e-9) / TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw - 1e-12)
    low, high = math.floor(min(kept) / step) * step, math.ceil(max(kept) / step) * step
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    ticks = tuple(
        (low + k * step, _tick(low + k * step, digits))
        for k in range(round((high - low) / step) + 1)
    )
    return Axis(low, high, ticks, start, end)


def _tick(value: float, digits: int) -> str:
    more = round(value, digits) != round(value, digits + 2)
    text = f"{value + 0.0:.{digits + more}f}"
    return text.replace("-", "−") if float(text) else "0"


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Return a line; x in per cent of the width, y in pixels, as everywhere here."""
    return f'<line class="{kind}" x1="{x1}%" x2="{x2}%" y1="{y1}" y2="{y2}"/>'


def text(x: float, y: float, words: object, kind: str = "", anchor: str = "start") -> str:
    """Return a text with its base line at y."""
    return f'<text class="{kind}" x="{x}%" y="{y}" text-anchor="{anchor}">{escape(words)}</text>'


def mark(said: object, *parts: str) -> str:
    """Shapes that say a value."""
    return f'<g class="mark" data-said="{escape(said)}">{"".join(parts)}</g>'


def sheet(height: float, alt: object, parts: Iterable[str]) -> Markup:
    """Return the picture, as wide as its place."""
    inside = "".join(parts)
    return Markup(  # noqa: S704 - texts are escaped where they are set
        f'<svg class="plot" width="100%" height="{height}" role="img" aria-label="{escape(alt)}">'
        f"{inside}</svg>"
    )


def standing(picture: Markup, stamp: str, *, head: Sequence[str] = ()) -> str:
    """Return a picture as a file of its own, in the light colours of the pages.

    Parameters
    ----------
    picture : as `answer` and `points` draw it
    stamp : set in a corner, for simulated data
    head : lines above it: what it shows, in which unit, from where; the first is bold
    """
    tokens = (TEMPLATES / "tokens.css").read_text(encoding="utf-8").partition("@media")[0]
    style = tokens + (TEMPLATES / "plots.css").read_text(encoding="utf-8")
    opened, _, body = str(picture).partition(">")
    height = float(opened.partition('height="')[2].partition('"')[0])
    lines = []
    for nth, said in enumerate(head):
        kind = "label" if nth == 0 else "soft"
        lines += [(part, kind) for part in _wrapped(said, WIDTH)]
    above = LINE * len(lines)
    parts = [text(0, LINE * (k + 1) - 4, said, kind) for k, (said, kind) in enumerate(lines)]
    if stamp:
        parts.append(text(99.5, above + height - 6, stamp, "stamp", "end"))
    total = f'xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{above + height}"'
    opened = re.sub(r'width="100%" height="[^"]+"', total, opened, count=1)
    return (
        f'{opened}><style>{style}</style><rect width="100%" height="100%" fill="#fff"/>'
        f'<g transform="translate(0 {above})">{body.removesuffix("</svg>")}</g>'
        f"{''.join(parts)}</svg>\n"
    )


def _wrapped(said: str, width: int) -> list[str]:
    """Return lines of a text; a Chinese sign takes twice the room of a Latin one."""
    is_wide = any(ord(sign) > 0x2E80 for sign in said)
    return textwrap.wrap(said, int(width / (13.5 if is_wide else 6.9)))


def _on_a_phone(label: str) -> list[str]:
    """Return the lines of a label that a phone shows whole: numbers apart from a name that is too
    long.
    """
    if len(_wrapped(label, PHONE)) == 1:
        return [label]
    name, sign, numbers = label.rpartition("：" if "：" in label else ": ")
    return [name + sign.strip(), numbers] if name else [label]


def _arrow(x: float, y: float, sign: str) -> str:
    return text(x, y, sign, "arrow", "middle")


def bar(axis: Axis, y: float, low: float, high: float, kind: str) -> str:
    """Return an interval across; an end beyond the scale is an arrow."""
    parts = [line(axis.at(low), y, axis.at(high), y, kind)]
    parts += [_arrow(axis.start, y + 4, "◂")] if not axis.holds(low) else []
    parts += [_arrow(axis.end, y + 4, "▸")] if not axis.holds(high) else []
    return "".join(parts)


@dataclass(frozen=True)
class Estimate:
    """A row of the answer: what it is, its estimate and intervals, the wide one first."""

    label: str
    estimate: float
    intervals: tuple[tuple[float, float], ...]
    kind: str
    detectable: tuple[float | None, float | None] = (None, None)


def answer(
    rows: Sequence[Estimate],
    detectable: tuple[float | None, float | None],
    truth: float | None,
    words: dict[str, str],
) -> Markup:
    """Return estimates on one axis, each under its words; shaded is what would have been found.

    Parameters
    ----------
    rows : the estimate and what it is compared with, each with its own `detectable` if it has one
    detectable : smallest fall and smallest rise that would have been found, both positive
    truth : of simulated data
    words : alt, truth
    """
    ends = _ends(rows)
    must = [row.estimate for row in rows] + [truth or 0.0]
    for fall, rise in (detectable, *(row.detectable for row in rows)):
        must += [1.5 * (rise or 0), -1.5 * (fall or 0)]
    axis = build_axis(must + ends)
    # where each label and each bar stands
    tops, bars, bottom = [], [], 12
    for row in rows:
        further = LINE * (len(_on_a_phone(row.label)) - 1)
        tops.append(bottom)
        bars.append(bottom + 27 + further)
        bottom += 46 + further
    parts = [line(axis.at(tick), 6, axis.at(tick), bottom, "grid") for tick, _ in axis.ticks]
    parts += _shades(axis, detectable, 6, bottom - 6)
    for row, y in zip(rows, bars, strict=True):
        parts += _shades(axis, row.detectable, y - 9, 18)
    parts.append(line(axis.at(0), 6, axis.at(0), bottom, "zero"))
    for row, above, y in zip(rows, tops, bars, strict=True):
        shapes = [
            bar(axis, y, *interval, f"{row.kind} {'thick' if n else 'thin'}")
            for n, interval in enumerate(row.intervals)
        ]
        for k, said in enumerate(_on_a_phone(row.label)):
            parts.append(text(0, above + 14 + LINE * k, said, f"label {row.kind}"))
        at = axis.at(row.estimate)
        shapes.append(f'<circle class="{row.kind}" cx="{at}%" cy="{y}" r="5"/>')
        parts.append(mark(row.label, *shapes))
    if truth is not None:
        parts.append(line(axis.at(truth), 6, axis.at(truth), bottom, "truth"))
        parts.append(text(axis.at(truth), bottom - 4, f"\u00a0{words['truth']}", "vermilion"))
    is_crowded = len(axis.ticks) > 5
    zero = min(range(len(axis.ticks)), key=lambda nth: abs(axis.ticks[nth][0]))
    for nth, (tick, said) in enumerate(axis.ticks):
        # every second one, from zero on, so that texts stand apart on a phone
        if is_crowded and (nth - zero) % 2:
            continue
        anchor = "middle"
        if nth == 0:
            anchor = "start"
        elif nth == len(axis.ticks) - 1:
            anchor = "end"
        parts.append(text(axis.at(tick), bottom + 15, said, "soft", anchor))
    return sheet(bottom + 22, words["alt"], parts)


def _shades(
    axis: Axis, detectable: tuple[float | None, float | None], y: int, height: int
) -> list[str]:
    """Return changes that would have been found, from the smallest fall and rise to the axis'
    ends.
    """
    fall, rise = detectable
    parts = []
    for value, end in ((-fall if fall else None, axis.low), (rise, axis.high)):
        if value is not None and axis.holds(value):
            x1, x2 = sorted((axis.at(value), axis.at(end)))
            width = round(x2 - x1, 2)
            parts.append(
                f'<rect class="shade" x="{x1}%" y="{y}" width="{width}%" height="{height}"/>'
            )
    return parts


def _frame(
    x_ticks: Sequence[tuple[float, Sequence[str]]], y: Axis, words: dict[str, str]
) -> list[str]:
    """Grid, texts of both axes: those of y stand on their lines, so no margin is needed."""
    parts = []
    for value, said in y.ticks:
        kind = "zero" if abs(value) < 1e-12 else "grid"
        parts.append(line(0, y.at(value), 100, y.at(value), kind))
        parts.append(text(0, y.at(value) - 3, said, "soft"))
    under = max((len(texts) for _, texts in x_ticks), default=1)
    for x, texts in x_ticks:
        parts += [
            text(x, y.start + 15 + 14 * k, said, "soft", "middle") for k, said in enumerate(texts)
        ]
    parts.append(text(50, y.start + 17 + 14 * under, words["x"], "soft", "middle"))
    return parts


@dataclass(frozen=True)
class Point:
    """A point of a picture: intervals from the widest, and what it says."""

    x: float
    y: float
    said: str
    intervals: tuple[tuple[float, float], ...] = ()
    is_hollow: bool = False


@dataclass(frozen=True)
class Series:
    """Points under one name; `joined` by a line, `shift` beside the others of one x."""

    name: str
    points: tuple[Point, ...]
    joined: bool = False
    shift: float = 0.0


def _ends(drawn: Iterable[Estimate | Point]) -> list[float]:
    """Return ends of all intervals."""
    intervals = chain.from_iterable(one.intervals for one in drawn)
    return list(chain.from_iterable(intervals))


def points(
    series: Sequence[Series],
    x_labels: dict[float, Sequence[str]],
    words: dict[str, str],
    *,
    shades: Sequence[tuple[float, float]] = (),
    lines: Sequence[float] = (),
) -> Markup:
    """Return points over x with their intervals, names of the series above.

    Parameters
    ----------
    series : in the order of their colours
    x_labels : texts under places of x, one below the other
    words : alt, x, clipped (said where an interval leaves the picture)
    shades : spans of x that are marked; lines : places of x with a dotted line
    """
    found = list(chain.from_iterable(one.points for one in series))
    ends = _ends(found)
    # lines have their names at their ends, points have them above
    above = [one.name for one in series if one.name and not one.joined]
    top, height = 20 + LINE * len(above), 260
    y = build_axis([point.y for point in found], ends, top + height, top)
    xs = [*x_labels, *(point.x for point in found)]
    pad = 0.6 if len(set(xs)) < 40 else 0
    x = Axis(min(xs) - pad, max(xs) + pad, (), 8, 100)
    parts = [
        f'<rect class="shade" x="{x.at(a)}%" width="{round(x.at(b) - x.at(a), 2)}%" y="{top}" '
        f'height="{height}"/>'
        for a, b in shades
    ]
    parts += _frame([(x.at(place), texts) for place, texts in x_labels.items()], y, words)
    parts += [line(x.at(place), top, x.at(place), top + height, "dotted") for place in lines]
    for k, one in enumerate(series):
        colour = COLOURS[k % len(COLOURS)]
        if one.name in above:
            parts.append(text(0, 12 + LINE * above.index(one.name), one.name, f"label {colour}"))
        if one.joined:
            for a, b in pairwise(one.points):
                parts.append(line(x.at(a.x), y.at(a.y), x.at(b.x), y.at(b.y), f"joined {colour}"))
        parts += [_point(x, y, point, one.shift, colour) for point in one.points]
    parts += _names(x, y, series)
    beyond = any(not y.holds(end) for end in ends)
    deep = max((len(texts) for texts in x_labels.values()), default=1)
    total = top + height + 24 + 14 * deep
    if beyond:
        parts.append(text(0, total + 12, words["clipped"], "soft"))
    return sheet(total + 16 * beyond, words["alt"], parts)


def _names(x: Axis, y: Axis, series: Sequence[Series]) -> list[str]:
    """Return names of lines at their last points: over the highest, and under one that is close to
    it.
    """
    found = []
    for k, one in enumerate(series):
        if one.name and one.joined and one.points:
            last = one.points[-1]
            found.append((y.at(last.y), x.at(last.x), one.name, COLOURS[k % len(COLOURS)]))
    parts, before = [], -2.0 * LINE
    for height, place, name, colour in sorted(found):
        at = height - 10
        if at < before + LINE:
            at = max(height, before) + LINE
        before = at
        parts.append(text(place, at, name, f"label {colour}", "end"))
    return parts


def _point(x: Axis, y: Axis, point: Point, shift: float, colour: str) -> str:
    at = x.at(point.x + shift)
    shapes = []
    for n, (low, high) in enumerate(point.intervals):
        width = "thin" if n == 0 and len(point.intervals) > 1 else "thick"
        shapes.append(line(at, y.at(low), at, y.at(high), f"{colour} {width}"))
        shapes += [_arrow(at, y.start, "▾")] if not y.holds(low) else []
        shapes += [_arrow(at, y.end + 8, "▴")] if not y.holds(high) else []
    hollow = " hollow" if point.is_hollow else ""
    shapes.append(f'<circle class="{colour}{hollow}" cx="{at}%" cy="{y.at(point.y)}" r="4"/>')
    return mark(point.said, *shapes)
