"""What one more source does to right values (harm) and to wrong ones (good).

Twenty whole sources with one fault each, half of them new editions of known ones, are put beside a
delivered landing, one at a time: right current values that become wrong or are lost, right values
of others that become blocked and empty cells that are filled wrongly are **harm**. Some cells are
emptied first, so that it is known what they should hold. Then errors are planted in the landing's
own sources, and twenty sound sources come: of the wrong current values that a source has right, the
share that is mended is **good**. Sources are put in after places and units are resolved, since it
is the choice among values that is measured.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.quality.sources import BAD, CELL, GROWTH, INDICATORS, SOUND, Planting
from benchmarks.quality.warehouse import Bench, read_table

# what the rules hold these indicators against: the resident population that a mixed definition
# takes its figures from, product per head, the index of growth
CONTEXT = (
    *INDICATORS,
    "population_resident_10k",
    "gdp_per_capita_cny",
    "gdp_index_prev_year_100",
)
SEED = 20161
# a level this near to the right one is another vintage of it, not a wrong one; a rate, in points
SAME = 0.01
SAME_POINTS = 0.3
# one in so many right cells is emptied
EMPTIED = 25
NEWEST_EDITION = 2026
CHOOSING = "int_source_priorities+,+int_observations_graded"

Frame = pd.DataFrame


def read_values(build: Path) -> Frame:
    """Every graded value of the cities."""
    query = """
        select
            observation_id, indicator_id, city_id, "year", "value", quality_flag,
            file_name like 'planted%' as is_planted,
            choice_rank = 1 and is_usable as is_current
        from intermediate.int_observations_graded where place_level = 'city' order by 1
    """
    return read_table(build, query)


def right_values(values: Frame) -> Frame:
    """The current values that no rule doubts."""
    return values[
        values["is_current"]
        & values["quality_flag"].isin(["ok", "warned", "corrected"])
        & ((values["value"] > 0) | (values["indicator_id"] == GROWTH))
        & values["indicator_id"].isin(INDICATORS)
    ].reset_index(drop=True)


# Accepted values are a view of the resolved lines, which takes no further ones.
WRITABLE = """
create table intermediate.accepted as from intermediate.int_raw_observations;
drop view intermediate.int_raw_observations;
alter table intermediate.accepted rename to int_raw_observations
"""


def add_source(con: duckdb.DuckDBPyConnection, lines: Frame, planting: Planting) -> None:
    """Put lines behind the accepted values, as one file (or two of the same figures) with a row a
    city and year: of a source that nobody knows, or the newest edition of a known one.
    """
    places = lines.sort_values(["city_id", "year", "indicator_id"])
    row = places.groupby(["city_id", "year"], sort=False).ngroup() + 2
    column = places["indicator_id"].map({name: n for n, name in enumerate(INDICATORS)}) + 3
    added = places.assign(row_no=row, col_no=column)[[*CELL, "value", "row_no", "col_no"]]
    con.register("added_lines", added)
    for copy in range(planting.copies):
        name = "planted" + "_again" * copy
        source_id, edition = name, None
        if planting.known is not None:
            source_id, edition = planting.known, NEWEST_EDITION
        con.execute(
            """
            insert into intermediate.int_raw_observations by name
            select
                (select max(observation_id) from intermediate.int_raw_observations)
                    + row_number() over (order by row_no, col_no) as observation_id,
                city_id, "year", added_lines.indicator_id, 'city' as place_level, "value",
                canonical_unit as unit, "value" as value_delivered, "value"::varchar as raw_text,
                $source_id as source_id, $edition as edition_year, $name || '.csv' as file_name,
                'R' || row_no || 'C' || col_no as cell_ref, row_no, col_no
            from added_lines
            inner join seeds.indicator_catalog as catalog
                on added_lines.indicator_id = catalog.indicator_id
            """,
            {"source_id": source_id, "edition": edition, "name": name},
        )
    con.unregister("added_lines")


def empty_cells(con: duckdb.DuckDBPyConnection, cells: Frame) -> None:
    """Take all that is delivered for some cells out of the accepted values."""
    con.register("emptied", cells[CELL])
    con.execute(
        """
        delete from intermediate.int_raw_observations as observations using emptied
        where observations.place_level = 'city' and observations.indicator_id = emptied.indicator_id
            and observations.city_id = emptied.city_id and observations."year" = emptied."year"
        """
    )
    con.unregister("emptied")


def draw_errors(right: Frame, rng: np.random.Generator) -> Frame:
    """Errors of the figures that are current, in sixty cities of each indicator: spikes, tenths,
    five years a year late, last year's figure, another city's. Columns: the cell, wrong.
    """
    table = right.pivot_table(index=["indicator_id", "city_id"], columns="year", values="value")
    table = table[range(2001, 2019)]
    table = table[table.notna().sum(axis=1) >= 10]
    kinds = ("spike", "spike", "tenth", "late", "repeat", "other city")
    found = []
    for indicator in INDICATORS:
        part = table.loc[indicator]
        cities, wrong = part.index.to_numpy()[rng.permutation(len(part))], []
        for number, city in enumerate(cities[:60]):
            kind, year = kinds[number % len(kinds)], int(rng.integers(2004, 2015))
            own, before = part.loc[city], part.loc[city].shift(1)
            size = rng.choice([-1, 1]) * rng.uniform(0.25, 0.6)
            spike = own.loc[[year]] * np.exp(size)
            if indicator == GROWTH:
                spike = own.loc[[year]] + 20 * size
            changed = {
                "spike": spike,
                "tenth": own.loc[[year]] * rng.choice([0.1, 10.0]),
                "late": before.loc[year : year + 4],
                "repeat": before.loc[[year]],
                "other city": part.loc[cities[number + 60]].loc[[year]],
            }[kind]
            wrong.append(changed.rename("wrong").reset_index().assign(city_id=city))
        found.append(pd.concat(wrong).assign(indicator_id=indicator))
    return pd.concat(found).dropna()


def plant_errors(con: duckdb.DuckDBPyConnection, errors: Frame, right: Frame) -> None:
    """Put the errors into the observations that are current."""
    con.register("planted", errors.merge(right[[*CELL, "observation_id"]], on=CELL))
    con.execute(
        """
        update intermediate.int_raw_observations as observations set
            "value" = wrong, value_delivered = wrong, raw_text = wrong::varchar
        from planted where observations.observation_id = planted.observation_id
        """
    )
    con.unregister("planted")


def distance(values: pd.Series, truth: pd.Series, indicator: pd.Series) -> np.ndarray:
    """How far values are from the truth, in multiples of what two vintages may differ by; missing
    where one of them is.
    """
    values, truth = values.to_numpy(), truth.to_numpy()
    of_levels = np.abs(values / np.where(truth == 0, np.nan, truth) - 1) / SAME
    of_rates = np.abs(values - truth) / SAME_POINTS
    return np.where(indicator.to_numpy() == GROWTH, of_rates, of_levels)


def current_beside(cells: Frame, values: Frame) -> Frame:
    """Each cell with what is current there, missing where nothing is."""
    current = values.loc[values["is_current"], [*CELL, "value", "quality_flag", "is_planted"]]
    return cells.merge(current, on=CELL, how="left", suffixes=("_truth", ""))


def still_right(right: Frame, truth: Frame) -> Frame:
    """The right values that the cells held before some were emptied, too."""
    both = right.merge(truth[[*CELL, "value"]], on=CELL, suffixes=("", "_truth"))
    near = distance(both["value"], both["value_truth"], both["indicator_id"]) <= 1
    return both[near].drop(columns="value_truth").reset_index(drop=True)


def harm_done(before: Frame, after: Frame, right: Frame, truth: Frame) -> dict[str, int]:
    """Right current values lost, or wrong now; right values of others that are blocked now; and
    cells that the source filled, with the right figure or another one. A figure in a cell for which
    no right one is known was moved there.
    """
    now = current_beside(right[[*CELL, "value"]], after)
    gap = distance(now["value"], now["value_truth"], now["indicator_id"])
    both = before.merge(after[["observation_id", "quality_flag"]], on="observation_id")
    both = both.merge(right[[*CELL, "value"]], on=CELL, suffixes=("", "_truth"))
    sound = distance(both["value"], both["value_truth"], both["indicator_id"]) <= 1
    blocked = (both["quality_flag_x"] != "blocked") & (both["quality_flag_y"] == "blocked")
    filled = after[after["is_current"] & after["is_planted"]]
    filled = filled[~cell_index(filled).isin(cell_index(before[before["is_current"]]))]
    filled = filled.merge(truth[[*CELL, "value"]], on=CELL, how="left", suffixes=("", "_truth"))
    is_right = distance(filled["value"], filled["value_truth"], filled["indicator_id"]) <= 1
    return {
        "right": len(right),
        "lost": int(np.isnan(gap).sum()),
        "wrong": int((gap > 1).sum()),
        "blocked": int((sound & blocked).sum()),
        "filled_wrongly": int((~is_right).sum()),
        "filled_wrongly_ok": int((~is_right & (filled["quality_flag"] == "ok")).sum()),
        "filled_rightly": int(is_right.sum()),
    }


def could_fill(lines: Frame, emptied: Frame) -> int:
    """Number of the emptied cells for which a source has the right figure."""
    both = lines.merge(emptied[[*CELL, "value"]], on=CELL, suffixes=("", "_truth"))
    return int((distance(both["value"], both["value_truth"], both["indicator_id"]) <= 1).sum())


def cell_index(cells: Frame) -> pd.MultiIndex:
    """The cells as an index."""
    return pd.MultiIndex.from_frame(cells[CELL])


def good_done(before: Frame, after: Frame, truth: Frame, added: Frame) -> dict[str, int]:
    """Of the wrong current values that the added source has right: how many are right now.
    ``truth`` holds the right values of the cells in which errors were planted.
    """
    cells = truth[[*CELL, "value"]]
    was, now = current_beside(cells, before), current_beside(cells, after)
    brought = cells.merge(added, on=CELL, how="left", suffixes=("_truth", ""))
    gaps = [
        distance(values["value"], values["value_truth"], values["indicator_id"])
        for values in (was, brought, now)
    ]
    could = (gaps[0] > 5) & (gaps[1] <= 1)
    return {"could": int(could.sum()), "mended": int((could & (gaps[2] <= 1)).sum())}


def measure(bench: Bench, raw: pa.Table, input_file: Path) -> pd.DataFrame:
    """Harm of every bad source and good of every sound one, a row each."""
    kept = pc.is_in(raw.column("indicator_id"), pa.array(CONTEXT))
    base = bench.build("harm", raw.filter(kept), input_file)
    with duckdb.connect(str(base / "citysync.duckdb")) as con:
        con.execute(WRITABLE)
    truth = right_values(read_values(base))
    is_emptied = np.random.default_rng([SEED, 98]).permutation(len(truth)) % EMPTIED == 0
    emptied = truth[is_emptied]
    thinned = bench.home.root / "thinned"
    bench.again(base, lambda con: empty_cells(con, emptied), CHOOSING).rename(thinned)
    before = read_values(thinned)
    right = still_right(right_values(before), truth)
    rows = []
    for number, planting in enumerate(BAD):
        after, added = with_source(bench, thinned, planting, truth, number)
        found = harm_done(before, after, right, truth)
        found["could_fill"] = could_fill(added, emptied)
        rows.append({"source": planting.name, "known": planting.known, **found})
        print(f"# harm: {rows[-1]}", flush=True)
    errors = draw_errors(right, np.random.default_rng([SEED, 99]))
    spoiled = bench.home.root / "spoiled"
    bench.again(thinned, lambda con: plant_errors(con, errors, right), CHOOSING).rename(spoiled)
    before, truth = read_values(spoiled), errors[CELL].merge(right, on=CELL)
    for number, planting in enumerate(SOUND):
        after, added = with_source(bench, spoiled, planting, right, 100 + number)
        rows.append({"source": planting.name, **good_done(before, after, truth, added)})
        print(f"# good: {rows[-1]}", flush=True)
    return pd.DataFrame(rows)


def with_source(
    bench: Bench, build: Path, planting: Planting, right: Frame, number: int
) -> tuple[Frame, Frame]:
    """The graded values beside an added source, and its lines."""
    lines = planting.change(right[[*CELL, "value"]], np.random.default_rng([SEED, number]))
    again = bench.again(build, lambda con: add_source(con, lines, planting), CHOOSING)
    return read_values(again), lines


DONE = {
    "wrong": "right current values wrong",
    "lost": "lost",
    "blocked": "right values of others blocked",
    "filled_wrongly": "empty cells filled wrongly",
    "filled_rightly": "empty cells filled rightly",
    "could_fill": "empty cells that it has right",
}


def table(found: Frame) -> list[list[str]]:
    """Return the header and a row for each bad source that did harm."""
    harm = found[found["right"].notna()]
    harmful = harm[harm[list(DONE)[:4]].sum(axis=1) > 0]
    rows = harmful[list(DONE)].map("{:.0f}".format)
    rows.insert(0, "source", harmful["source"])
    return [["source", *DONE.values()], *rows.to_numpy().tolist()]


def sentences(found: Frame) -> str:
    """Return what all bad sources did, what sound ones mended, and the one that mended least."""
    harm, good = found[found["right"].notna()], found[found["could"].notna()]
    done = {name: f"{harm[name].sum():,.0f}" for name in DONE}
    could, mended, share = good["could"].sum(), good["mended"].sum(), good["mended"] / good["could"]
    return (
        f"Of {harm['right'].iloc[0]:,.0f} right current values of {len(INDICATORS)} indicators the "
        f"{len(harm)} bad sources together made {done['wrong']} wrong and lost {done['lost']}; "
        f"{done['blocked']} right values of others were blocked. They filled "
        f"{done['filled_wrongly']} emptied cells wrongly and {done['filled_rightly']} rightly, of "
        f"{done['could_fill']} that they have right.\n\n"
        f"Of {could:,.0f} wrong current values that {len(good)} sound sources have right, "
        f"{mended:,.0f} are mended ({mended / could:.0%}); the least by "
        f"'{good['source'].loc[share.idxmin()]}' ({share.min():.0%})."
    )
