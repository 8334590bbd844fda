"""One small script a city: its synchronization with every other city, and each of its delivered
values with file, sheet and cell.

A page opened from a file may not fetch data, but it may load a script; so the data come as scripts
that hand over one object of JSON.
"""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from ..control_characters import visible_in_json
from .queries_marts import MEAN

SYNC_TABLE = "marts.fct_pair_synchronization"
MEASURES = ("cm_newest_growth_official", "cm_newest_growth_deflated")
SCALE = 1000  # values are kept to a thousandth, as 16-bit integers
MISSING = -32768

_MEANS = ", ".join(
    MEAN.format(f'case when "year" {sign} split then {name} end') + f" as {half}_{name}"
    for (half, sign), name in product((("before", "<"), ("after", ">=")), MEASURES)
)
HALVES = f"""
with sides as (
    select city_i_id as city_id, city_j_id as partner_id, "year", {", ".join(MEASURES)}
        from {SYNC_TABLE}
    union all select city_j_id, city_i_id, "year", {", ".join(MEASURES)} from {SYNC_TABLE}
),
span as (select min("year") as first_year, max("year") as last_year from {SYNC_TABLE}),
treated as (select city_id, treated_year from marts.dim_city),
splits as (
    select city_id,
        coalesce(
            min(case when treated_year > first_year and treated_year <= last_year
                then treated_year end),
            min((first_year + last_year + 1) // 2)
        ) as split
    from (select distinct city_id from sides) cross join span left
        join treated using (city_id) group by city_id
)
select city_id, partner_id, split, {_MEANS} from sides inner join splits using (city_id)
    group by all
"""
LOCATIONS = """
select distinct source_id, edition_year, file_name, sheet_name, unit_delivered, unit
    from marts.fct_indicator_observation
order by source_id, edition_year, file_name, sheet_name, unit_delivered, unit
"""
FLAGS = (
    "select distinct quality_flag, quality_rule from marts.fct_indicator_observation order by all"
)
INDICATORS = "select distinct indicator_id from marts.fct_indicator_observation order by all"
PLACES = "select distinct city_id from marts.fct_indicator_observation order by all"
# written as text, not by a JSON function over all columns: most cells need no quotes, and half the
# bytes are saved; `nth` is the place of a cell among those of its place and indicator
CELLS = f"""
create or replace temp table city_file_cell as
with locations as (
    select *, row_number() over (order by source_id, edition_year, file_name, sheet_name,
        unit_delivered, unit) - 1 as location_no
    from ({LOCATIONS})
),
flags as (select *, row_number() over (order by quality_flag, quality_rule) - 1 as flag_no
    from ({FLAGS})),
indicators as (select *, row_number() over (order by indicator_id) - 1 as indicator_no
    from ({INDICATORS})),
spelled as (
    select * replace (
            nullif(concat_ws('; ', quality_detail, 'note behind the number in the file: ' ||
                observation_note), '') as quality_detail
        ),
        case when isfinite(value) then regexp_replace(value::varchar, '[.]0$', '') end as spelling
    from marts.fct_indicator_observation
),
texts as (
    select o.city_id, o.indicator_id, indicators.indicator_no, o.year, o.value, o.is_current,
        o.priority, o.source_id, o.edition_year, locations.location_no, o.row_no, o.col_no,
        concat(
            '[', o.year, ',', coalesce(o.spelling, 'null'),
            ',', if(o.raw_text = o.spelling or o.raw_text is null, '0', to_json(o.raw_text)), ',',
                locations.location_no,
            ',', coalesce(to_json(o.cell_ref), '0'), ',', 2 * flags.flag_no + o.is_current::int,
            if(o.quality_detail is null, '', ',' || to_json([o.quality_detail,
                in_chinese(o.quality_detail)])), ']'
        ) as cell
    from spelled as o
    inner join indicators on o.indicator_id = indicators.indicator_id
    inner join locations on o.source_id = locations.source_id
        and o.edition_year is not distinct from locations.edition_year
        and o.file_name is not distinct from locations.file_name
            and o.sheet_name is not distinct from locations.sheet_name
        and o.unit_delivered is not distinct from locations.unit_delivered
            and o.unit is not distinct from locations.unit
    inner join flags on o.quality_flag is not distinct from flags.quality_flag
        and o.quality_rule is not distinct from flags.quality_rule
)
select *, row_number() over (partition by city_id, indicator_no order by "year",
    is_current desc, priority, location_no, row_no, col_no, cell) - 1 as nth
from texts
"""
VALUES = """
select city_id, indicator_no, string_agg(cell, ',' order by nth) as cells
from city_file_cell group by all order by all
"""
# Growth with the cells that give it. A cell is named only where the formula of the growth's basis
# gives the growth from it, to a millionth: of several, the nearest and then the first.
GROWTH = """
with official as (
    select growth.city_id, growth."year",
        case when earlier.nth is null then [[value.indicator_no, value.nth]]
            else [[value.indicator_no, value.nth], [earlier.indicator_no, earlier.nth]]
        end as inputs,
        abs(case
            when growth_official_basis = 'rate' and value.value > -100
                then 100 * ln(1 + value.value / 100)
            when growth_official_basis = 'index' and value.value > 0
                then 100 * ln(value.value / 100)
            when growth_official_basis = 'level' and least(value.value, earlier.value) > 0
                then 100 * (ln(value.value) - ln(earlier.value))
        end - growth_official_pct) as gap
    from marts.fct_city_year as growth
    inner join city_file_cell as value
        on growth.city_id = value.city_id and growth."year" = value."year"
        and value.source_id = growth.growth_official_source_id
        and value.edition_year is not distinct from growth.growth_official_edition_year
        and value.indicator_id = case growth_official_basis
            when 'rate' then 'gdp_growth_official_pct' when 'index' then 'gdp_index_prev_year_100'
            when 'level' then 'gdp_real_cny_100m' end
    left join city_file_cell as earlier on growth.growth_official_basis = 'level'
        and earlier.city_id = value.city_id and earlier."year" = value."year" - 1
        and earlier.indicator_id = value.indicator_id and earlier.source_id = value.source_id
        and earlier.edition_year is not distinct from value.edition_year
    where gap < 1e-6
    qualify row_number() over (partition by growth.city_id, growth."year"
        order by round(gap, 9), value.nth, earlier.nth) = 1
),
deflated as (
    select growth.city_id, growth."year",
        [[value.indicator_no, value.nth], [earlier.indicator_no, earlier.nth]] as inputs,
        price.cell as price,
        abs(case when least(value.value, earlier.value, cpi_prev_year_100) > 0
            then 100 * (ln(value.value) - ln(earlier.value)) - 100 * ln(cpi_prev_year_100 / 100)
        end - growth_deflated_pct) as gap
    from marts.fct_city_year as growth
    inner join city_file_cell as value
        on growth.city_id = value.city_id and growth."year" = value."year"
        and value.source_id = growth.growth_deflated_source_id
        and value.indicator_id = 'gdp_nominal_cny_100m'
    inner join city_file_cell as earlier on earlier.city_id = value.city_id
        and earlier."year" = value."year" - 1
        and earlier.indicator_id = value.indicator_id and earlier.source_id = value.source_id
        and earlier.edition_year is not distinct from value.edition_year
    inner join city_file_cell as price on price.city_id = growth.city_id // 10000 * 10000
        and price."year" = growth."year" and price.indicator_id = 'cpi_prev_year_100'
        and price.is_current and price.value = growth.cpi_prev_year_100
    where gap < 1e-6
    qualify row_number() over (partition by growth.city_id, growth."year"
        order by round(gap, 9), value.nth, earlier.nth) = 1
)
select city_id, "year", growth_official_pct, growth_deflated_pct, growth_official_basis,
    growth_official_source_id, growth_official_edition_year, official.inputs,
    growth_deflated_source_id, deflated.inputs, growth_official_evidence, deflated.price
from marts.fct_city_year as growth
left join official using (city_id, "year") left join deflated using (city_id, "year")
where growth_official_pct is not null or growth_deflated_pct is not null
order by city_id, "year"
"""


