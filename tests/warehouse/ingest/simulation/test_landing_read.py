"""The simulated landing through the shipped layouts: every figure of its files is taken, and
nothing is left out unsaid.
"""

from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from warehouse.ingest.landing import read_landing
from warehouse.ingest.layouts import load_layouts
from warehouse.ingest.simulation.landing import write_simulated_landing

SEEDS = Path(__file__).resolve().parents[4] / "warehouse" / "seeds"


@pytest.fixture(scope="module")
def simulated(tmp_path_factory) -> tuple[Path, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("simulated")
    roster, zones = pd.read_csv(SEEDS / "city_roster.csv"), pd.read_csv(SEEDS / "pilot_zones.csv")
    write_simulated_landing(folder, roster=roster, pilot_zones=zones, n_cities=12)
    landing = folder / "with_effect"
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
