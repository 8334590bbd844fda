"""`citysync check-source`: one source read, staged and judged against the published warehouse; no
refresh, no trace in the home.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb

from orchestration.home import Home
from orchestration.terminal import Exit, end_command, progress, say
from warehouse.build_database import open_memory
from warehouse.ingest.landing import read_folder
from warehouse.ingest.layouts import load_layouts
from warehouse.ingest.witness import why_no_witness
from warehouse.publication.foreign import attach_foreign, open_publication
from warehouse.source_check.comparison import compare
from warehouse.source_check.faults import likely_faults, not_compared
from warehouse.source_check.report import report_lines
from warehouse.source_check.staging import build_staging


def check_source(folder: str | None, everything: bool = False) -> int:
    """Say what of a source's folder would be taken, what not and why, and how its values stand
    beside the current ones.

    Parameters
    ----------
    folder : str or None
        Folder of the source, named as the source is.
    everything : bool
        Whether to say all of it, and not what fits on a screen.

    Returns
    -------
    Exit
        0 where nothing looks wrong, 1 where something probably is, 2 where files or their layout
        cannot be read.
    """
    if not folder or not folder.strip():
        return end_command(Exit.BAD_INPUT, "expected the folder of a source; found none")
    with (
        tempfile.TemporaryDirectory(prefix="check-source-") as scratch,
        open_memory() as con,
    ):
        return _check(Path(folder), Path(scratch), con, everything=everything)


def _check(
    folder: Path, scratch: Path, con: duckdb.DuckDBPyConnection, *, everything: bool
) -> Exit:
    report = read_folder(folder, scratch, layouts=load_layouts(needed={folder.resolve().name}))
    con.register("input_file", report.table)
    counts = report.table.group_by("status").aggregate([("path", "count")]).to_pylist()
    progress("read: " + ", ".join(f"{row['path_count']} files {row['status']}" for row in counts))
    build_staging(con, scratch)
    published = Home.from_environment().published
    without = why_no_witness(published, folder)
    if without:
        say(without)
    else:
        attach_foreign(con, {"published": open_publication(published).database})
    series = compare(con, is_published=not without)
    progress("staged and compared")
    faults = likely_faults(con, everything=everything)
    unheard = not_compared(con)
    for line in report_lines(con, series, faults, unheard, everything=everything):
        say(line)
    if not series:
        return end_command(Exit.FAILED, f"no value of {folder.resolve().name} would be taken")
    if faults:
        return end_command(
            Exit.FAILED,
            f"{len(faults)} things of {folder.resolve().name} look wrong, the first: {faults[0]}",
        )
    taken = f"{sum(one.n for one in series):,} values of {folder.resolve().name} would be taken"
    if unheard:
        return end_command(
            Exit.DONE,
            f"{taken}; nothing wrong was found, but {len(unheard)} of {len(series)} columns have "
            "years that could not be compared",
        )
    return end_command(Exit.DONE, f"{taken}, none looks wrong")