def script(name: str, value: Any) -> str:
    """Return a script that hands an object of JSON to the page under a name."""
    return _script(
        name, json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    )


def _script(name: str, text: str) -> str:
    return f"citysync.put({json.dumps(name)},{visible_in_json(text)});\n"


def write_synchronization(
    con: duckdb.DuckDBPyConnection, city_ids: list[int], folder: Path
) -> dict[str, Any]:
    """Write `sync/<city_id>.js` for each city: years, and means before and after its split year,
    each in base 64 of thousandths.

    `years` is measures by years by cities; `before` and `after` are measures by cities. The split
    year is the city's first treated year where it lies inside the window, else the middle of the
    window.

    Returns
    -------
    dict
        `measures` and `years`, the order of the numbers; the cities' order is that of `city_ids`.
    """
    columns = ", ".join(MEASURES)
    found = con.execute(
        f"select city_i_id, city_j_id, year, {columns} from {SYNC_TABLE}"
    ).fetchnumpy()
    years = (
        np.unique(np.ma.filled(found["year"], 0)).astype(int)
        if len(found["year"])
        else np.array([], dtype=int)
    )
    order = np.array(city_ids, dtype=np.int64)
    i, j = _places(order, found, "city_i_id", "city_j_id")
    t = np.searchsorted(years, np.ma.filled(found["year"], 0))
    cube = np.full((len(order), len(MEASURES), len(years), len(order)), MISSING, dtype="<i2")
    halves = np.full((2, len(order), len(MEASURES), len(order)), MISSING, dtype="<i2")
    means = con.execute(HALVES).fetchnumpy()
    own, partner = _places(order, means, "city_id", "partner_id")
    for m, name in enumerate(MEASURES):
        cube[i, m, t, j] = cube[j, m, t, i] = _thousandths(found[name])
        for half, table in zip(("before", "after"), halves, strict=True):
            table[own, m, partner] = _thousandths(means[f"{half}_{name}"])
    split = dict(zip(means["city_id"].tolist(), means["split"].tolist(), strict=True))
    (folder / "sync").mkdir(parents=True, exist_ok=True)
    for k, city_id in enumerate(city_ids):
        parts = {"years": cube[k], "before": halves[0, k], "after": halves[1, k]}
        encoded = {
            name: base64.b64encode(part.tobytes()).decode("ascii") for name, part in parts.items()
        }
        text = script(f"sync/{city_id}", {"split": split.get(city_id), **encoded})
        (folder / "sync" / f"{city_id}.js").write_text(text, encoding="utf-8", newline="\n")
    return {"measures": list(MEASURES), "years": years.tolist()}


