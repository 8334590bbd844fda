"""`citysync check-source`: read and stage one source and compare it with the published warehouse;
no refresh, no trace in the home.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb

from orchestration.archived_tables import read_archived, runs_of_kind
from orchestration.home import Home
from orchestration.terminal import Exit, end_command, progress, say
from warehouse.database import open_memory
from warehouse.errors import Refused
from warehouse.ingest.comparable import why_not_compared
from warehouse.ingest.landing import read_folder
from warehouse.ingest.layouts import load_layouts
from warehouse.publication.archive import day_of
from warehouse.publication.untrusted import attach_untrusted, open_publication
from warehouse.source_check.comparison import build_staging, compare
from warehouse.source_check.faults import likely_faults, not_compared
from warehouse.source_check.report import report_lines


def check_source(folder: str | None, everything: bool = False) -> int:
    """Print what of a source's folder would be taken, what not and why, and how its values differ
    from the current ones.

    Parameters
    ----------
    folder : str or None
        Folder of the source, named as the source is.
    everything : bool
        Whether to print all of it, and not what fits on a screen.

    Returns
    -------
    Exit
        0 where nothing looks wrong, 1 where something probably is, 2 where files or their layout
        cannot be read.
    """
    if not folder or not folder.strip():
        raise Refused("source: expected the folder of one source; found none; give its path")
    with (
        tempfile.TemporaryDirectory(prefix="check-source-") as scratch,
        open_memory() as con,
    ):
        return _check(Path(folder), Path(scratch), con, everything=everything)


def _check(
    folder: Path, scratch: Path, con: duckdb.DuckDBPyConnection, *, everything: bool
) -> Exit:
    home = Home.from_environment()
    published = home.published.resolve()
    without = why_not_compared(published, folder)
    if not without:
        database = open_publication(published).database
    report = read_folder(folder, scratch, layouts=load_layouts(needed={folder.resolve().name}))
    con.register("input_file", report.table)
    counts = report.table.group_by("status").aggregate([("path", "count")]).to_pylist()
    progress("read: " + ", ".join(f"{row['path_count']} files {row['status']}" for row in counts))
    build_staging(con, scratch)
    if without:
        say(without)
    else:
        attach_untrusted(con, {"published": database})
    series = compare(con, is_published=not without)
    progress("staged and compared")
    new, accepted = likely_faults(con, everything=everything)
    faults = [fault.sentence for fault in new]
    days = first_days(home.archive, folder.resolve().name)
    known = []
    for fault in accepted:
        sentence = fault.sentence
        if fault.file_name in days:
            sentence += f" (known since {days[fault.file_name]})"
        known.append(sentence)
    besides = ""
    if known:
        besides = f" besides {len(known)} that the publication has already"
    unheard = not_compared(con)
    for line in report_lines(con, series, faults, known, unheard, everything=everything):
        say(line)
    if not series:
        return end_command(Exit.FAILED, f"no value of {folder.resolve().name} would be taken")
    if faults:
        return end_command(
            Exit.FAILED,
            f"{len(faults)} things of {folder.resolve().name} look wrong"
            f"{besides}, the first: {faults[0]}",
        )
    taken = f"{sum(one['n'] for one in series):,} values of {folder.resolve().name} would be taken"
    if unheard:
        return end_command(
            Exit.DONE,
            f"{taken}; nothing wrong was found{besides}, but {len(unheard)} of "
            f"{len(series)} columns have years that could not be compared",
        )
    return end_command(Exit.DONE, f"{taken}, none looks wrong{besides}")


def first_days(archive: Path, source_id: str) -> dict[str, str]:
    """Return the day of the first archived run of delivered files that took each file of a source,
    by the file's path inside the source.
    """
    days: dict[str, str] = {}
    for run_id in runs_of_kind(archive, is_simulated=False):
        files = read_archived(archive, run_id, "meta.input_file")
        for file in files.to_dict("records"):
            source, _, name = file["path"].partition("/")
            if source == source_id and file["status"] == "taken":
                days.setdefault(name, day_of(run_id))
    return days
