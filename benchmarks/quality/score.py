"""Which injected events were found, and what was blocked that nobody had disturbed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import chain

import numpy as np
import pandas as pd

from benchmarks.quality.plan import Event

# An event is found when at least this share of its cells is.
FOUND = 0.5
# A table, and the share of its values that must be injected for the rest to be no false block.
TABLE = ["source_id", "indicator_id", "year"]
LOST = 0.6
NEAR_YEARS = 4


def score_run(
    events: Sequence[Event],
    keys: np.ndarray,
    clean: pd.DataFrame,
    graded: pd.DataFrame,
    rejected: pd.DataFrame,
    thin_years: Collection[tuple[str, str, int]] = (),
) -> pd.DataFrame:
    """One row per event: kind, family, year, cells, how many were blocked and flagged, by which
    rules; cells blocked in error nearby.

    Parameters
    ----------
    events : what was injected.
    keys : address of each line of the raw table.
    clean : graded observations without the events, with a column `key`.
    graded : the blocked and quarantined ones of the run with the events.
    rejected : cells not taken in the run with the events.
    thin_years : (source, indicator, year) that the gate named as incomplete: where dropped cells
    are found.
    """
    objected = graded.set_index("key")[["quality_flag", "quality_rule"]]
    turned_away = set(rejected["key"])
    rows = [
        _score_event(event, keys[event.counted].tolist(), objected, turned_away) for event in events
    ]
    false = false_blocks(events, keys, clean, graded)
    scored = pd.DataFrame(rows)
    seen = [
        event.kind.damage == "drop" and (event.source_id, event.family, event.year) in thin_years
        for event in events
    ]
    scored["n_flagged"] = scored["n_flagged"].mask(seen, scored["n_cells"])
    scored["n_false"] = _near(events, keys, clean, false)
    return scored


def _score_event(
    event: Event, cells: list[str], objected: pd.DataFrame, turned_away: set[str]
) -> dict[str, object]:
    found = objected.reindex(cells)
    flags = found["quality_flag"]
    blocked, quarantined = (flags == "blocked").to_numpy(), (flags == "quarantined").to_numpy()
    rejected = np.array([cell in turned_away for cell in cells])
    return {
        "kind": event.kind.name,
        "family": event.family,
        "source_id": event.source_id,
        "year": event.year,
        "n_cells": len(cells),
        "n_blocked": int((blocked | rejected).sum()),
        "n_flagged": int((blocked | quarantined | rejected).sum()),
        "rules": " ".join(
            sorted(set((found["quality_flag"] + ":" + found["quality_rule"]).dropna()))
        ),
    }


def false_blocks(
    events: Sequence[Event], keys: np.ndarray, clean: pd.DataFrame, graded: pd.DataFrame
) -> pd.DataFrame:
    """Observations that are blocked though nothing was done to them and that stood in the clean
    run.
    """
    defects = (event.new_value for event in events if event.kind.is_defect)
    injected = set(keys[list(chain.from_iterable(defects))])
    before = set(clean.loc[clean["quality_flag"] == "blocked", "key"])
    blocked = graded[graded["quality_flag"] == "blocked"]
    blocked = blocked[~blocked["key"].isin(injected | before)]
    # a column of a source of whose year most is wrong is asked to lose its word as a whole: nobody
    # could tell which of its figures happen to be in the right place
    struck = clean["key"].isin(injected).groupby([clean[name] for name in TABLE]).mean()
    lost = struck.index[struck >= LOST]
    return blocked[~pd.MultiIndex.from_frame(blocked[TABLE]).isin(lost)]


def _near(
    events: Sequence[Event], keys: np.ndarray, clean: pd.DataFrame, false: pd.DataFrame
) -> list[int]:
    """Number of false blocks that each event drew: the nearest event in years that shares the city,
    or else the province and year; of all of them one of the same indicator comes first.
    """
    where = clean.set_index("key")[["city_id", "year", "indicator_id"]]
    counts = [0] * len(events)
    cells = [where.reindex(keys[list(event.new_value)]).dropna() for event in events]
    for hit in false.itertuples():
        distances = [_distance(hit, event_cells) for event_cells in cells]
        if distances and not min(distances)[0]:
            counts[distances.index(min(distances))] += 1
    return counts


def _distance(hit: object, cells: pd.DataFrame) -> tuple[bool, bool, float]:
    """Whether an event is too far from a blocked cell, whether it is of another indicator, and the
    years between; events of the same province and year count as one and a half years away.
    """
    of_indicator = cells[cells["indicator_id"] == hit.indicator_id]
    near = cells if of_indicator.empty else of_indicator
    same_city = near.loc[near["city_id"] == hit.city_id, "year"]
    same_province = (near["city_id"] // 10000 == hit.city_id // 10000) & (near["year"] == hit.year)
    years = float((same_city - hit.year).abs().min()) if len(same_city) else np.inf
    if np.isinf(years) and same_province.any():
        years = 1.5
    return years > NEAR_YEARS, of_indicator.empty, years


def summarise(events: pd.DataFrame) -> pd.DataFrame:
    """By landing, sources, family and kind: events, cells, recall by cell and by event, precision
    by cell.
    """
    frame = events.assign(
        event_blocked=events["n_blocked"] >= FOUND * events["n_cells"],
        event_flagged=events["n_flagged"] >= FOUND * events["n_cells"],
    )
    grouped = frame.groupby(["landing", "sources", "family", "kind"], sort=True)
    table = grouped.agg(
        n_events=("kind", "size"),
        n_cells=("n_cells", "sum"),
        n_blocked=("n_blocked", "sum"),
        n_flagged=("n_flagged", "sum"),
        n_false=("n_false", "sum"),
        events_blocked=("event_blocked", "mean"),
        events_flagged=("event_flagged", "mean"),
    ).reset_index()
    table["cells_blocked"] = table["n_blocked"] / table["n_cells"]
    table["cells_flagged"] = table["n_flagged"] / table["n_cells"]
    hits = table["n_blocked"] + table["n_false"]
    table["precision"] = np.where(hits > 0, table["n_blocked"] / hits.where(hits > 0, 1), np.nan)
    return table
