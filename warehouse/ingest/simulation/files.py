"""Writing of simulated files: workbooks with the same bytes for the same cells."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from openpyxl import Workbook

from warehouse.whole_files import write_whole

Row = Sequence[object]
#: Every time stamp of a simulated file: the day of the first approval.
FIXED_TIME = (2015, 3, 7, 0, 0, 0)
_CORE_TIMES = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*")


def _with_fixed_times(workbook_bytes: bytes) -> bytes:
    """Return the same workbook with fixed creation, change and archive times."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook_bytes)) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as copy,
    ):
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = _CORE_TIMES.sub(rb"\g<1>2015-03-07T00:00:00Z", content)
            entry = zipfile.ZipInfo(name, FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            copy.writestr(entry, content)
    return target.getvalue()


def write_workbook(path: Path, sheets: Iterable[tuple[str, Iterable[Row]]]) -> None:
    """Write sheets of plain cells to an xlsx file whose bytes depend on the cells only.

    Parameters
    ----------
    path : Path
        Target; parents are made, the file appears complete or not at all.
    sheets : iterable of (name, rows)
    """
    book = Workbook(write_only=True)
    book.properties.title = "simulated"
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    buffer = io.BytesIO()
    book.save(buffer)
    write_bytes(path, _with_fixed_times(buffer.getvalue()))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file; a reader sees the old one or the whole new one."""
    with write_whole(path) as temporary:
        temporary.write_bytes(content)
