"""Whatever the bytes of a file are, reading it ends in a table or in a fault that the reader
foresaw.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.warehouse.ingest.fuzzing import SEEDS, change, hostile, keep, kept, task
from warehouse.ingest.workers.pool import Pool

IS_LONG = os.environ.get("CITYSYNC_LONG") == "1"
EXAMPLES = 20_000 if IS_LONG else 40


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    pool = Pool(1)
    yield pool
    pool.close()


def require_foreseen(pool: Pool, target, kind: str, changes, member) -> str:
    """Read a changed file; how it ended."""
    ((_, outcome),) = pool.run([task(kind, hostile(kind, changes, member), target)])
    target.unlink(missing_ok=True)
    assert not outcome.is_unforeseen, (
        f"{outcome.fault}\nadd to fuzz_corpus.json: {keep(kind, changes, member)}"
    )
    return "fault" if outcome.fault else "table"


@pytest.mark.parametrize("kind", SEEDS)
def test_a_good_file_is_read(pool, tmp_path, kind):
    assert require_foreseen(pool, tmp_path / "a.parquet", kind, [], None) == (
        "fault" if kind == "dta" else "table"
    )


@pytest.mark.parametrize("number", range(len(kept())))
def test_what_once_went_wrong_is_foreseen(pool, tmp_path, number):
    require_foreseen(pool, tmp_path / "a.parquet", *kept()[number])


@pytest.mark.parametrize("kind", SEEDS)
def test_a_changed_file_ends_in_a_table_or_a_foreseen_fault(pool, tmp_path, kind, capsys):
    ended = Counter()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=not IS_LONG,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(change, min_size=1, max_size=6), st.one_of(st.none(), st.integers(0, 20)))
    def try_out(changes, member):
        ended[require_foreseen(pool, tmp_path / "a.parquet", kind, changes, member)] += 1

    try_out()
    assert sum(ended.values()) >= EXAMPLES
    if IS_LONG:
        with capsys.disabled():
            print(f"\n{kind}: {ended['table']} tables, {ended['fault']} faults, none unforeseen")
