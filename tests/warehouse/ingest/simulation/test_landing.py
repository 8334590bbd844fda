"""The simulated landing: its cities, what the effect touches, bytes that repeat, and that the
shipped layouts take every figure of its files.
"""

from __future__ import annotations

import filecmp
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from warehouse.ingest.landing import read_landing
from warehouse.ingest.layouts import load_layouts
from warehouse.ingest.simulation.cities import choose_cities, first_treated_years
from warehouse.ingest.simulation.economy import NO_EFFECT
from warehouse.ingest.simulation.landing import write_simulated_landing


@pytest.mark.parametrize(
    (
        "city_id",
        "year",
        # December 2019 counts from 2020; Yiwu does not treat Jinhua, admitted in January 2022;
        # Beijing July 2018; Baoding came in 2025, Xingtai never
    ),
    [
        (330100, 2015),
        (310000, 2016),
        (110000, 2019),
        (320300, 2020),
        (330700, 2022),
        (441900, 2019),
        (222400, 0),
        (130600, 2025),
        (130500, 0),
    ],
)
def test_a_city_is_first_treated_by_the_rule_of_the_second_half(seeds, city_id, year):
    assert first_treated_years(np.array([city_id]), seeds[1]).tolist() == [year]


@pytest.mark.parametrize("n_cities", [40, 120])
def test_small_choice_keeps_pilots_and_provinces(seeds, n_cities):
    cities = choose_cities(*seeds, n_cities, 2003, 2023)
    treated = first_treated_years(cities.city_id.to_numpy(), seeds[1])
    assert len(cities) == n_cities == cities.city_id.nunique()
    assert cities.province_id.nunique() >= 20
    assert ((treated > 0) & (treated <= 2019)).sum() >= 12
    with pytest.raises(ValueError, match="n_cities must lie between 2 and"):
        choose_cities(*seeds, 1000, 2003, 2023)


@pytest.fixture(scope="module")
def landings(seeds, tmp_path_factory) -> tuple[Path, Path, Path]:
    folder = tmp_path_factory.mktemp("simulated")
    for name, effect in (("a", None), ("b", None), ("none", NO_EFFECT)):
        write_simulated_landing(
            folder / name, roster=seeds[0], pilot_zones=seeds[1], n_cities=30, effect=effect
        )
    return folder / "a", folder / "b", folder / "none"


def relative_files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_same_seed_same_bytes_and_no_effect_no_difference(landings):
    first, second, none = landings
    names = relative_files(first)
    assert len([name for name in names if "policy_texts" not in name]) == 9
    assert filecmp.cmpfiles(first, second, names, shallow=False) == (names, [], [])
    inside = relative_files(none / "with_effect")
    assert filecmp.cmpfiles(
        none / "with_effect", none / "without_effect", inside, shallow=False
    ) == (inside, [], [])


def test_what_answers_to_admission_is_what_the_docs_say(seeds, landings):
    tidy = [
        pd.read_csv(landings[0] / name / "tidy" / "observations_simulated.csv")
        for name in ("with_effect", "without_effect")
    ]
    keys = ["city_id", "year", "indicator_id"]
    both = tidy[0].merge(tidy[1], on=keys, suffixes=("", "_without"), validate="one_to_one")
    assert len(both) == len(tidy[0]) == len(tidy[1])
    first = first_treated_years(both.city_id.to_numpy(), seeds[1])
    admitted, differs = (first > 0) & (both.year >= first), both.value != both.value_without
    assert not (differs & ~admitted).any()
    assert set(both[differs].indicator_id) == {
        "fixed_investment_cny_100m",
        "patents_granted",
        "firms_new",
        "night_lights_nw_cm2_sr",
    }
    for indicator, rise in (("patents_granted", 0.2), ("firms_new", 0.15)):
        rows = both[admitted & (both.indicator_id == indicator)]
        assert np.log(rows.value / rows.value_without).median() == pytest.approx(rise, abs=0.01)


@pytest.fixture(scope="module")
def simulated(landings, tmp_path_factory) -> tuple[Path, pd.DataFrame]:
    """The landing, and its raw rows through the shipped layouts."""
    folder, landing = tmp_path_factory.mktemp("read"), landings[0] / "with_effect"
    read_landing(landing, folder / "raw", folder / "build", layouts=load_layouts(), strict=True)
    tables = [pq.read_table(file) for file in sorted((folder / "build" / "raw").glob("*.parquet"))]
    return landing, pa.concat_tables(tables).to_pandas()


def figures(path: Path, first_row: int, first_col: int) -> dict[tuple[str, str], float]:
    """Numbers of a workbook by sheet and cell, right of and below a corner, subtotal rows
    left out.
    """
    found = {}
    for sheet in openpyxl.load_workbook(path, data_only=True):
        for row in sheet.iter_rows(min_row=first_row):
            if any(isinstance(cell.value, str) and cell.value.endswith("合计") for cell in row):
                continue
            numbers = (cell for cell in row[first_col - 1 :] if isinstance(cell.value, int | float))
            found |= {(sheet.title, cell.coordinate): float(cell.value) for cell in numbers}
    return found


@pytest.mark.parametrize(
    ("path", "first_row", "first_col"),
    [
        ("sim_wide_panel/2023/城市统计面板_模拟.xlsx", 3, 4),
        ("sim_wide_panel/2024/城市统计面板_模拟.xlsx", 3, 4),
        ("sim_indicator_sheets/分指标数据_模拟.xlsx", 5, 2),
    ],
)
def test_every_figure_of_a_workbook_is_taken(simulated, path, first_row, first_col):
    landing, raw = simulated
    source_id, _, file_name = path.partition("/")
    taken = raw[
        raw["source_id"].eq(source_id) & raw["file_name"].eq(file_name) & raw["reason"].isna()
    ]
    found = dict(
        zip(zip(taken["sheet_name"], taken["cell_ref"], strict=True), taken["value"], strict=True)
    )
    assert found == figures(landing / path, first_row, first_col)
    assert (
        taken["edition_year"].isna().all()
        if source_id != "sim_wide_panel"
        else set(taken["edition_year"]) == {int(file_name[:4])}
    )


def test_every_line_of_the_tidy_file_is_taken(simulated):
    landing, raw = simulated
    delivered = pd.read_csv(landing / "tidy" / "observations_simulated.csv")
    taken = raw[raw["source_id"].eq("tidy")].reset_index(drop=True)
    assert taken["reason"].isna().all()
    assert taken["value"].tolist() == delivered["value"].tolist()
    assert taken["place_code_text"].astype(int).tolist() == delivered["city_id"].tolist()
    assert taken["row_no"].tolist() == list(range(2, len(delivered) + 2))


def test_what_is_left_out_is_left_out_by_the_layout(simulated):
    left_out = simulated[1].query("reason.notna()")
    assert set(left_out["reason"]) == {"dropped_row", "unmapped_column"}
    assert left_out["detail"].str.contains("left out by the layout").all()
