"""A reader as analysts are: opens the publication over and over through the link and looks whether
what it sees belongs together.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb

TABLES = ("marts.things", "estimates.things", "quality.things")


def look(published: Path) -> int:
    """Read one publication whole; the number it was made with.

    Raises
    ------
    AssertionError
        If tables, Parquet files and manifest are of different publications.
    """
    folder = published.resolve()
    with duckdb.connect(str(folder / "citysync.duckdb"), read_only=True) as con:
        numbers = {
            con.execute(f"select min(k), max(k) from {table}").fetchone() for table in TABLES
        }
        numbers.add(
            con.execute(
                f"select min(k), max(k) from '{folder}/parquet/marts/things.parquet'"
            ).fetchone()
        )
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert len(numbers) == 1, f"mixed state in {folder}: {numbers}"
    (number,) = numbers
    assert number[0] == number[1] == manifest["number"], (
        f"mixed state in {folder}: {number}, manifest {manifest['number']}"
    )
    return int(number[0])


def main() -> None:
    """Read until the file given second exists, then print how often and up to which publication."""
    published, stop, seen = Path(sys.argv[1]), Path(sys.argv[2]), []
    while not stop.exists():
        seen.append(look(published))
    assert seen == sorted(seen), "a reader saw an older publication after a newer one"
    print(json.dumps({"reads": len(seen), "publications": len(set(seen))}))


if __name__ == "__main__":
    main()
