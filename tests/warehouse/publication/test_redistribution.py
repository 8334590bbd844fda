"""Years of pairs are passed on where all that they may be made from is free; a trigger is not."""

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from tests.warehouse.publication.small import made_writable, put_out, run_of
from warehouse.publication import redistribution
from warehouse.publication.errors import PublishError
from warehouse.publication.redistribution import (
    PAIRS,
    PUBLISHED,
    SOLVABLE,
    VALUES,
    copy_tables,
    require_no_recovery,
)
from warehouse.publication.untrusted import (
    DATABASE,
    Publication,
    attach_untrusted,
    open_publication,
)

SOURCES = """
create schema marts;
create table marts.fct_indicator_observation as
    select 'nbs' as source_id, true as is_current union all select '{source}', {is_current};
create table marts.fct_pair_synchronization as select range as city_i_id from range(3)
"""


@pytest.mark.parametrize(
    ("source", "is_current", "n_passed_on"),
    [("world_bank", True, 3), ("a reseller", False, 3), ("a reseller", True, 0)],
)
def test_years_of_pairs_stay_where_every_current_value_is_free(
    tmp_path: Path, source: str, is_current: bool, n_passed_on: int
) -> None:
    with duckdb.connect(tmp_path / DATABASE) as con:
        con.execute(SOURCES.format(source=source, is_current=is_current))
    draft = tmp_path / "draft"
    with duckdb.connect() as con:
        attach_untrusted(con, {PUBLISHED: tmp_path / DATABASE}, draft)
        found = copy_tables(con, draft, {"nbs", "world_bank"})
        assert con.execute(f"select count(*) from {PAIRS}").fetchall() == [(n_passed_on,)]
    left_out = {name: (n, why) for name, n, why in found}
    assert left_out.get(PAIRS, (0, SOLVABLE)) == (3 - n_passed_on, SOLVABLE)
    assert (VALUES in left_out) == (source == "a reseller")


@pytest.fixture
def grown(tmp_path: Path) -> Publication:
    """A publication whose growth of sixty cities in ten years may not be passed on."""
    rng = np.random.default_rng(4)
    growth = 8 + 2 * rng.standard_normal(10) + 1.5 * rng.standard_normal((60, 10))
    rows = []
    for city, year in np.ndindex(growth.shape):
        rows.append((110100 + city, 2010 + year, growth[city, year], "a reseller"))
    frame = pd.DataFrame(rows, columns=["city_id", "year", "growth", "source"])
    frame.to_parquet(tmp_path / "growth.parquet")
    sql = (
        "create schema marts; create table marts.fct_city_year as select city_id, year, growth as "
        "growth_official_pct, source as growth_official_source_id "
        f"from '{tmp_path}/growth.parquet'"
    )
    return open_publication(put_out(tmp_path / "home", run_of(1), sql))


def leak(publication: Publication, columns: str, folder: Path) -> Path:
    """A public copy that holds some columns of the growth."""
    folder.mkdir()
    with publication.connect(folder) as con:
        con.execute(f"copy (select {columns} from marts.fct_city_year) to '{folder}/more.parquet'")
    return folder


def test_a_copy_that_gives_growth_back_is_refused(grown: Publication, tmp_path: Path) -> None:
    """Also where only both vintages together do; what was out before refuses nothing."""
    absent = tmp_path / "absent"
    open_copy = leak(grown, "city_id, year, exp(growth_official_pct / 100) as x", tmp_path / "a")
    with pytest.raises(PublishError, match=r"points, from these columns: a/a"):
        require_no_recovery(grown, open_copy, absent)
    closed_copy = leak(grown, "city_id, 1.5 as x", tmp_path / "b")
    n_values, sentence = require_no_recovery(grown, closed_copy, absent)
    assert n_values > 300 and sentence.startswith("best recovery of a withheld value: ")
    assert require_no_recovery(grown, closed_copy, open_copy) == (n_values, sentence)


def test_a_copy_of_too_few_withheld_values_is_written_only_when_that_is_meant(
    grown: Publication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = tmp_path / "absent"
    monkeypatch.setattr(
        redistribution, "WITHHELD", f"{redistribution.WITHHELD} and city_id < 110110"
    )
    with pytest.raises(PublishError, match=r"100 withheld values is not measured.*--unmeasured"):
        require_no_recovery(grown, tmp_path, absent)
    n_values, sentence = require_no_recovery(grown, tmp_path, absent, unmeasured=True)
    assert n_values == 100 and "found 10 in 10" in sentence
    monkeypatch.setattr(redistribution, "free_sources", lambda: {"a reseller"})
    assert require_no_recovery(grown, tmp_path, absent)[0] == 0


COEFFICIENTS = """
create schema estimates;
create table estimates.estimate as from (values
    ('a', null, 1, 13, 0.1), ('a', null, 4, 1, 0.2), ('a', 2015, 1, 1, 0.3),
    ('a', 2016, 1, 12, 0.4), ('b', null, null, 1, 0.5)
) t(spec_id, cohort_year, event_time, n_pilots, estimate);
create table estimates.diagnostic as from (values
    ('a', 'event[1]', 'city_r_eff', 1.0), ('a', 'event[1]', 'estimate_without_city', 2.0),
    ('a', '110000', 'leave_out_city', 7.0),
    ('a', 'event[4]', 'conventional_t', 3.0), ('b', 'event[4]', 'conventional_t', 4.0),
    ('a', 'att', 'estimate_without_city', 5.0), ('a', null, 'sample_n_pairs', 6.0)
) t(spec_id, term, diagnostic, "value")
"""


def test_coefficients_by_year_of_one_city_are_left_out(tmp_path: Path) -> None:
    """Also those that follow from the coefficients of all cohorts, of the others, or of all but one
    city.
    """
    with duckdb.connect(tmp_path / DATABASE) as con:
        con.execute(COEFFICIENTS)
    draft = tmp_path / "draft"
    with duckdb.connect() as con:
        attach_untrusted(con, {PUBLISHED: tmp_path / DATABASE}, draft)
        left_out = [row[:2] for row in copy_tables(con, draft, set())]
        assert left_out == [("estimates.diagnostic", 3), ("estimates.estimate", 3)]
        estimates = con.execute("select estimate from estimates.estimate order by all").fetchall()
        values = con.execute("select value from estimates.diagnostic order by all").fetchall()
    assert [float(value) for (value,) in estimates] == [0.1, 0.5]
    assert [float(value) for (value,) in values] == [1, 4, 5, 6]


def test_a_trigger_is_refused(tmp_path: Path) -> None:
    """Files of DuckDB 2 may hold some; ours are of an earlier form, which cannot."""
    folder = made_writable(put_out(tmp_path, run_of(1)))
    (folder / DATABASE).unlink()
    with duckdb.connect() as con:
        con.execute(f"attach '{folder / DATABASE}' as newer (storage_version 'v2.0.0'); use newer")
        con.execute("create table things (k integer); create table written (k integer)")
        con.execute(
            "create trigger more after insert on things for each statement "
            "insert into written values (1)"
        )
    with pytest.raises(PublishError, match=r"trigger main\.more"):
        open_publication(folder)
