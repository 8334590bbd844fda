"""Reading a landing against merely loading the same files with their bare readers, in one process,
by CPU time.

The bare readers are python-calamine, xlrd for the workbooks of Excel 97-2003, and the CSV reader.
Texts and files of Stata, which none of them reads, are left out on both sides.
"""

from __future__ import annotations

import csv
import io
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msoffcrypto
import xlrd
from python_calamine import CalamineWorkbook

from benchmarks.measure import peak_mb, timed
from warehouse.ingest.formats.protection import DEFAULT_PASSWORD, is_encrypted
from warehouse.ingest.landing import LandingReport, read_landing
from warehouse.ingest.layouts import Layout, load_layouts
from warehouse.ingest.workers.pool import close_readers

REPETITIONS = 7
OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"


def load_barely(path: Path) -> int:
    """Cells of a file as its bare reader loads them: every sheet, no meaning given to any cell."""
    data = path.read_bytes()
    if path.suffix == ".csv":
        text = data.decode("utf-8-sig")
        return sum(len(row) for row in csv.reader(io.StringIO(text, newline="")))
    if is_encrypted(data):
        plain = io.BytesIO()
        book = msoffcrypto.OfficeFile(io.BytesIO(data))
        book.load_key(password=DEFAULT_PASSWORD)
        book.decrypt(plain)
        data = plain.getvalue()
    if data.startswith(OLD_WORKBOOK):
        # its remarks on odd file sizes are no part of the race
        old = xlrd.open_workbook(file_contents=data, logfile=io.StringIO())
        return sum(len(row) for sheet in old.sheets() for row in sheet.get_rows())
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
    return sum(
        len(row)
        for name in workbook.sheet_names
        for row in workbook.get_sheet_by_name(name).to_python()
    )


def bench_reading(name: str, landing: Path) -> Iterator[dict[str, Any]]:
    """One line for the first reading of a landing, one for a second with nothing changed.

    Parameters
    ----------
    name : what the landing is called in the line.
    landing : folder of delivered files, all in UTF-8 where they are text.
    """
    with tempfile.TemporaryDirectory() as folder:
        tables = Path(folder) / "tables"
        shutil.copytree(landing, tables, ignore=shutil.ignore_patterns("*.txt", "*.dta"))
        yield from _bench_tables(name, tables)


def _bench_tables(name: str, landing: Path) -> Iterator[dict[str, Any]]:
    layouts = load_layouts()
    bare, first, second, files, n_cells = [], [], [], [], 0
    for _ in range(REPETITIONS):
        with tempfile.TemporaryDirectory() as scratch:
            read = partial(_read, landing, layouts, Path(scratch))
            used, report = timed(read)
            first.append(used)
            used, again = timed(read)
            second.append(used)
        taken = report.files[report.files["status"] == "taken"]
        files = [landing / path for path in taken["path"]]
        used, n_cells = timed(lambda files=files: sum(load_barely(path) for path in files))
        bare.append(used)
    shared = {
        "files": len(files),
        "cells": n_cells,
        "peak_mb": round(peak_mb(), 1),
        "peer": "python-calamine, xlrd, csv",
    }
    for part, ours, n_reused in (
        (name, first, report.n_reused),
        (f"{name}_again", second, again.n_reused),
    ):
        yield (_line(f"read_{part}", ours, bare) | shared | {"files_read": len(files) - n_reused})


def _read(landing: Path, layouts: dict[str, Layout], scratch: Path) -> LandingReport:
    """Read a landing; processes count when they have ended."""
    try:
        return read_landing(landing, scratch / "raw", scratch / "build", layouts=layouts)
    finally:
        close_readers()


def _line(name: str, ours: list, bare: list) -> dict[str, Any]:
    """The middle of the repetitions; the ratio is of CPU time, taken in each repetition before the
    middle: noise hits both sides.
    """
    ratios = [cpu / of_peer for (_, cpu), (_, of_peer) in zip(ours, bare, strict=True)]
    return {
        "name": name,
        "seconds": round(statistics.median(wall for wall, _ in ours), 3),
        "cpu_seconds": round(statistics.median(cpu for _, cpu in ours), 3),
        "cpu_seconds_bare": round(statistics.median(cpu for _, cpu in bare), 3),
        "ratio_to_peer": round(statistics.median(ratios), 2),
    }
