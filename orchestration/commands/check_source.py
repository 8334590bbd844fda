"""`make check-source`: one source read, staged and judged against the published warehouse; no
refresh, no trace in the home.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb

from orchestration.home import Home
from orchestration.terminal import Exit, end_command, progress, say
from warehouse.ingest.errors import IngestError
from warehouse.ingest.landing import read_folder
from warehouse.ingest.layouts import load_layouts
from warehouse.ingest.workers.pool import close_readers
from warehouse.publication.errors import PublishError
from warehouse.publication.foreign import DATABASE, attach_foreign
from warehouse.source_check.comparison import compare, describe
from warehouse.source_check.report import likely_faults, report_lines
from warehouse.source_check.staging import SettingFault, build_staging

COMMAND = "check-source"


def check_source(folder: str | None) -> Exit:
    """Say what of a source's folder would be taken, what not and why, and how its values stand
    beside the current ones.

    Parameters
    ----------
    folder : str or None
        Folder of the source, named as the source is.

    Returns
    -------
    Exit
        0 where nothing looks wrong, 1 where something probably is, 2 where files or their layout
        cannot be read.
    """
    if not folder or not folder.strip():
        return end_command(
            COMMAND, Exit.BAD_INPUT, "expected the folder of a source; found none; give SRC=folder"
        )
    try:
        with (
            tempfile.TemporaryDirectory(prefix="check-source-") as scratch,
            duckdb.connect() as con,
        ):
            return _check(Path(folder), Path(scratch), con)
    except (IngestError, SettingFault, PublishError) as error:
        lines = str(error).splitlines()
        for line in lines[1:] if len(lines) > 1 else ():
            say(line)
        return end_command(COMMAND, Exit.BAD_INPUT, lines[0])
    finally:
        close_readers()


def _check(folder: Path, scratch: Path, con: duckdb.DuckDBPyConnection) -> Exit:
    report = read_folder(folder, scratch, layouts=load_layouts())
    counts = report.table.group_by("status").aggregate([("path", "count")]).to_pylist()
    progress("read: " + ", ".join(f"{row['path_count']} files {row['status']}" for row in counts))
    build_staging(con, scratch)
    published = Home.from_environment().published / DATABASE
    if published.exists():
        attach_foreign(con, {"published": published})
        series = compare(con)
    else:
        say(
            "nothing has been published in this home: values are not compared (run make refresh "
            "first)"
        )
        series = describe(con)
    progress("staged and compared")
    faults = likely_faults(con, series)
    for line in report_lines(con, series, faults):
        say(line)
    if not series:
        return end_command(
            COMMAND, Exit.FAILED, f"no value of {folder.resolve().name} would be taken"
        )
    if faults:
        return end_command(
            COMMAND,
            Exit.FAILED,
            f"{len(faults)} things of {folder.resolve().name} look wrong, the first: {faults[0]}",
        )
    return end_command(
        COMMAND,
        Exit.DONE,
        (
            f"{sum(one.n for one in series):,} values of {folder.resolve().name} would be taken, "
            "none "
            "looks wrong"
        ),
    )
