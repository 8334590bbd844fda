"""The marts of a publication are copied while the estimates are made."""

from pathlib import Path

import duckdb

from orchestration import copying
from orchestration.home import Home
from warehouse.build_database import open_build


def test_marts_are_copied_beside_what_writes_the_build_and_a_failed_run_leaves_no_draft(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path)
    home.build.mkdir()
    with duckdb.connect(str(home.database)) as con:
        con.execute("create schema marts; create table marts.things as from range(1000000)")
    with copying.in_own_thread():
        copying.begin(home)
        with open_build(home.build) as con:
            con.execute("create schema estimates; create table marts.later as from range(3)")
        now, marts = copying.finish()
        assert list(marts) == ["marts.things"] and marts["marts.things"]["rows"] == 1_000_000
        copying.begin(home)
    left = [path.name for path in (tmp_path / "publications").iterdir()]
    assert left == [f".{copying.run_id_of(now)}"]
    assert [path.name for path in home.build.iterdir()] == ["citysync.duckdb"]
