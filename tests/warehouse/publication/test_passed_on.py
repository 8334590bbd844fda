"""Years of pairs are passed on where all that they may be made from is free; a trigger is not."""

from pathlib import Path

import duckdb
import pytest

from tests.warehouse.publication.small import made_writable, put_out, run_of
from warehouse.publication.errors import PublishError
from warehouse.publication.foreign import DATABASE, attach_foreign, open_publication
from warehouse.publication.passed_on import PAIRS, PUBLISHED, SOLVABLE, VALUES, copy_tables

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
        attach_foreign(con, {PUBLISHED: tmp_path / DATABASE}, draft)
        found = copy_tables(con, draft, {"nbs", "world_bank"})
        assert con.execute(f"select count(*) from {PAIRS}").fetchall() == [(n_passed_on,)]
    left_out = {name: (n, why) for name, n, why in found}
    assert left_out.get(PAIRS, (0, SOLVABLE)) == (3 - n_passed_on, SOLVABLE)
    assert (VALUES in left_out) == (source == "a reseller")


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
