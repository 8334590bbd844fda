"""Tables of an office clerk (``office_tables``), read by layouts written from the documentation:
right, or refused and said so.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.warehouse.ingest.delivered import deliver
from tests.warehouse.ingest.habits.office_tables import HABITS
from warehouse.ingest.landing import read_landing
from warehouse.ingest.layouts import parse_layout
from warehouse.source_check.staging import build_staging

LAYOUTS = Path(__file__).with_name("office_layouts.yml")
MADE = {name: make() for name, make in HABITS.items()}
#: Lines that a person has to understand, by source: cell, reason, and what is said of the first.
TURNED_AWAY = {
    "one_value_for_two_cities": (["C2"], "merged over C2:C3; write each into its own cell"),
    "cells_that_need_a_person": (["C3", "C5", "C6", "C7", "C8"], "expected a number"),
}


@pytest.fixture(scope="module")
def staged(tmp_path_factory) -> tuple[dict, dict]:
    """Values taken by source, and rejections by source."""
    root = tmp_path_factory.mktemp("office")
    texts = LAYOUTS.read_text(encoding="utf-8").split("---\n")[1:]
    layouts = {found.source_id: found for found in (parse_layout(t, LAYOUTS.name) for t in texts)}
    files = {f"{name}/{f}": data for name, (made, _) in MADE.items() for f, data in made.items()}
    read_landing(deliver(root / "landing", files), root / "raw", root / "build", layouts=layouts)
    taken, rejected = {name: {} for name in MADE}, {name: [] for name in MADE}
    with duckdb.connect() as con:
        build_staging(con, root / "build")
        for source, *key, value in con.execute(
            "select source_id, place_id, year, indicator_id, canonical_value from "
            "int_raw_resolved where reason is null"
        ).fetchall():
            taken[source][tuple(key)] = value
        for source, *line in con.execute(
            "select source_id, cell_ref, reason, detail from int_raw_rejections order by all"
        ).fetchall():
            rejected[source].append(tuple(line))
    return taken, rejected


@pytest.mark.parametrize("name", MADE)
def test_what_is_read_is_what_a_person_reads(staged, name):
    assert staged[0][name] == pytest.approx(MADE[name][1])


@pytest.mark.parametrize("name", TURNED_AWAY)
def test_what_only_a_person_understands_is_turned_away(staged, name):
    cells, said = TURNED_AWAY[name]
    lines = [line for line in staged[1][name] if line[1] == "not_a_number"]
    assert [cell for cell, *_ in lines if cell.startswith("C")] == cells
    assert said in lines[0][2]
