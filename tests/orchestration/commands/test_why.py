"""`citysync why`: a cell judged again by the models has the published verdict, and every rule says
what it measured.
"""

import json
import re

import duckdb
import pytest

from estimation.analyses.primary import LEFT_OUT
from orchestration.commands.why import why
from orchestration.terminal import Exit
from warehouse.database import open_memory
from warehouse.errors import Refused
from warehouse.publication.untrusted import DATABASE, open_untrusted
from warehouse.replay import flips
from warehouse.replay.cell import explain
from warehouse.replay.measures import MEASURES
from warehouse.replay.models import WAREHOUSE
from warehouse.replay.replay import replay
from warehouse.replay.uses import find_uses, made_of

#: A cell of each verdict, quiet ones too.
CELLS = """
select any_value(quality_rule), any_value(quality_flag),
    arg_min((city_id, "year", indicator_id), hash(city_id * "year"))
from marts.fct_indicator_observation
where place_level = 'city'
group by quality_flag, quality_rule
order by quality_flag, quality_rule
"""


@pytest.fixture
def con(simulated):
    published = (simulated.home / "published").resolve()
    with open_untrusted(published / DATABASE, WAREHOUSE / "seeds") as con:
        yield con


def test_every_rule_measures_something():
    listed = re.search(r"set rules = \[(.*?)\]", _text("int_observations_flagged"), re.DOTALL)[1]
    assert {*re.findall(r"'(\w+)'", listed), "stitched"} == {one.rule for one in MEASURES}


def _text(model):
    return next(WAREHOUSE.rglob(f"models/**/{model}.sql")).read_text(encoding="utf-8")


def test_a_cell_judged_again_has_the_published_verdict_and_its_measure(con):
    """A rule on several columns of all cities may lack some here, and then it is said."""
    cells = con.execute(CELLS).fetchall()
    assert len(cells) >= 5
    for rule, flag, where in cells[:6]:
        figures = explain(con, tuple(where), left_out=LEFT_OUT).figures
        figure = next(
            one
            for one in figures
            if (one.facts["quality_flag"], one.facts["quality_rule"]) == (flag, rule)
        )
        assert figure.remark == "" or rule in ("wrong_entity", "identity"), where
        if rule and rule != "value_corrections" and not figure.remark:
            tests = [test for test in figure.tests if test.rule == rule]
            assert any(test.outcome == "found" for test in tests), (where, rule)
        assert all(test.note for test in figure.tests if test.outcome == "vetoed"), where
        # a rule that flags the figure is beyond its threshold by the model's own numbers
        assert figure.tests


def test_flips_judge_no_figure_twice_and_say_how_far_they_are(con, monkeypatch):
    where = (330100, 2014, "gdp_nominal_cny_100m")
    (figure, *_) = explain(con, where, left_out={}).figures
    monkeypatch.setattr(flips, "LEVEL_STEPS", (0.3, 2.4))
    monkeypatch.setattr(flips, "HALVINGS", 1)
    judged, told = [], []

    def replay_and_note(con, where, *, changed, to):
        judged.append(to)
        replay(con, where, changed=changed, to=to)

    monkeypatch.setattr(flips, "replay", replay_and_note)
    found = flips.find_flips(
        con,
        where,
        observation_id=figure.facts["observation_id"],
        tried=lambda n_tried, n_most: told.append((n_tried, n_most)),
    )
    assert len({one.decision for one in found}) > 1
    assert len(judged) == len(set(judged)) and figure.facts["value"] not in judged
    assert [n_tried for n_tried, _ in told] == list(range(1, len(judged) + 1))
    assert told[0][1] == 4 and told[-1][0] <= told[-1][1] == 4 + len(found)


#: A new source that has two of five figures of product wrong, beside one that has a priority; and
#: one city of 2010 alone.
PLANTED = """
update marts.fct_indicator_observation set source_id = 'csmar_region', priority = 1
where source_id = 'sim_indicator_sheets';
insert into marts.fct_indicator_observation
select * replace (
    'new_source' as source_id, null as edition_year, 'new.csv' as file_name, 999 as priority,
    false as is_current, 'ok' as quality_flag, null as quality_rule, null as quality_detail,
    "value" * if((city_id // 100 + "year") % 5 < 2, 1.4, 1) as "value",
    "value" as value_delivered
)
from marts.fct_indicator_observation
where indicator_id = 'gdp_nominal_cny_100m' and place_level = 'city' and is_current;
delete from marts.fct_indicator_observation
where city_id = 330100 and "year" = 2010 and indicator_id = 'gdp_nominal_cny_100m'
    and source_id <> 'new_source'
"""


