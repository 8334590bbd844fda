"""What is injected in one run: events of many kinds at free places, and the raw tables with them in
it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pyarrow as pa

from benchmarks.quality.kinds import KINDS, Kind
from benchmarks.quality.makers import Changes, NotFree, ToTheEnd
from benchmarks.quality.views import FIRST_YEAR, Booking, Cities, View
from benchmarks.quality.warehouse import with_columns

TRIES = 400
# What a Chinese name in GB 18030 looks like when it is read as Latin-1, which no look-up can know.
DAMAGED_NAME = "ÎÞ·¨Ê¶±ð"


@dataclass(frozen=True)
class Event:
    """One injected event.

    `new_value` maps a line of the raw table to what it now holds; the first `n_counted` of them are
    scored, all where it is 0 (parts that are only restated with a value come last). `year` is the
    first year concerned, `source_id` the source that was disturbed first. `place` maps a line to
    the code and name under which it stands where a whole row went to another city.
    """

    kind: Kind
    family: str
    source_id: str
    year: int
    new_value: Mapping[int, float]
    n_counted: int = 0
    place: Mapping[int, tuple[str | None, str | None]] = field(default_factory=dict)

    @property
    def counted(self) -> list[int]:
        """Lines whose detection is scored."""
        return list(self.new_value)[: self.n_counted or None]


@dataclass(frozen=True)
class Target:
    """An indicator to disturb.

    Attributes
    ----------
    name, family : indicator, and `level` or `growth`.
    views : one per source.
    partners : by source, the column that stands beside it in a row.
    parts : by source, columns that are restated with it, each with the power of the restatement (1
    in proportion, -1 inversely).
    places : every line about a city, by itself: columns line, source_id, file_name, row (of the
    roster), place_code_text, place_text.
    """

    name: str
    family: str
    views: Sequence[View]
    partners: Mapping[str, View]
    parts: Mapping[str, Sequence[tuple[View, int]]]
    places: pd.DataFrame | None = None


def plan_events(
    targets: Sequence[Target], cities: Cities, rng: np.random.Generator, *, group: str = ""
) -> list[Event]:
    """Draw the events of one run; each target has bookings of its own, and no event lies near
    another.

    Parameters
    ----------
    targets : indicators to disturb.
    cities : the roster.
    rng : random generator of the run.
    group : the kinds that get the run for themselves; empty for all kinds that can stand side by
    side.
    """
    events = []
    kinds = [kind for kind in KINDS if kind.group == group]
    # large events first, while there is room
    kinds.sort(
        key=lambda kind: (
            kind.name
            not in (
                "city_mixup",
                "province_quantity",
                "province_unit",
                "stale_province",
                "row_shift",
                "provinces_exchanged",
                "rate_of_province",
            )
        )
    )
    for target in targets:
        booking = Booking(cities)
        for kind in kinds:
            for _ in range(kind.per_run.get(target.family, 0)):
                event = _draw(kind, target, booking, cities, rng)
                # two indicators may be in one file, whose rows go to other cities once
                if event is not None and not any(
                    event.place.keys() & other.place.keys() for other in events
                ):
                    events.append(event)
    return events


def _draw(
    kind: Kind, target: Target, booking: Booking, cities: Cities, rng: np.random.Generator
) -> Event | None:
    for _ in range(TRIES):
        view = target.views[rng.integers(len(target.views))]
        others = [other for other in target.views if other is not view]
        compared = view
        for other in others:
            # where a second source is there to compare with, it must hold the value: that is what
            # "two sources" means
            compared = replace(compared, value=np.where(other.has, compared.value, np.nan))
        try:
            changes = kind.make(compared, booking, cities, rng)
        except NotFree:
            continue
        if not changes:
            continue
        if kind.damage == "codes":
            return _under_other_codes(kind, view, target, changes)
        new_value = _as_lines(kind, view, others, target, changes)
        if new_value is None:
            continue
        n_counted = len(new_value)
        rows, columns = sorted({i for i, _ in changes}), [t for _, t in changes]
        first, last = min(columns), max(columns)
        ratios = {
            place: new / view.value[place] for place, new in changes.items() if view.value[place]
        }
        sources = [view, *others] if kind.everywhere else [view]
        if isinstance(kind.make, ToTheEnd):
            # scored are the years that both sources have, but a level that fell back where one of
            # them ends would be no level that stays
            last = view.value.shape[1] - 1
            ratios = {(rows[0], t): ratios[rows[0], first] for t in range(first, last + 1)}
            for source in sources:
                new_value |= {
                    k: v for k, v in _scaled(source, ratios, 1).items() if k not in new_value
                }
        if kind.with_parts:
            new_value |= _restated_parts(sources, target, ratios, new_value)
        booking.take(rows, first, last)
        return Event(kind, target.name, view.source_id, FIRST_YEAR + first, new_value, n_counted)
    return None


def _under_other_codes(kind: Kind, view: View, target: Target, changes: Changes) -> Event | None:
    """Rows of a file that stand under the codes of others: all their cells, of which those of the
    indicator are scored.
    """
    if target.places is None:
        return None
    lines = [int(view.line[place]) for place in changes]
    own = target.places[target.places["source_id"] == view.source_id].set_index("line")
    moved = own[own["file_name"].isin(own.loc[lines, "file_name"])]
    text = own.groupby("row")[["place_code_text", "place_text"]].first()
    giver = {i: int(j) for (i, _), j in changes.items()}
    moved = moved[moved["row"].isin(list(giver)) & moved["row"].map(giver).isin(text.index)]
    found = text.loc[moved["row"].map(giver).to_numpy()].astype(object)
    found = found.where(found.notna(), None)
    place = dict(zip(moved.index.tolist(), found.itertuples(index=False, name=None), strict=True))
    counted = {line: np.nan for line in lines if line in place}
    return Event(
        kind,
        target.name,
        view.source_id,
        FIRST_YEAR + min(t for _, t in changes),
        counted | dict.fromkeys(place, np.nan),
        len(counted),
        place,
    )


def _as_lines(
    kind: Kind, view: View, others: Sequence[View], target: Target, changes: Changes
) -> dict[int, float] | None:
    """Changed cells by line of the raw table, in every view the kind touches."""
    if kind.damage == "columns":
        partner = target.partners.get(view.source_id)
        place = next(iter(changes))
        if partner is None or not np.isfinite(partner.value[place]):
            return None
        ours, theirs = view.value[place], partner.value[place]
        if abs(np.log(abs(ours / theirs))) < 0.2:
            return None
        return {int(view.line[place]): float(theirs), int(partner.line[place]): float(ours)}
    if kind.damage == "nominal":
        level = target.partners[view.source_id].value
        changes = {
            (i, t): round(100 * (level[i, t] / level[i, t - 1] - 1), 2)
            for i, t in changes
            if np.isfinite(level[i, t] / level[i, t - 1])
        }
    lines = {
        int(view.line[place]): float(new)
        for place, new in changes.items()
        if kind.damage or new != view.value[place]
    }
    if kind.everywhere:
        ratios = {place: new / view.value[place] for place, new in changes.items()}
        for other in others:
            lines |= _scaled(other, ratios, 1)
    return lines or None


def _restated_parts(
    sources: Sequence[View],
    target: Target,
    ratios: Mapping[tuple[int, int], float],
    taken: Mapping[int, float],
) -> dict[int, float]:
    """The columns that are restated with a value, in the sources that show it."""
    lines: dict[int, float] = {}
    for source in sources:
        for part, power in target.parts.get(source.source_id, ()):
            lines |= _scaled(part, ratios, power)
    return {line: new for line, new in lines.items() if line not in taken}


def _scaled(view: View, ratios: Mapping[tuple[int, int], float], power: int) -> dict[int, float]:
    held = [place for place in ratios if view.has[place]]
    return {
        int(view.line[place]): float(f"{view.value[place] * ratios[place] ** power:.8g}")
        for place in held
    }


def inject(raw: pa.Table, events: Sequence[Event]) -> pa.Table:
    """The raw table with the events in it."""
    columns = {
        name: raw.column(name).to_pylist()
        for name in ("value", "raw_text", "place_code_text", "place_text")
    }
    kept = np.ones(raw.num_rows, dtype=bool)
    for event in events:
        for line, new in event.new_value.items():
            if event.kind.damage == "drop":
                kept[line] = False
            elif event.kind.damage == "place":
                columns["place_code_text"][line], columns["place_text"][line] = None, DAMAGED_NAME
            elif event.kind.damage == "codes":
                columns["place_code_text"][line], columns["place_text"][line] = event.place[line]
            else:
                columns["value"][line], columns["raw_text"][line] = (
                    new,
                    repr(new).removesuffix(".0"),
                )
    return with_columns(raw, columns).filter(pa.array(kept))
