"""The record of a run is written in batches: no wait for the disk at every event, and nothing is
lost when the process goes on.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Column, Integer, MetaData, Table, create_engine, text
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.pool import NullPool

from orchestration.dagster_ui.run_history import batched_sqlite_commits


def write_as_dagster_does(path: Path, number: int) -> int:
    """One event by an engine and a connection of its own; how SQLite is told to wait for the disk
    (1 normal, 2 full).
    """
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


def test_two_borrowers_of_one_file_do_not_share_a_transaction(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    with batched_sqlite_commits():
        write_as_dagster_does(path, 1)
        first, second = (
            create_engine(f"sqlite:///{path}", poolclass=NullPool).connect() for _ in range(2)
        )
        first.execute(text("insert into events values (10)"))
        assert second.execute(text("select count(*) from events")).scalar_one() == 1
        second.close()
        first.commit()
        first.close()
        # what was not committed is gone when the connection is lent again
        third = create_engine(f"sqlite:///{path}", poolclass=NullPool).connect()
        third.execute(text("insert into events values (100)"))
        third.close()
    with sqlite3.connect(path) as after:
        assert after.execute("select sum(number) from events").fetchone() == (11,)


def test_a_statement_is_compiled_once_for_all_engines(tmp_path: Path, monkeypatch) -> None:
    compiled = []
    visit = SQLiteCompiler.visit_insert
    monkeypatch.setattr(
        SQLiteCompiler,
        "visit_insert",
        lambda self, *of, **more: compiled.append(1) or visit(self, *of, **more),
    )
    table = Table("events", MetaData(), Column("number", Integer))
    with batched_sqlite_commits():
        write_as_dagster_does(tmp_path / "run.db", 1)
        for number in range(3):
            with create_engine(
                f"sqlite:///{tmp_path / 'run.db'}", poolclass=NullPool
            ).begin() as connection:
                connection.execute(table.insert().values(number=number))
    assert len(compiled) == 1
