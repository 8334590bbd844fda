"""A run whose history is written in batches leaves the same history, and no open file."""

from __future__ import annotations

import os

import dagster as dg

from orchestration.dagster_ui.run_history import batched_sqlite_commits


@dg.asset
def first() -> None:
    """Stands for any asset."""


@dg.asset(deps=[first])
def second() -> None:
    """Fails, so that a run that broke is kept too."""
    raise ValueError("no such thing")


def test_every_event_is_kept_and_no_file_stays_open() -> None:
    def events(instance: dg.DagsterInstance) -> list[str]:
        run = dg.materialize([first, second], instance=instance, raise_on_error=False)
        return [event.message for event in instance.all_logs(run.run_id)]

    with dg.instance_for_test() as plain:
        wanted = events(plain)
    with dg.instance_for_test() as instance:
        with batched_sqlite_commits():
            found = events(instance)
        opened = [os.path.realpath(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")]
        assert not [path for path in opened if path.startswith(instance.root_directory)]
    assert len(found) == len(wanted) > 10
