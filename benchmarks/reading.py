"""Reading a landing against merely loading the same files with their bare readers, in one process,
by CPU time.

The bare readers are python-calamine, xlrd for the workbooks of Excel 97-2003, and the CSV reader;
the harder race, with calamine for the old workbooks as well (it loads them faster than xlrd),
stands beside it. Texts, which none of them reads, are left out on both sides.
"""

from __future__ import annotations

import csv
import io
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msoffcrypto
import xlrd
from python_calamine import CalamineWorkbook

from benchmarks.measure import peak_mb
from warehouse.ingest.formats.protection import DEFAULT_PASSWORD, is_encrypted
from warehouse.ingest.landing import read_landing
from warehouse.ingest.layouts import load_layouts
from warehouse.ingest.workers.pool import close_readers

REPETITIONS = 7
OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"


def load_barely(path: Path, *, old_with_xlrd: bool) -> int:
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
    if old_with_xlrd and data.startswith(OLD_WORKBOOK):
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
        shutil.copytree(landing, tables, ignore=shutil.ignore_patterns("*.txt"))
        yield from _bench_tables(name, tables)


def _bench_tables(name: str, landing: Path) -> Iterator[dict[str, Any]]:
    layouts = load_layouts()
    bare, harder, first, second, files, n_cells = [], [], [], [], [], 0
    for _ in range(REPETITIONS):
        with tempfile.TemporaryDirectory() as scratch:
            raw, build = Path(scratch) / "raw", Path(scratch) / "build"
            used, report = _timed(
                lambda raw=raw, build=build: read_landing(landing, raw, build, layouts=layouts)
            )
            first.append(used)
            used, again = _timed(
                lambda raw=raw, build=build: read_landing(landing, raw, build, layouts=layouts)
            )
            second.append(used)
        taken = report.files[report.files["status"] == "taken"]
        files = [landing / path for path in taken["path"]]
        used, n_cells = _timed(
            lambda files=files: sum(load_barely(path, old_with_xlrd=True) for path in files)
        )
        bare.append(used)
        used, _ = _timed(
            lambda files=files: sum(load_barely(path, old_with_xlrd=False) for path in files)
        )
        harder.append(used)
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
        yield (
            _line(f"read_{part}", ours, bare, harder)
            | shared
            | {"files_read": len(files) - n_reused}
        )


def _timed(run: Callable[[], Any]) -> tuple[tuple[float, float], Any]:
    """Wall and CPU seconds of a call, the processes that it started included, and what it
    returned.
    """
    started, used = time.perf_counter(), _cpu_seconds()
    found = run()
    close_readers()
    return (time.perf_counter() - started, _cpu_seconds() - used), found


def _cpu_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _line(name: str, ours: list, bare: list, harder: list) -> dict[str, Any]:
    """The middle of the repetitions; the ratios are of CPU time, taken in each repetition before
    their middle: noise hits all sides.
    """

    def against(peer: list) -> float:
        return round(
            statistics.median(
                cpu / of_peer for (_, cpu), (_, of_peer) in zip(ours, peer, strict=True)
            ),
            2,
        )

    return {
        "name": name,
        "seconds": round(statistics.median(wall for wall, _ in ours), 3),
        "cpu_seconds": round(statistics.median(cpu for _, cpu in ours), 3),
        "cpu_seconds_bare": round(statistics.median(cpu for _, cpu in bare), 3),
        "ratio_to_peer": against(bare),
        "ratio_with_calamine_for_xls": against(harder),
    }
