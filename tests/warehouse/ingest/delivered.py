"""Files in the manner of the sources, made by code, and a small layout that reads them."""

import csv
import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow.parquet as pq

from warehouse.ingest.landing import LandingReport, read_landing
from warehouse.ingest.layout_model import Layout
from warehouse.ingest.layouts import parse_layout
from warehouse.ingest.place_names import read_seed

LAYOUT_YAML = r"""
source_id: panel
description: Cities and years in rows.
edition_year: {file_name: '_([0-9]{4})\.', offset: -1}
ignore_files:
  - {pattern: "*.txt", reason: column descriptions only}
tables:
  - files: ["*.xlsx", "*.xls", "*.csv", "*.dta", "*.parquet"]
    ignore_sheets:
      - {name: 说明, reason: notes in words}
    header: {find: [年份, 城市]}
    place: {level: city, code: 城市代码, name: 城市}
    year: {column: 年份}
    indicators:
      - {column: 地区生产总值(万元), id: gdp_nominal_cny_100m, unit_pattern: '\((.+)\)$'}
      - {column: 外资, id: fdi_usd_1m, unit_column: 单位, optional: true}
    ignore_columns:
      - {column: 省份, reason: the roster has it}
    drop_rows:
      - {column: 城市, matches: 合计$, reason: subtotal of a province}
    stray_cells:
      - {matches: 淘宝, reason: advertisement of the seller}
"""
YEARS_YAML = r"""
source_id: sheets
description: A sheet an indicator, years across.
tables:
  - files: ["*.xlsx"]
    header: {find: [地区]}
    place: {level: city, name: 地区}
    year: {columns: "([0-9]{4})年?"}
    sheet_indicators:
      贷款: {id: loans_cny_100m, unit_pattern: '^单位:(.+)$'}
      存款: {id: deposits_cny_100m, unit: 亿元, optional: true}
    drop_rows:
      - {column: 地区, matches: "^数据来源", reason: source line}
"""
HEADER = ["年份", "省份", "城市", "城市代码", "地区生产总值（万元）"]
ROWS = [
    HEADER,
    [2015, "北京市", "北京市", 110000, 230145900],
    [2016, "北京市", "北京市", 110000, 256691300.5],
]


def layouts() -> dict[str, Layout]:
    """The two small layouts of this file by source."""
    return {
        "panel": parse_layout(LAYOUT_YAML, "panel.yml"),
        "sheets": parse_layout(YEARS_YAML, "sheets.yml"),
    }


def roster(n: int) -> list[tuple[str, int]]:
    """Name and code of cities of today."""
    rows = [row for row in read_seed("city_roster") if not row["valid_to_year"]]
    return [(row["city_name_zh"], int(row["city_id"])) for row in rows[:n]]


def xlsx_bytes(**sheets: list[list[object]]) -> bytes:
    """A workbook with these sheets."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    return saved(workbook.save)


def saved(save: Callable[[io.BytesIO], object]) -> bytes:
    """What a function writes into a stream."""
    stream = io.BytesIO()
    save(stream)
    return stream.getvalue()


def parquet_bytes(frame: pd.DataFrame) -> bytes:
    """A frame as Parquet."""
    return saved(lambda stream: frame.to_parquet(stream, index=False))


def stata_bytes(frame: pd.DataFrame, labels: dict | None = None) -> bytes:
    """A frame as Stata writes it, with labels for the codes of a column."""
    return saved(
        lambda stream: frame.to_stata(stream, write_index=False, version=118, value_labels=labels)
    )


def csv_bytes(rows: list[list[object]], encoding: str = "utf-8-sig") -> bytes:
    """A CSV file of these rows."""
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows(rows)
    return stream.getvalue().encode(encoding)


def deliver(landing: Path, files: dict[str, bytes]) -> Path:
    """Write files below a landing, by path."""
    for path, data in files.items():
        target = landing / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return landing


def read(landing: Path, home: Path, **options: object) -> LandingReport:
    """Read a landing into ``home`` with the small layouts."""
    return read_landing(
        landing, home / "raw", home / "build", layouts=options.pop("layouts", layouts()), **options
    )


def count_reasons(home: Path) -> dict[str, int]:
    """Rejected lines of the build by reason, files that were not read included."""
    tables = [
        pq.read_table(raw, columns=["reason"], partitioning=None)
        for raw in sorted((home / "build" / "raw").glob("*.parquet"))
    ]
    return dict(
        Counter(
            reason
            for table in tables
            for reason in table.column("reason").to_pylist()
            if reason is not None
        )
    )