def _thousandths(column: Any) -> np.ndarray:
    """Return values as whole thousandths of 16 bits."""
    values = np.ma.filled(column, np.nan).astype(float)
    return np.where(
        np.isfinite(values), np.clip(np.round(values * SCALE), MISSING + 1, -MISSING - 1), MISSING
    ).astype("<i2")


def _places(order: np.ndarray, found: dict[str, Any], *names: str) -> list[np.ndarray]:
    """Return positions of the cities of some columns in the order of all."""
    return [np.searchsorted(order, np.ma.filled(found[name], 0)) for name in names]


def write_values(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    in_chinese: Callable[[str], str],
    *,
    is_public: bool = False,
) -> dict[str, Any]:
    """Write `values/<place>.js` for each place: its delivered values by indicator, and its growth
    with the formula and the cells that give it.

    A value is `[year, value, raw text, location, cell, state, detail]`: raw text 0 where it is
    spelled like the value, cell 0 where there is none, state = 2 * flag + is_current, detail (in
    English, in Chinese) only where the value is flagged or has a note in its file; location and
    flag are numbers of the lists returned.

    A growth is `[year, official, deflated, basis, source, edition, inputs, source of deflated, its
    inputs, evidence]`. An input is the number of an indicator and the place of the value in its
    list; inputs are null where no delivered values give the growth. `prices` has, by year, the
    value of the province's consumer prices that deflates. Public files hold no growth: it repeats
    its values.

    Returns
    -------
    dict
        `places`, `indicators`, `locations` (source, edition, file, sheet, unit delivered, unit) and
        `flags` (flag, rule).
    """
    texts: dict[int, list[str]] = {}
    con.create_function("in_chinese", functools.cache(in_chinese), ["VARCHAR"], "VARCHAR")
    con.execute(CELLS)
    con.remove_function("in_chinese")
    found = con.execute(VALUES).fetchall()
    growths = [] if is_public else con.execute(GROWTH).fetchall()
    con.execute("drop table city_file_cell")
    for place, indicator, cells in found:
        texts.setdefault(place, []).append(f'"{indicator}":[{cells}]')
    derived: dict[int, list[list[Any]]] = {}
    prices: dict[int, list[str]] = {}
    for place, *row, price in growths:
        derived.setdefault(place, []).append(row)
        if price is not None:
            prices.setdefault(place, []).append(f'"{row[0]}":{price}')
    (folder / "values").mkdir(parents=True, exist_ok=True)
    for place, parts in texts.items():
        growth = json.dumps(derived.get(place, []), ensure_ascii=False, separators=(",", ":"))
        text = _script(
            f"values/{place}",
            '{"values":{'
            + ",\n".join(parts)
            + '},"growth":'
            + growth
            + ',"prices":{'
            + ",".join(prices.get(place, []))
            + "}}",
        )
        (folder / "values" / f"{place}.js").write_text(text, encoding="utf-8", newline="\n")
    return {
        "places": [row[0] for row in con.execute(PLACES).fetchall()],
        "indicators": [row[0] for row in con.execute(INDICATORS).fetchall()],
        "locations": [list(row) for row in con.execute(LOCATIONS).fetchall()],
        "flags": [list(row) for row in con.execute(FLAGS).fetchall()],
    }
