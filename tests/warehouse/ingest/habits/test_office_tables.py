"""Tables of an office clerk (``office_tables``), read by layouts written from the documentation:
right, or refused and said so.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.warehouse.ingest.delivered import deliver
from tests.warehouse.ingest.habits.office_tables import CITIES, HABITS, gdp
from warehouse.ingest.errors import LandingError
from warehouse.ingest.landing import read_folder, read_landing
from warehouse.ingest.layouts import Layout, parse_layout
from warehouse.source_check.staging import build_staging

LAYOUTS = Path(__file__).with_name("office_layouts.yml")
REFUSED = "web_page_called_a_workbook"
MADE = {name: make() for name, make in HABITS.items()}


@pytest.fixture(scope="module")
def layouts() -> dict[str, Layout]:
    texts = LAYOUTS.read_text(encoding="utf-8").split("---\n")[1:]
    return {
        layout.source_id: layout for layout in (parse_layout(text, LAYOUTS.name) for text in texts)
    }


@pytest.fixture(scope="module")
def staged(layouts, tmp_path_factory):
    """Values taken by source, and rejections by source, of all tables but the one that is refused
    as a file.
    """
    root = tmp_path_factory.mktemp("office")
    files = {
        f"{name}/{file}": data
        for name, (made, _) in MADE.items()
        if name != REFUSED
        for file, data in made.items()
    }
    read_landing(deliver(root / "landing", files), root / "raw", root / "build", layouts=layouts)
    with duckdb.connect() as con:
        build_staging(con, root / "build")
        lines = con.execute(
            "select source_id, place_id, year, indicator_id, canonical_value from "
            "int_raw_resolved where reason is null"
        ).fetchall()
        rejected = con.execute(
            "select source_id, cell_ref, reason, detail from int_raw_rejections order by all"
        ).fetchall()
    return (
        {
            name: {
                (place, year, what): value
                for source, place, year, what, value in lines
                if source == name
            }
            for name in MADE
        },
        {name: [line[1:] for line in rejected if line[0] == name] for name in MADE},
    )


def test_there_are_thirty_and_each_has_a_layout(layouts):
    assert len(MADE) >= 30
    assert set(layouts) == set(MADE)


@pytest.mark.parametrize("name", [name for name in MADE if name != REFUSED])
def test_what_is_read_is_what_a_person_reads(staged, name):
    assert staged[0][name] == pytest.approx(MADE[name][1])


def test_a_file_of_another_format_is_refused(layouts, tmp_path):
    folder = (
        deliver(tmp_path, {f"{REFUSED}/{file}": data for file, data in MADE[REFUSED][0].items()})
        / REFUSED
    )
    with pytest.raises(LandingError, match="found a web page, another format than its name says"):
        read_folder(folder, tmp_path / "build", layouts=layouts)


def test_a_year_of_two_digits_is_no_year(staged):
    assert {reason for _, reason, _ in staged[1]["years_of_two_digits"]} == {"unknown_year"}
    assert len(staged[1]["years_of_two_digits"]) == 16


def test_a_value_merged_over_two_cities_belongs_to_neither(staged):
    ((cell, reason, detail),) = staged[1]["one_value_for_two_cities"]
    assert (cell, reason) == ("C2", "not_a_number")
    assert "merged over C2:C3; write each into its own cell" in detail


def test_cells_that_only_a_person_understands_are_rejected(staged):
    lines = [line for line in staged[1]["cells_that_need_a_person"] if line[0].startswith("C")]
    assert [(cell, reason) for cell, reason, _ in lines] == [
        (f"C{row}", "not_a_number") for row in (3, 5, 6, 7, 8)
    ]


def test_hidden_figures_are_left_out_and_named(staged):
    assert (CITIES[0][0], 2019, "gdp_nominal_cny_100m") in staged[0][
        "hidden_column_of_the_same_name"
    ]
    assert staged[0]["hidden_column_of_the_same_name"][
        CITIES[0][0], 2019, "gdp_nominal_cny_100m"
    ] == gdp(CITIES[0][0], 2019)
    assert ("C1", "unmapped_column") in [
        line[:2] for line in staged[1]["hidden_column_of_the_same_name"]
    ]
