"""The record of a run is written in batches: no wait for the disk at every event, and nothing is lost when the process goes on."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from orchestration.dagster_ui.run_history import batched_sqlite_commits


def write_as_dagster_does(path: Path, number: int) -> int:
    """One event by an engine and a connection of its own; how SQLite is told to wait for the disk (1 normal, 2 full)."""
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("pragma journal_mode = wal"))
        connection.execute(text("create table if not exists events (number integer)"))
        connection.execute(text("insert into events values (:number)"), {"number": number})
        connection.commit()
        return connection.execute(text("pragma synchronous")).scalar_one()


def test_a_closing_connection_does_not_fold_the_log_into_the_file(tmp_path: Path) -> None:
    path, log = tmp_path / "run.db", tmp_path / "run.db-wal"
    with batched_sqlite_commits():
        assert [write_as_dagster_does(path, number) for number in range(3)] == [1, 1, 1]
        assert log.exists()
        with sqlite3.connect(path) as other:
            assert other.execute("select count(*) from events").fetchone() == (3,)
        other.close()
    assert not log.exists()
    with sqlite3.connect(path) as after:
        assert after.execute("select sum(number) from events").fetchone() == (3,)


def test_outside_of_a_run_nothing_is_changed(tmp_path: Path) -> None:
    with batched_sqlite_commits():
        pass
    assert write_as_dagster_does(tmp_path / "run.db", 1) == 2
    assert not (tmp_path / "run.db-wal").exists()
