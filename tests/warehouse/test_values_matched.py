"""Values that match a different cell of another source, from trends to verdict: the models
int_trends_placed, int_values_paired, int_values_candidates, int_blocks_matched, int_blocks_graded
and int_values_matched together.
"""

import duckdb
import pytest

from warehouse.replay.models import make

LIMITS = {
    "year_offset_equal": 0.002,
    "year_offset_differs": 0.01,
    "source_equal": 0.002,
    "source_differs": 0.01,
    "match_left_share": 0.25,
    "match_table_share": 0.6,
    "match_table_cities": 10.0,
    "match_province_rows": 9.0,
    "match_city_years": 3.0,
    "match_city_share": 0.5,
    "match_mover": 1.2,
    "match_apart": 0.1,
    "row_shift_miss": 0.15,
    "spike_other_share": 0.4,
    "mixed_up_apart": 0.05,
    "mixed_up_apart_across": 0.2,
    "unit_factor_source_within": 0.15,
    # of the rules on a series alone, which int_trends_placed prepares
    "row_shift_fit": None,
    "row_shift_spread_ratio": None,
    "swap_fit": None,
    "swap_miss": None,
    "swap_noise": None,
    "swap_spike": None,
    "swap_spread_ratio": None,
}
# Figures as `cells` (source, indicator, city, y, figure, expected), for int_trends_delivered.
TRENDS = """
select row_number() over () as observation_id,
    cast(dense_rank() over (order by source, indicator) as integer) as series_no,
    source as source_id, indicator as indicator_id, 110000 + city as city_id,
    110000 as province_id, 2010 + y as "year", cast(figure as double) as log_value,
    cast(expected as double) as expected_log, cast($step as double) as step_before,
    step_before as step_after, $rate_unit as rate_unit, null::integer as edition_year,
    null::double as trend, null::double as residual, null::double as noise,
    null::double as city_noise, null::double as own_offset, null::double as spike, false as is_end
from cells
"""
TABLES = {
    "int_observations_corrected": 'select observation_id, city_id as row_no, "year" as col_no '
    "from int_trends_delivered",
    "int_values_figures": "select observation_id, 0.003 as rounding from int_trends_delivered "
    "where source_id = $rounded",
    "int_observations_constructed": "select 0 as observation_id where false",
    # who is compared: source, the other one, and the place of each among the sources
    "int_sources_related": "select unnest(compared, recursive := true), 'independent' as relation, "
    "true as is_heard from (select unnest($related) as compared)",
    "int_indicator_limits": "select unnest($limits), unnest(['g', 'h']) as indicator_id",
}


def matched(cells, *, compared, limits=None, step=None, rate_unit=None, rounded=None):
    """What is matched of the figures: by source, indicator, city and year, its kind, k, block and
    grade.
    """
    related = []
    for source, other, indicator, priority, other_priority in compared:
        for one in (
            (source, other, priority, other_priority),
            (other, source, other_priority, priority),
        ):
            names = ("source_id", "other_source_id", "priority", "other_priority")
            related.append(dict(zip(names, one, strict=True)) | {"indicator_id": indicator})
    given = {"related": related, "limits": LIMITS | (limits or {}), "rounded": rounded}
    with duckdb.connect() as con:
        con.execute(f"create table cells as {cells}")
        con.execute(
            f"create table int_trends_delivered as {TRENDS}",
            {"step": step, "rate_unit": rate_unit},
        )
        for name, sql in TABLES.items():
            used = {key: value for key, value in given.items() if f"${key}" in sql}
            con.execute(f"create table {name} as {sql}", used)
        make(con, "int_values_matched", {"int_trends_delivered", *TABLES})
        rows = con.execute(
            'select source_id, indicator_id, city_id - 110000, trends."year" - 2010, kind, k, '
            "block, grade from int_values_matched inner join int_trends_delivered as trends "
            "using (observation_id)"
        ).fetchall()
    return {row[:4]: row[4:] for row in rows}


