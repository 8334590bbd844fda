"""Readers query in a loop through publications: no error, no mixed state, nothing older after
something newer.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import duckdb

from tests.long.conftest import Counts
from tests.orchestration.conftest import REPO
from tests.processes import HANG_SECONDS
from warehouse.publication.publish import publish


def put_out(home: Path, number: int) -> None:
    """Publish tables that all hold one number."""
    database = home / f"build_{number}.duckdb"
    with duckdb.connect(str(database)) as con:
        for schema in ("marts", "estimates", "quality", "meta"):
            con.execute(
                f"create schema {schema}; create table {schema}.things as select {number} as k "
                "from range(20000)"
            )
    for name in ("report", "data_docs"):
        (home / name).mkdir(exist_ok=True)
        (home / name / "index.html").write_text(str(number), encoding="utf-8")
    manifest = {"run_id": f"20260101T000000.{number:06d}Z", "is_simulated": False, "number": number}
    publish(
        database,
        home / "published",
        manifest=manifest,
        folders={name: home / name for name in ("report", "data_docs")},
    )
    database.unlink()


def test_readers_never_see_an_error_or_a_mixed_state(
    tmp_path: Path, counts: Counts, capsys
) -> None:
    put_out(tmp_path, 0)
    stop = tmp_path / "stop"
    command = [sys.executable, "-m", "tests.long.reader", str(tmp_path / "published"), str(stop)]
    readers = [
        subprocess.Popen(
            command, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(counts.readers)
    ]
    for number in range(1, counts.publications + 1):
        put_out(tmp_path, number)
        time.sleep(0.3)
    # slow starters get their turn too: every reader reads until it has seen the last publication or
    # this ends
    time.sleep(3)
    stop.touch()
    ended = [(reader.communicate(timeout=HANG_SECONDS), reader.returncode) for reader in readers]
    assert [code for _, code in ended] == [0] * counts.readers, [err for (_, err), _ in ended]
    seen = [json.loads(out) for (out, _), _ in ended]
    assert all(reader["reads"] > 0 for reader in seen)
    with capsys.disabled():
        reads = sum(reader["reads"] for reader in seen)
        print(
            f"\n{counts.readers} readers, {counts.publications} publications, {reads} reads, no "
            "error, no mixed state"
        )
