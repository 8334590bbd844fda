"""What one more source does to right values (harm) and to wrong ones (good).

Twenty whole sources with one fault each are put beside a delivered landing, one at a time: right
current values that become wrong or are lost, and right values of others that become blocked, are
**harm**. Then errors are planted in the landing's own sources, and twenty sound sources come: of
the wrong current values that a source has right, the share that is mended is **good**. Sources are
put in after places and units are resolved, since it is judging that is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.page import markdown
from benchmarks.quality.warehouse import Bench, read_table

GDP, POPULATION, FDI = "gdp_nominal_cny_100m", "population_registered_10k", "fdi_usd_1m"
LOANS, WAGE = "loans_cny_100m", "wage_avg_cny"
# two indicators with several independent sources, one whose three sources are one family, two with
# a single source; the resident population is what a mixed definition takes its figures from
INDICATORS = (GDP, POPULATION, FDI, LOANS, WAGE)
CONTEXT = (*INDICATORS, "population_resident_10k", "gdp_per_capita_cny")
SEED = 20161
# a figure this near to the right one is another vintage of it, not a wrong one
SAME = 0.01
JUDGING = "int_source_priorities+,+int_observations_graded"
CELL = ["indicator_id", "city_id", "year"]

Frame = pd.DataFrame
Change = Callable[[Frame, np.random.Generator], Frame]


@dataclass(frozen=True)
class Planting:
    """A source to add: what is wrong with it (or how a sound one differs), and the change that
    makes it of the right values. `copies` gives it a twin of the same figures.
    """

    name: str
    change: Change
    copies: int = 1


def years_late(
    lines: Frame,
    rng: np.random.Generator,
    indicators: Sequence[str] = INDICATORS,
    since: int = 0,
    noise: float = 0.0,
) -> Frame:
    """Every figure stands under the year after its own."""
    late = lines["indicator_id"].isin(indicators) & (lines["year"] + 1 >= since)
    moved = lines[late].assign(year=lines["year"] + 1)
    stays = lines[~late | (lines["year"] < since)]
    return with_noise(pd.concat([stays, moved]).drop_duplicates(CELL), rng, noise)


def rows_off(
    lines: Frame,
    rng: np.random.Generator,
    indicators: Sequence[str] = INDICATORS,
    years: Sequence[int] = (),
    provinces: Sequence[int] = (),
) -> Frame:
    """Each city has the figure of the next one by code; in some years or provinces, or
    everywhere.
    """
    off = lines["indicator_id"].isin(indicators)
    off &= lines["year"].isin(years) if years else True
    off &= (lines["city_id"] // 10000).isin(provinces) if provinces else True
    ordered = lines.sort_values([*CELL[:1], "year", "city_id"])
    following = ordered.groupby(["indicator_id", "year"])["value"].shift(-1)
    value = lines["value"].where(~off, following.reindex(lines.index))
    return lines.assign(value=value).dropna(subset="value")


def times(
    lines: Frame,
    rng: np.random.Generator,
    factor: float,
    indicators: Sequence[str] = INDICATORS,
    since: int = 0,
    until: int = 9999,
    provinces: Sequence[int] = (),
) -> Frame:
    """Figures of a span of years, or of some provinces, in another unit."""
    off = lines["indicator_id"].isin(indicators) & lines["year"].between(since, until)
    off &= (lines["city_id"] // 10000).isin(provinces) if provinces else True
    return lines.assign(value=lines["value"].where(~off, lines["value"] * factor))


def city_proper(lines: Frame, rng: np.random.Generator, every: int, since: int = 0) -> Frame:
    """One in ``every`` of the cities without its counties, each by a share of its own."""
    cities = np.sort(lines["city_id"].unique())
    chosen = set(cities[rng.permutation(len(cities)) % every == 0])
    share = dict(zip(cities, rng.uniform(0.25, 0.75, len(cities)), strict=True))
    off = lines["city_id"].isin(chosen) & (lines["year"] >= since)
    return lines.assign(
        value=lines["value"].where(~off, lines["value"] * lines["city_id"].map(share))
    )


def resident_for_registered(lines: Frame, rng: np.random.Generator, since: int) -> Frame:
    """Persons living there in place of persons registered, from a year on."""
    share = dict(zip(lines["city_id"].unique(), rng.normal(0, 0.12, 1000), strict=False))
    off = (lines["indicator_id"] == POPULATION) & (lines["year"] >= since)
    return lines.assign(
        value=lines["value"].where(~off, lines["value"] * np.exp(lines["city_id"].map(share)))
    )


def with_faults(lines: Frame, rng: np.random.Generator, share: float, size: float) -> Frame:
    """A share of the cells wrong by itself, up or down."""
    off = rng.random(len(lines)) < share
    factor = np.exp(
        np.where(rng.random(len(lines)) < 0.5, -1, 1) * rng.uniform(0.1, size, len(off))
    )
    return lines.assign(value=lines["value"].where(~off, lines["value"] * factor))


def repeated(lines: Frame, rng: np.random.Generator, years: Sequence[int]) -> Frame:
    """Some years hold the figures of the year before once more."""
    before = lines.assign(year=lines["year"] + 1)
    before = before[before["year"].isin(years)]
    return pd.concat([before, lines]).drop_duplicates(CELL)


def with_noise(lines: Frame, rng: np.random.Generator, size: float) -> Frame:
    """Every value moved by itself, in log points, as another vintage: by at most twice the size."""
    moved = size * np.clip(rng.normal(0, 1, len(lines)), -2, 2)
    return lines.assign(value=lines["value"] * np.exp(moved))


def part_of(
    lines: Frame,
    rng: np.random.Generator,
    indicators: Sequence[str] = INDICATORS,
    since: int = 0,
    share: float = 1.0,
    noise: float = 0.0,
    digits: int = 10,
) -> Frame:
    """A sound source that holds some indicators, years and cities, rounded as it likes."""
    cities = np.sort(lines["city_id"].unique())
    chosen = set(cities[rng.random(len(cities)) <= share])
    kept = lines[
        lines["indicator_id"].isin(indicators)
        & (lines["year"] >= since)
        & lines["city_id"].isin(chosen)
    ]
    kept = with_noise(kept, rng, noise)
    return kept.assign(value=kept["value"].map(lambda v: float(f"{v:.{digits}g}")))


BAD = (
    Planting("product a year late", partial(years_late, indicators=[GDP])),
    Planting(
        "product a year late, another vintage", partial(years_late, indicators=[GDP], noise=0.004)
    ),
    Planting("everything a year late", years_late),
    Planting("a year late from 2010 on", partial(years_late, since=2010)),
    Planting(
        "investment from abroad a row off in 2008",
        partial(rows_off, indicators=[FDI], years=[2008]),
    ),
    Planting("everything a row off in 2008 and 2010", partial(rows_off, years=[2008, 2010])),
    Planting("a row off in all years", rows_off),
    Planting(
        "two provinces a row off in 2012", partial(rows_off, years=[2012], provinces=[37, 44])
    ),
    Planting("tenfold", partial(times, factor=10.0)),
    Planting("in US dollars from 2012 on", partial(times, factor=0.15, since=2012)),
    Planting("a ten-thousandth in one year", partial(times, factor=1e-4, since=2009, until=2009)),
    Planting("three provinces a tenth", partial(times, factor=0.1, provinces=[23, 41, 51])),
    Planting("city proper for a third of the cities", partial(city_proper, every=3)),
    Planting("city proper for all from 2011 on", partial(city_proper, every=1, since=2011)),
    Planting("resident for registered from 2010 on", partial(resident_for_registered, since=2010)),
    Planting("resident for registered throughout", partial(resident_for_registered, since=0)),
    Planting("copy with 5 per cent of cells wrong", partial(with_faults, share=0.05, size=0.7)),
    Planting(
        "two copies with the same 5 per cent wrong", partial(with_faults, share=0.05, size=0.7), 2
    ),
    Planting("copy with a third of cells wrong", partial(with_faults, share=0.33, size=0.7)),
    Planting("copy that repeats 2007 and 2013", partial(repeated, years=[2007, 2013])),
)
SOUND = tuple(
    Planting(name, partial(part_of, **how))
    for name, how in {
        "the same digits": {},
        "three digits": {"digits": 3},
        "four digits": {"digits": 4},
        "another vintage, 0.1 per cent": {"noise": 0.001},
        "another vintage, 0.2 per cent": {"noise": 0.002},
        "another vintage, 0.3 per cent": {"noise": 0.003},
        "since 2000": {"since": 2000},
        "since 2005": {"since": 2005},
        "since 2010": {"since": 2010},
        "since 2010, another vintage": {"since": 2010, "noise": 0.002},
        "half of the cities": {"share": 0.5},
        "half of the cities, another vintage": {"share": 0.5, "noise": 0.002},
        "a quarter of the cities": {"share": 0.25},
        "product alone": {"indicators": [GDP]},
        "population alone": {"indicators": [POPULATION]},
        "investment from abroad alone": {"indicators": [FDI]},
        "loans alone": {"indicators": [LOANS]},
        "wages alone": {"indicators": [WAGE]},
        "loans and wages, four digits": {"indicators": [LOANS, WAGE], "digits": 4},
        "product and population since 2005": {"indicators": [GDP, POPULATION], "since": 2005},
    }.items()
)


def read_values(build: Path) -> Frame:
    """Every graded value of the cities."""
    query = """
        select
            observation_id, indicator_id, city_id, "year", "value", quality_flag,
            choice_rank = 1 and is_usable as is_current
        from intermediate.int_observations_graded where place_level = 'city' order by 1
    """
    return read_table(build, query)


def right_values(values: Frame) -> Frame:
    """The current values that no rule doubts."""
    return values[
        values["is_current"]
        & values["quality_flag"].isin(["ok", "warned", "corrected"])
        & (values["value"] > 0)
        & values["indicator_id"].isin(INDICATORS)
    ].reset_index(drop=True)


# Accepted values are a view of the resolved lines, which takes no further ones.
WRITABLE = """
create table intermediate.accepted as from intermediate.int_raw_observations;
drop view intermediate.int_raw_observations;
alter table intermediate.accepted rename to int_raw_observations
"""


def add_source(con: duckdb.DuckDBPyConnection, lines: Frame, source_id: str) -> None:
    """Put lines behind the accepted values, as one file with a row a city and year."""
    places = lines.sort_values(["city_id", "year", "indicator_id"])
    row = places.groupby(["city_id", "year"], sort=False).ngroup() + 2
    column = places["indicator_id"].map({name: n for n, name in enumerate(INDICATORS)}) + 3
    added = places.assign(row_no=row, col_no=column, source_id=source_id)[
        [*CELL, "value", "row_no", "col_no", "source_id"]
    ]
    con.register("added_lines", added)
    con.execute(
        """
        insert into intermediate.int_raw_observations by name
        select
            (select max(observation_id) from intermediate.int_raw_observations)
                + row_number() over (order by row_no, col_no) as observation_id,
            city_id, "year", added_lines.indicator_id, 'city' as place_level, "value",
            canonical_unit as unit, "value" as value_delivered, "value"::varchar as raw_text,
            source_id, source_id || '.csv' as file_name, 'R' || row_no || 'C' || col_no as cell_ref,
            row_no, col_no
        from added_lines
        inner join seeds.indicator_catalog as catalog
            on added_lines.indicator_id = catalog.indicator_id
        """
    )
    con.unregister("added_lines")


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
            changed = {
                "spike": own.loc[[year]] * np.exp(rng.choice([-1, 1]) * rng.uniform(0.25, 0.6)),
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


def harm_done(before: Frame, after: Frame, right: Frame) -> dict[str, int]:
    """Right current values lost, or wrong now, and right values of others that are blocked now."""
    now = after[after["is_current"]].set_index(CELL)["value"]
    found = now.reindex(pd.MultiIndex.from_frame(right[CELL])).to_numpy()
    gap = np.abs(found / right["value"].to_numpy() - 1)
    truth = right.set_index(CELL)["value"].rename("truth")
    both = before.merge(after[["observation_id", "quality_flag"]], on="observation_id").join(
        truth, on=CELL, how="inner"
    )
    sound = (both["value"] / both["truth"] - 1).abs() <= SAME
    blocked = (both["quality_flag_x"] != "blocked") & (both["quality_flag_y"] == "blocked")
    return {
        "right": len(right),
        "lost": int(np.isnan(gap).sum()),
        "wrong": int((gap > SAME).sum()),
        "blocked": int((sound & blocked).sum()),
    }


def good_done(before: Frame, after: Frame, truth: Frame, added: Frame) -> dict[str, int]:
    """Of the wrong current values that the added source has right: how many are right now.
    ``truth`` holds the right values of the cells in which errors were planted.
    """
    cells = pd.MultiIndex.from_frame(truth[CELL])
    gaps = [
        np.abs(
            values.set_index(CELL)["value"].reindex(cells).to_numpy() / truth["value"].to_numpy()
            - 1
        )
        for values in (before[before["is_current"]], added, after[after["is_current"]])
    ]
    could = (gaps[0] > 5 * SAME) & (gaps[1] <= SAME)
    return {"could": int(could.sum()), "mended": int((could & (gaps[2] <= SAME)).sum())}


def measure(bench: Bench, raw: pa.Table, input_file: Path) -> pd.DataFrame:
    """Harm of every bad source and good of every sound one, a row each."""
    kept = pc.is_in(raw.column("indicator_id"), pa.array(CONTEXT))
    base = bench.build("harm", raw.filter(kept), input_file)
    with duckdb.connect(str(base / "citysync.duckdb")) as con:
        con.execute(WRITABLE)
    before = read_values(base)
    right = right_values(before)
    rows = []
    for number, planting in enumerate(BAD):
        after, _ = with_source(bench, base, planting, right, number)
        rows.append({"source": planting.name, **harm_done(before, after, right)})
        print(f"# harm: {rows[-1]}", flush=True)
    errors = draw_errors(right, np.random.default_rng([SEED, 99]))
    spoiled = bench.home.root / "spoiled"
    bench.again(base, lambda con: plant_errors(con, errors, right), JUDGING).rename(spoiled)
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

    def add(con: duckdb.DuckDBPyConnection) -> None:
        for copy in range(planting.copies):
            add_source(con, lines, "planted" + "_again" * copy)

    return read_values(bench.again(build, add, JUDGING)), lines


def table(found: Frame) -> str:
    """What bad sources did, and which; what sound ones mended, and the one that mended least."""
    harm, good = found[found["right"].notna()], found[found["could"].notna()]
    done = ["wrong", "lost", "blocked"]
    harmful = harm[harm[done].sum(axis=1) > 0].set_index("source")[done]
    harmful.loc[f"all {len(harm)} bad sources"] = harm[done].sum()
    heads = ["source", "right current values wrong", "lost", "right values of others blocked"]
    rows = [[name, *(f"{n:,.0f}" for n in counts)] for name, counts in harmful.iterrows()]
    could, mended, share = good["could"].sum(), good["mended"].sum(), good["mended"] / good["could"]
    return "\n\n".join(
        [
            f"Beside {harm['right'].iloc[0]:,.0f} right current values of five indicators:",
            markdown([heads, *rows]),
            f"Of {could:,.0f} wrong current values that {len(good)} sound sources have right, "
            f"{mended:,.0f} are mended ({mended / could:.0%}); the least by "
            f"'{good['source'].loc[share.idxmin()]}' ({share.min():.0%}).",
        ]
    )