def test_a_new_source_that_stands_apart_has_the_share_that_does(simulated, tmp_path):
    copied = tmp_path / DATABASE
    copied.write_bytes((simulated.home / "published" / DATABASE).read_bytes())
    with duckdb.connect(copied) as con:
        con.execute(PLANTED)
    with open_untrusted(copied, WAREHOUSE / "seeds") as con:
        (figure,) = explain(con, (330100, 2010, "gdp_nominal_cny_100m"), left_out={}).figures
    assert "unsupported" in [flag["rule"] for flag in figure.flags if flag["grade"] == "blocked"]
    found = [test for test in figure.tests if test.outcome == "found"]
    (test,) = [test for test in found if test.rule == "unsupported"]
    assert test.threshold == pytest.approx(0.3)
    assert test.measured == pytest.approx(0.4, abs=0.05)


def test_the_command_explains_a_cell_and_refuses_what_is_none(
    con, simulated, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("CITYSYNC_HOME", str(simulated.home))
    row = con.execute(
        "select city_id, \"year\" from marts.fct_city_year where growth_official_basis = 'rate' "
        'and "year" = 2015 order by city_id limit 1'
    ).fetchall()[0]
    given = (str(row[0]), "gdp_growth_official_pct", str(row[1]), None, False)
    page = tmp_path / "why.html"
    assert why(*given, str(page), False) == Exit.DONE
    assert "is current" in page.read_text(encoding="utf-8")
    capsys.readouterr()
    assert why(*given, None, True) == Exit.DONE
    told = json.loads(capsys.readouterr().out)
    assert told["figures"][0]["facts"]["is_current"]
    assert any("pair-years of 2015" in use for use in told["uses"])
    assert any("cm_newest_growth_official" in use for use in told["uses"])


def test_a_year_of_the_main_test_alone_is_not_said_to_have_no_pair_year(con):
    city_id, year = con.execute(
        'select city_i_id, "year" from marts.fct_pair_synchronization '
        "where cm_newest_growth_official is not null and cm_growth_official is null "
        'order by "year" desc, city_i_id limit 1'
    ).fetchall()[0]
    (indicator,) = con.execute(
        "select if(growth_official_basis = 'index', 'gdp_index_prev_year_100', "
        "'gdp_growth_official_pct') from marts.fct_city_year where city_id = $1 and \"year\" = $2",
        [city_id, year],
    ).fetchall()[0]
    used = explain(con, (city_id, year, indicator), left_out=LEFT_OUT).uses
    assert any(
        re.match(rf"\d+ pair-years of {year} .*cm_newest_growth_official", one) for one in used
    )
    assert any(one.startswith("No pair-year of cm_growth_official") for one in used)


@pytest.mark.parametrize("year", [2019, 2020, 2021])
def test_a_cell_enters_no_check_that_leaves_its_year_out(con, year):
    (city_id,) = con.execute(
        "select city_id from marts.fct_city_score inner join marts.fct_city_year "
        "using (city_id, \"year\") where time_window = 'newest' and series = 'growth_official' "
        "and growth_official_basis = 'rate' and \"year\" = $1 order by city_id limit 1",
        [year],
    ).fetchall()[0]
    where = (city_id, year, "gdp_growth_official_pct")
    used = " ".join(explain(con, where, left_out=LEFT_OUT).uses)
    assert "primary.cm_growth_official.newest " in used
    for check, years in LEFT_OUT.items():
        assert (f"{check} " in used) == (year not in years)


def test_every_column_of_the_city_panel_is_an_indicator_or_says_what_it_is_computed_from(con):
    indicators = {
        name for (name,) in con.execute("select indicator_id from marts.dim_indicator").fetchall()
    }
    for (column,) in con.execute(
        "select column_name from duckdb_columns() where schema_name = 'marts' and table_name = "
        "'fct_city_year' and data_type = 'DOUBLE'"
    ).fetchall():
        assert column in indicators or made_of(column), column
        assert indicators.issuperset(made_of(column)), column


#: A figure that somebody corrected.
CORRECTED = """
update marts.fct_indicator_observation
set quality_flag = 'corrected', quality_rule = 'value_corrections'
where city_id = 330100 and "year" = 2014 and indicator_id = 'gdp_growth_official_pct'
    and is_current;
insert into quality.correction by name
select source_id, file_name, city_id, indicator_id, 1.0 as delivered_value,
    "value" as corrected_value, 'An index' as reason, 'the yearbook' as evidence,
    1.0 as value_found, 'applies' as correction_state, "year"
from marts.fct_indicator_observation where quality_flag = 'corrected'
"""


def test_a_corrected_figure_says_why_and_no_rule_flags_from_what_is_never_reached(
    simulated, tmp_path
):
    copied = tmp_path / DATABASE
    copied.write_bytes((simulated.home / "published" / DATABASE).read_bytes())
    with duckdb.connect(copied) as con:
        con.execute(CORRECTED)
    with open_untrusted(copied, WAREHOUSE / "seeds") as con:
        cell = explain(con, (330100, 2014, "gdp_growth_official_pct"), left_out=LEFT_OUT)
    (figure,) = (one for one in cell.figures if one.facts["quality_flag"] == "corrected")
    assert "corrected by hand: An index (the yearbook)" in figure.remark
    assert all(one.threshold < 9 for one in figure.tests if one.kind == "log")


#: One city's rate of 2012 becomes an index, and the main test leaves the city out.
WITHOUT_RATE = """
create table gone as
select city_id, "year" from marts.fct_city_year
where "year" = 2012 and growth_official_basis = 'rate'
order by city_id limit 1;
update marts.fct_indicator_observation
set indicator_id = 'gdp_index_prev_year_100', unit = 'index_100', "value" = "value" + 100,
    value_delivered = "value" + 100
where indicator_id = 'gdp_growth_official_pct' and (city_id, "year") in (from gone);
update marts.fct_city_year
set growth_official_basis = 'index', growth_official_evidence = 'index_alone'
where (city_id, "year") in (from gone);
delete from marts.fct_city_score
where time_window = 'newest' and city_id in (select city_id from gone)
"""


def test_a_year_without_a_printed_rate_names_what_its_growth_rests_on(simulated, tmp_path):
    copied = tmp_path / DATABASE
    copied.write_bytes((simulated.home / "published" / DATABASE).read_bytes())
    with duckdb.connect(copied) as con:
        con.execute(WITHOUT_RATE)
    with open_untrusted(copied, WAREHOUSE / "seeds") as con:
        (where,) = con.execute("from gone").fetchall()
        cell = explain(con, (*where, "gdp_growth_official_pct"), left_out=LEFT_OUT)
    assert "index_alone: no printed rate confirms it" in cell.choice
    assert {one.facts["indicator_id"] for one in cell.figures} == {"gdp_index_prev_year_100"}
    # a city that the main test leaves out enters no estimate of its window
    assert any("the city is not in its sample" in use for use in cell.uses)
    assert not any(".newest " in use for use in cell.uses)


#: Growth of 2010 from real levels, and from levels at current prices.
LEVELS = """
create schema marts;
create table marts.dim_city as select 330100 as city_id;
create table marts.dim_indicator as select 'gdp_growth_official_pct' as indicator_id;
create table marts.fct_city_year as select 330100 as city_id, 2010 as "year",
    100 * ln(1.1) as growth_official_pct, 'level' as growth_official_basis,
    null as growth_official_evidence, 'a' as growth_official_source_id,
    100 * ln(1.08) as growth_deflated_pct, 'b' as growth_deflated_source_id,
    125e0 as cpi_prev_year_100;
create table marts.fct_indicator_observation as
select *, 330100 as city_id, 'city' as place_level, null as edition_year, 'ok' as quality_flag,
    null as quality_rule, false as is_current
from (values
    ('gdp_real_cny_100m', 2009, 'a', 200e0), ('gdp_real_cny_100m', 2010, 'a', 220e0),
    ('gdp_nominal_cny_100m', 2009, 'b', 300e0), ('gdp_nominal_cny_100m', 2010, 'b', 405e0)
) as t(indicator_id, "year", source_id, "value")
"""


def test_growth_from_levels_is_refused_with_its_levels_and_prices():
    with open_memory() as con:
        con.execute(LEVELS)
        said = (
            r"official growth is 10 % .* level of a \(levels 200 of 2009 and 220 of 2010\).*"
            r"deflated growth is 8 % .* of b \(300 of 2009 and 405 of 2010\) .*\(125\)"
        )
        with pytest.raises(Refused, match=said):
            explain(con, (330100, 2010, "gdp_growth_official_pct"), left_out={})


def test_a_population_enters_the_column_of_the_panel_that_uses_it():
    with open_memory() as con:
        con.execute(
            "create schema marts; create table marts.fct_city_year as select 330100 as city_id, "
            "2010 as \"year\", 870e0 as population_10k, 'resident' as population_basis, "
            "null::double as growth_official_pct, null as growth_official_basis, "
            "null as growth_official_evidence, null as growth_official_source_id, "
            "null as growth_deflated_pct, null as growth_deflated_source_id, "
            "null as cpi_prev_year_100"
        )
        for indicator, said in (
            ("population_resident_10k", "marts.fct_city_year.population_10k of 2010: 870."),
            (
                "population_registered_10k",
                "Not marts.fct_city_year.population_10k of 2010: 870, whose population_basis is "
                "resident.",
            ),
        ):
            current = [{"indicator_id": indicator, "source_id": "a"}]
            assert list(find_uses(con, (330100, 2010, indicator), current, {})) == [said]


def test_growth_of_a_level_names_its_source():
    with open_memory() as con:
        con.execute(LEVELS)
        con.execute(
            "create schema estimates; create table estimates.\"check\" as select '' as series, "
            "2010 as first_year, 2010 as last_year, 0e0 as estimate, 0e0 as p_value, "
            "'' as \"check\", '' as name"
        )
        current = [{"indicator_id": "gdp_nominal_cny_100m", "source_id": "a"}]
        used = find_uses(con, (330100, 2009, "gdp_nominal_cny_100m"), current, {})
        assert "growth_deflated_pct of 2010: 7.6961 log points times 100, by b," in next(used)


#: Three indicators, of which one is delivered for one of two cities.
SMALL = """
create schema marts;
create table marts.dim_city as select unnest([330100, 330200]) as city_id;
create table marts.dim_indicator as from (values
    ('gdp_nominal_cny_100m'), ('gdp_real_cny_100m'), ('wage_bill_cny_100m'), ('cpi_prev_year_100')
) as t(indicator_id);
create table marts.fct_indicator_observation as
select 330100 as city_id, 'gdp_nominal_cny_100m' as indicator_id, 'city' as place_level,
    unnest([2003, 2004, 2005, 2007]) as "year", 'a' as source_id, null as edition_year,
    5e0 as "value", 'ok' as quality_flag, null as quality_rule, true as is_current
union all by name
select 330000 as city_id, 'cpi_prev_year_100' as indicator_id, 'province' as place_level,
    2005 as "year", 'b' as source_id, 101e0 as "value", 'ok' as quality_flag, true as is_current;
create table marts.fct_city_year as
select 330100 as city_id, 2005 as "year", 7e0 as growth_deflated_pct
"""


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ((330100, 2005, "gdp"), r"found gdp \(near: gdp_nominal_cny_100m, gdp_real_cny_100m\)"),
        ((330100, 2005, "wage_bil_cny_100m"), r"\(near: wage_bill_cny_100m"),
        ((330100, 2006, "gdp_nominal_cny_100m"), "deliver it for 2003-2005, 2007$"),
        ((330200, 2005, "gdp_nominal_cny_100m"), "deliver it for no year$"),
        ((990000, 2005, "gdp_nominal_cny_100m"), "990000, which is no city$"),
        ((330000, 2005, "gdp_nominal_cny_100m"), "330000, which is a province: no file"),
        ((330000, 2005, "cpi_prev_year_100"), r"which is a province: b 101 \(current, ok\)$"),
        ((330200, 2005, "cpi_prev_year_100"), r"a figure of the province: b 101 \(current, ok\)$"),
        (
            (330100, 2005, "growth_deflated_pct"),
            "; 7 in 2005. Ask for what .*: gdp_nominal_cny_100m, cpi_prev_year_100$",
        ),
    ],
)
def test_what_is_no_cell_is_refused_with_what_is_near_it(monkeypatch, cell, said):
    """Before any model is run."""
    monkeypatch.setattr("warehouse.replay.cell.replay", None)
    with open_memory() as con:
        con.execute(SMALL)
        with pytest.raises(Refused, match=said):
            explain(con, cell, left_out={})