def of_cells(sql, *, sources=("a", "b"), expected=None):
    """One row per figure of cells that have a column per source."""
    return " union all ".join(
        f"select '{source}' as source, 'g' as indicator, city, y, {source} as figure, "
        f"{expected or source} as expected from ({sql})"
        for source in sources
    )


def test_of_years_that_are_one_off_a_figure_is_repeated():
    # Of city 1 source a has the figures of the year after, and the last one once more; of city 2
    # it is the other way round. What both rest on otherwise is equal, so the repeated figure tells,
    # though it is next to figures too near to each other to be a match. b rounds.
    cells = of_cells(
        "select city, case city when 1 then n else 7 - n end as y, "
        "[1.0, 1.2008, 1.3008, 1.4008, 1.4005, 1.4005][n] as a, "
        "[1.0, 1.1, 1.2, 1.3, 1.4, 1.4005][n] as b "
        "from range(1, 3) as cities (city), range(1, 7) as ns (n)",
        expected="null",
    )
    limits = {"year_offset_equal": 0.0001, "match_left_share": 0.2, "match_table_share": 0.5}
    found = matched(
        cells,
        compared=[("a", "b", "g", 1, 1)],
        limits=limits | {"match_mover": 3.0, "match_apart": 0.5, "match_table_cities": 9.0},
        rounded="b",
    )
    early = {("a", "g", 1, y): ("year", 1, "city", "blocked") for y in (2, 3, 4)}
    late = {("a", "g", 2, y): ("year", -1, "city", "blocked") for y in (3, 4, 5)}
    assert found == early | late


def test_of_late_tables_a_chance_repeat_tells_nothing():
    # b has the figures of the year before. In city 1 the true figure of year 2 is that of year 3 as
    # well: b, which ends before it could repeat it, is no more right for it, and as nothing else
    # tells, the source that the seed trusts less is wrong.
    cells = of_cells(
        "select city, y, city + 0.05 * case when city = 1 then least(y, 2) else y end as a, "
        "city + 0.05 * (y - 1) as b from range(1, 4) as cities (city), range(1, 4) as years (y)"
    )
    limits = {"match_table_cities": 2.0, "match_province_rows": 2.0}
    found = matched(cells, compared=[("a", "b", "g", 1, 2)], limits=limits)
    late = ("year", -1, "table", "blocked")
    assert found == {("b", "g", city, y): late for city in (1, 2, 3) for y in (2, 3)}


def test_a_whole_year_in_another_unit_leaves_the_witness_alone():
    # b has year 1 ten times too high; a is right, and in one city has the figure of year 0 again.
    # Only b is wrong, though a is nearer to b's next year; what b alone has is refused with it.
    cells = of_cells(
        "select city, y, city / 10.0 + 0.005 * y as usual, "
        "case when city = 1 and y = 1 then 0.1 else usual end as a, "
        "usual + case when y = 1 then ln(10) else 0 end as b "
        "from range(1, 11) as cities (city), range(3) as years (y)",
        expected="usual",
    )
    alone = (
        " union all select 'b', 'g', 100 + n, 1, case when n = 1 then 1 else 1 + ln(10) end, 1 "
        "from range(1, 3) as ns (n)"
    )
    limits = {"year_offset_differs": 0.003, "match_province_rows": 2.0}
    found = matched(cells + alone, compared=[("a", "b", "g", 1, 1)], limits=limits)
    cities = [*range(1, 11), 101, 102]
    assert found == {("b", "g", city, 1): ("unit", 1, "table", "blocked") for city in cities}


