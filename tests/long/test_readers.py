"""Readers query in a loop through publications: no error, no mixed state, nothing older after
something newer.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb

from tests.processes import HANG_SECONDS
from warehouse.publication.publish import publish

N_READERS, N_PUBLICATIONS = 8, 20
SCHEMAS = ("marts", "estimates", "quality", "meta")
# opens the publication through the link as analysts do; tables, Parquet and manifest must be of one
READER = """
import json, sys, duckdb, pathlib
published, stop, seen = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), []
while not stop.exists():
    folder = published.resolve()
    with duckdb.connect(str(folder / "citysync.duckdb"), read_only=True) as con:
        tables = ["marts.things", "estimates.things", f"'{folder}/parquet/marts/things.parquet'"]
        found = {con.execute(f"select min(k), max(k) from {t}").fetchone() for t in tables}
    number = json.loads((folder / "manifest.json").read_text())["number"]
    assert found == {(number, number)}, (folder, found, number)
    seen.append(number)
assert seen and seen == sorted(seen)
"""


def put_out(home: Path, number: int) -> None:
    """Publish tables that all hold one number."""
    database = home / f"build_{number}.duckdb"
    with duckdb.connect(str(database)) as con:
        for schema in SCHEMAS:
            con.execute(
                f"create schema {schema}; create table {schema}.things as select {number} as k "
                "from range(20000)"
            )
    (home / "report").mkdir(exist_ok=True)
    (home / "report" / "index.html").write_text(str(number), encoding="utf-8")
    manifest = {"run_id": f"20260101T000000.{number:06d}Z", "is_simulated": False, "number": number}
    folders = {"report": home / "report"}
    publish(database, home / "published", manifest=manifest, folders=folders)
    database.unlink()


def test_readers_never_see_an_error_or_a_mixed_state(tmp_path: Path) -> None:
    put_out(tmp_path, 0)
    stop = tmp_path / "stop"
    command = [sys.executable, "-c", READER, str(tmp_path / "published"), str(stop)]
    readers = [
        subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(N_READERS)
    ]
    for number in range(1, N_PUBLICATIONS + 1):
        put_out(tmp_path, number)
    stop.touch()
    for reader in readers:
        _, said = reader.communicate(timeout=HANG_SECONDS)
        assert reader.returncode == 0, said
