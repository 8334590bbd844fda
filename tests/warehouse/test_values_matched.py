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
    null::double as city_noise, null::double as own_offset, null::double as spike, false as is_end,
    null::double as neighbour_spike
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


YEARS_OF_FOUR = "from range(1, 5) as cities (city), range(1, 5) as years (y)"
LATE = ("year", -1, "table", "blocked")
OF_A_AND_B = [("a", "b", "g", 1, 1)]
#: Figures, how they are compared, and what is matched of them.
MATCHED = {
    # Of city 1 source a has the figures of the year after, and the last one once more; of city 2
    # it is the other way round. What both rest on otherwise is equal, so the repeated figure tells,
    # though it is next to figures too near to each other to be a match. b rounds.
    "of years that are one off a figure is repeated": (
        of_cells(
            "select city, case city when 1 then n else 7 - n end as y, "
            "[1.0, 1.2008, 1.3008, 1.4008, 1.4005, 1.4005][n] as a, "
            "[1.0, 1.1, 1.2, 1.3, 1.4, 1.4005][n] as b "
            "from range(1, 3) as cities (city), range(1, 7) as ns (n)",
            expected="null",
        ),
        {
            "compared": OF_A_AND_B,
            "limits": {
                "year_offset_equal": 0.0001,
                "match_left_share": 0.2,
                "match_table_share": 0.5,
                "match_mover": 3.0,
                "match_apart": 0.5,
                "match_table_cities": 9.0,
            },
            "rounded": "b",
        },
        {("a", "g", 1, y): ("year", 1, "city", "blocked") for y in (2, 3, 4)}
        | {("a", "g", 2, y): ("year", -1, "city", "blocked") for y in (3, 4, 5)},
    ),
    # b has the figures of the year before. In city 1 the true figure of year 2 is that of year 3 as
    # well: b, which ends before it could repeat it, is no more right for it, and as nothing else
    # tells, the source that the seed trusts less is wrong.
    "of late tables a chance repeat tells nothing": (
        of_cells(
            "select city, y, city + 0.05 * case when city = 1 then least(y, 2) else y end as a, "
            "city + 0.05 * (y - 1) as b from range(1, 4) as cities (city), range(1, 4) as years (y)"
        ),
        {
            "compared": [("a", "b", "g", 1, 2)],
            "limits": {"match_table_cities": 2.0, "match_province_rows": 2.0},
        },
        {("b", "g", city, y): LATE for city in (1, 2, 3) for y in (2, 3)},
    ),
    # b has year 1 ten times too high; a is right, and in one city has the figure of year 0 again.
    # Only b is wrong, though a is nearer to b's next year; what b alone has is refused with it.
    "a whole year in another unit leaves the witness alone": (
        of_cells(
            "select city, y, city / 10.0 + 0.005 * y as usual, "
            "case when city = 1 and y = 1 then 0.1 else usual end as a, "
            "usual + case when y = 1 then ln(10) else 0 end as b "
            "from range(1, 11) as cities (city), range(3) as years (y)",
            expected="usual",
        )
        + " union all select 'b', 'g', 100 + n, 1, case when n = 1 then 1 else 1 + ln(10) end, 1 "
        "from range(1, 3) as ns (n)",
        {
            "compared": OF_A_AND_B,
            "limits": {"year_offset_differs": 0.003, "match_province_rows": 2.0},
        },
        {
            ("b", "g", city, 1): ("unit", 1, "table", "blocked")
            for city in (*range(1, 11), 101, 102)
        },
    ),
    # a has cities 1 and 2, which are alike, under each other's code in all years, b has them right.
    # Both follow their trend; c, which is compared with neither, tells how large they are.
    "of cities exchanged throughout their size elsewhere tells": (
        of_cells(
            "select city, y, [1.0, 1.03, 3.0][city] as b, [1.03, 1.0, 3.0][city] as a, "
            "10 * b as c from range(1, 4) as cities (city), range(1, 5) as years (y)",
            sources=("a", "b", "c"),
        ),
        {"compared": OF_A_AND_B, "limits": {"year_offset_differs": 0.003}, "step": 0.0},
        {
            ("a", "g", city, y): ("city", 110000 + other, "city", "blocked")
            for city, other in ((1, 2), (2, 1))
            for y in range(1, 5)
        },
    ),
    # a has four cities under the code of the one before. The size of city 2 elsewhere speaks
    # against b; the four together speak against a. Of another quantity, which is no larger in a
    # larger city, source d is not accused for a.
    "many cities under other codes are one fact": (
        of_cells(
            "select city, y, [2.0, 3.0, 4.0, 1.0][city] as a, city as b, "
            f"[1.0, 3.0, 2.0, 4.0][city] as c {YEARS_OF_FOUR}",
            sources=("a", "b", "c"),
        )
        + f" union all select 'a', 'h', city, y, city, city {YEARS_OF_FOUR} union all select "
        f"'d', 'h', city, y, (city + 2) % 4 + 1, (city + 2) % 4 + 1 {YEARS_OF_FOUR}",
        {
            "compared": [*OF_A_AND_B, ("a", "d", "h", 1, 2)],
            "limits": {"year_offset_differs": 0.003, "match_table_cities": 4.0},
            "step": 0.0,
        },
        {
            ("a", "g", city, y): ("city", 110001 + city % 4, "city", "blocked")
            for city in range(1, 5)
            for y in range(1, 5)
        },
    ),
    # Seven of the nine rates of a are those of the next row. The eighth is a row outside and the
    # ninth its own: rates are alike, so all of them fall.
    "of shifted rates the whole province falls": (
        of_cells(
            "select city, 0 as y, 0.05 + 0.007 * city as b, "
            "case when city <= 7 then 0.057 + 0.007 * city when city = 8 then 0.2 else b end as a "
            "from range(1, 10) as cities (city)",
            expected="b",
        ),
        {
            "compared": OF_A_AND_B,
            "limits": {
                "year_offset_equal": 0.0005,
                "year_offset_differs": 0.003,
                "source_equal": 0.0005,
                "source_differs": 0.003,
                "match_province_rows": 5.0,
                "match_city_years": 4.0,
                "match_apart": 0.003,
                "mixed_up_apart": 9.0,
                "mixed_up_apart_across": 9.0,
            },
            "rate_unit": "pct",
        },
        {("a", "g", c, 0): ("row", 1, "province", "blocked") for c in range(1, 10)},
    ),
    # All tables of b are a year late and fall. In city 1 source a has one figure for its last two
    # years, so it could be the one that is early there: b, which is refused, does not say so, and
    # one year that is left is no run.
    **{
        f"a table that is late accuses nobody, {last}": (
            of_cells(
                "select city, y, city "
                f"+ 0.05 * least(y, case when city = 1 then {last} else 9 end) "
                "+ 0.003 * ((7 * city * y) % 5) * (case when city = 1 then 0 else 1 end) as a, "
                "lag(a) over (partition by city order by y) as b "
                "from range(1, 13) as cities (city), range(-1, 6) as years (y) qualify y >= 0"
            ),
            {
                "compared": [("a", "b", "g", 1, 2)],
                "limits": {"match_province_rows": 20.0, "match_apart": 0.5},
                "step": 0.0,
            },
            {("b", "g", city, y): LATE for city in range(1, 13) for y in range(1, 6)},
        )
        for last in (4, 9)
    },
}


@pytest.mark.parametrize(("cells", "how", "found"), MATCHED.values(), ids=MATCHED)
def test_a_figure_that_is_another_cells_is_matched(cells, how, found):
    assert matched(cells, **how) == found
