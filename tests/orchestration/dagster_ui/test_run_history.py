"""A run whose history is written in batches leaves the same history, and no open file; tables in
the form in which the UI shows them.
"""

import os

import dagster as dg
import pandas as pd
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from orchestration.dagster_ui import run_history
from orchestration.dagster_ui.metadata import show_aside
from orchestration.dagster_ui.run_history import batched_sqlite_commits


@dg.asset
def first() -> None:
    """Stands for any asset."""


@dg.asset(deps=[first])
def second() -> None:
    """Fails, so that a run that broke is kept too."""
    raise ValueError("no such thing")


def test_every_event_is_kept_and_no_file_stays_open(monkeypatch):
    def events(instance: dg.DagsterInstance) -> list[str]:
        run = dg.materialize([first, second], instance=instance, raise_on_error=False)
        return [event.message for event in instance.all_logs(run.run_id)]

    with dg.instance_for_test() as plain:
        wanted = events(plain)
    with dg.instance_for_test() as instance:
        lent: list[tuple] = []
        connect = run_history.sqlite3.connect
        monkeypatch.setattr(
            run_history.sqlite3, "connect", lambda *a, **k: lent.append(a) or connect(*a, **k)
        )
        with batched_sqlite_commits():
            found = events(instance)
        opened = [os.path.realpath(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")]
        assert not [path for path in opened if path.startswith(instance.root_directory)]
    assert len(found) == len(wanted) > 10
    assert 0 < len(lent) < len(wanted), "a connection serves more than one event"


def test_a_connection_is_lent_to_one_at_a_time(tmp_path):
    """What a second borrower gives back undoes nothing of the first one's."""
    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}", poolclass=NullPool)
    with batched_sqlite_commits():
        engine.connect().close()
        with engine.begin() as first:
            first.execute(text("create table t as select 1 as k"))
            first.execute(text("insert into t values (2)"))
            engine.connect().close()
        with engine.connect() as again:
            assert again.execute(text("select count(*) from t")).scalar() == 2


def test_long_cells_cannot_break_out_of_their_table():
    shown = show_aside(pd.DataFrame({"sample": ["a|b\n<script>", None], "n": [1.5, 2.0]})).md_str
    assert shown.splitlines() == [
        "| sample | n |",
        "| --- | --- |",
        "| a/b &lt;script&gt; | 1.5 |",
        "|  | 2.0 |",
    ]