def test_of_cities_exchanged_throughout_their_size_elsewhere_tells():
    # a has cities 1 and 2, which are alike, under each other's code in all years, b has them right.
    # Both follow their trend; c, which is compared with neither, tells how large they are.
    cells = of_cells(
        "select city, y, [1.0, 1.03, 3.0][city] as b, [1.03, 1.0, 3.0][city] as a, 10 * b as c "
        "from range(1, 4) as cities (city), range(1, 5) as years (y)",
        sources=("a", "b", "c"),
    )
    limits = {"year_offset_differs": 0.003}
    found = matched(cells, compared=[("a", "b", "g", 1, 1)], limits=limits, step=0.0)
    assert found == {
        ("a", "g", city, y): ("city", 110000 + other, "city", "blocked")
        for city, other in ((1, 2), (2, 1))
        for y in range(1, 5)
    }


def test_many_cities_under_other_codes_are_one_fact():
    # a has four cities under the code of the one before. The size of city 2 elsewhere speaks
    # against b; the four together speak against a. Of another quantity, which is no larger in a
    # larger city, source d is not accused for a.
    years = "from range(1, 5) as cities (city), range(1, 5) as years (y)"
    cells = of_cells(
        "select city, y, [2.0, 3.0, 4.0, 1.0][city] as a, city as b, "
        f"[1.0, 3.0, 2.0, 4.0][city] as c {years}",
        sources=("a", "b", "c"),
    )
    others = (
        f" union all select 'a', 'h', city, y, city, city {years}"
        f" union all select 'd', 'h', city, y, (city + 2) % 4 + 1, (city + 2) % 4 + 1 {years}"
    )
    found = matched(
        cells + others,
        compared=[("a", "b", "g", 1, 1), ("a", "d", "h", 1, 2)],
        limits={"year_offset_differs": 0.003, "match_table_cities": 4.0},
        step=0.0,
    )
    assert found == {
        ("a", "g", city, y): ("city", 110001 + city % 4, "city", "blocked")
        for city in range(1, 5)
        for y in range(1, 5)
    }


def test_of_shifted_rates_the_whole_province_falls():
    # Seven of the nine rates of a are those of the next row. The eighth is a row outside and the
    # ninth its own: rates are alike, so all of them fall.
    cells = of_cells(
        "select city, 0 as y, 0.05 + 0.007 * city as b, "
        "case when city <= 7 then 0.057 + 0.007 * city when city = 8 then 0.2 else b end as a "
        "from range(1, 10) as cities (city)",
        expected="b",
    )
    limits = {"year_offset_equal": 0.0005, "year_offset_differs": 0.003, "source_equal": 0.0005}
    limits |= {"source_differs": 0.003, "match_province_rows": 5.0, "match_city_years": 4.0}
    limits |= {"match_apart": 0.003, "mixed_up_apart": 9.0, "mixed_up_apart_across": 9.0}
    found = matched(cells, compared=[("a", "b", "g", 1, 1)], limits=limits, rate_unit="pct")
    assert found == {("a", "g", c, 0): ("row", 1, "province", "blocked") for c in range(1, 10)}


@pytest.mark.parametrize("last", [4, 9])
def test_a_table_that_is_late_accuses_nobody(last):
    # All tables of b are a year late and fall. In city 1 source a has one figure for its last two
    # years, so it could be the one that is early there: b, which is refused, does not say so, and
    # one year that is left is no run.
    cells = of_cells(
        f"select city, y, city + 0.05 * least(y, case when city = 1 then {last} else 9 end) "
        "+ 0.003 * ((7 * city * y) % 5) * (case when city = 1 then 0 else 1 end) as a, "
        "lag(a) over (partition by city order by y) as b "
        "from range(1, 13) as cities (city), range(-1, 6) as years (y) qualify y >= 0"
    )
    limits = {"match_province_rows": 20.0, "match_apart": 0.5}
    found = matched(cells, compared=[("a", "b", "g", 1, 2)], limits=limits, step=0.0)
    late = ("year", -1, "table", "blocked")
    assert found == {("b", "g", city, y): late for city in range(1, 13) for y in range(1, 6)}
