"""Reading a landing against merely loading the same files with python-calamine and the CSV reader, in one process, by CPU time.

calamine loads the old .xls files too, and faster than xlrd does, so the bare side is not flattered by it.
"""

from __future__ import annotations

import csv
import io
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msoffcrypto
from python_calamine import CalamineWorkbook

from benchmarks.measure import peak_mb
from warehouse.ingest.landing import read_landing
from warehouse.ingest.layouts import load_layouts
from warehouse.ingest.protection import DEFAULT_PASSWORD, is_encrypted

REPETITIONS = 5


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
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
    return sum(len(row) for name in workbook.sheet_names for row in workbook.get_sheet_by_name(name).to_python())


def bench_reading(name: str, landing: Path) -> Iterator[dict[str, Any]]:
    """One line for the first reading of a landing, one for a second with nothing changed.

    Parameters
    ----------
    name : what the landing is called in the line.
    landing : folder of delivered files, all in UTF-8 where they are text.
    """
    layouts = load_layouts()
    bare, first, second, files, n_cells = [], [], [], [], 0
    for _ in range(REPETITIONS):
        with tempfile.TemporaryDirectory() as scratch:
            raw, build = Path(scratch) / "raw", Path(scratch) / "build"
            used, report = _timed(lambda raw=raw, build=build: read_landing(landing, raw, build, layouts=layouts))
            first.append(used)
            used, again = _timed(lambda raw=raw, build=build: read_landing(landing, raw, build, layouts=layouts))
            second.append(used)
        taken = report.files[report.files["status"] == "taken"]
        files = [landing / path for path in taken["path"] if Path(path).suffix in (".csv", ".xls", ".xlsx")]
        used, n_cells = _timed(lambda files=files: sum(load_barely(path) for path in files))
        bare.append(used)
    shared = {"files": len(files), "cells": n_cells, "peak_mb": round(peak_mb(), 1), "peer": "python-calamine, csv"}
    yield _line(f"read_{name}", first, bare) | shared | {"files_read": len(taken) - report.n_reused}
    yield _line(f"read_{name}_again", second, bare) | shared | {"files_read": len(taken) - again.n_reused}


def _timed(run: Callable[[], Any]) -> tuple[tuple[float, float], Any]:
    """Wall and CPU seconds of a call, and what it returned."""
    started, used = time.perf_counter(), time.process_time()
    found = run()
    return (time.perf_counter() - started, time.process_time() - used), found


def _line(name: str, ours: list[tuple[float, float]], bare: list[tuple[float, float]]) -> dict[str, Any]:
    """The middle of the repetitions; the ratio is one of CPU time, taken in each repetition before its middle: noise hits both sides."""
    ratios = [cpu / bare_cpu for (_, cpu), (_, bare_cpu) in zip(ours, bare, strict=True)]
    return {
        "name": name,
        "seconds": round(statistics.median(wall for wall, _ in ours), 3),
        "cpu_seconds": round(statistics.median(cpu for _, cpu in ours), 3),
        "cpu_seconds_bare": round(statistics.median(cpu for _, cpu in bare), 3),
        "ratio_to_peer": round(statistics.median(ratios), 2),
    }
