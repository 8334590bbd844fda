"""Draft a layout for a folder of files that no layout knows:

``python -m warehouse.ingest.drafting.new_source FOLDER``.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from warehouse.ingest.comparable import why_not_compared
from warehouse.ingest.drafting.evidence import Knowledge
from warehouse.ingest.drafting.header_matching import Catalog, build_catalog
from warehouse.ingest.drafting.layout_draft import Draft, draft_layout
from warehouse.ingest.drafting.sheet_draft import year_in_name
from warehouse.ingest.drafting.sheet_profile import Places
from warehouse.ingest.drafting.sheet_sample import SampleJob
from warehouse.ingest.drafting.value_matching import Reference, read_reference
from warehouse.ingest.errors import FileFault, IngestError, LayoutError
from warehouse.ingest.formats.grids import READABLE, Grid
from warehouse.ingest.landing import MAX_FILE_BYTES
from warehouse.ingest.layouts import load_layouts, parse_layout
from warehouse.ingest.place_names import read_place_names, read_province_names, read_seed
from warehouse.ingest.raw_table import FileOrigin
from warehouse.ingest.sheets.choice import tables_for
from warehouse.ingest.workers.jobs import RawJob
from warehouse.ingest.workers.pool import Job, Outcome, Pool, Task, limits_for


def new_source(
    folder: str | None,
    source_id: str | None = None,
    output: str | None = None,
    published: str | None = None,
) -> int:
    """Draft a layout from the files of a folder; the last line on standard error says how it ended.

    Parameters
    ----------
    folder : str or None
        Of the source, named as the source will be.
    source_id : str, optional
        Name of the source where the folder's does not serve: lower case, digits, _.
    output : str, optional
        File for the draft; default: standard output.
    published : str, optional
        Published database to compare values with; default: that of CITYSYNC_HOME.

    Returns
    -------
    int
        0, or 2 where nothing could be drafted.
    """
    if not folder:
        return _end(2, "expected the folder of a source; found none", ())
    if output and Path(output).is_file() and Path(output).stat().st_size:
        return _end(2, f"{output} is there already; give another --output, or move it", ())
    place = Path(folder)
    source_id = source_id or re.sub(r"[^a-z0-9_]+", "_", place.resolve().name.lower()).strip("_")
    try:
        database = Path(published) if published else _home() / "published" / "citysync.duckdb"
        without = why_not_compared(database.parent, place)
        reference = None if without else read_reference(database)
        draft, files = draft_folder(place, source_id, reference)
        if without:
            draft.notes.insert(0, f"{without}; columns are known by their headers alone")
        reading = try_draft(draft, source_id, place, files)
    except IngestError as error:
        reason, *notes = str(error).splitlines()
        return _end(2, reason, notes)
    if output:
        Path(output).parent.mkdir(parents=True, exist_ok=True)
        Path(output).write_text(draft.text, encoding="utf-8")
    else:
        sys.stdout.write(draft.text)
    reason = f"a draft of {source_id} is in {output or 'the standard output'}; read it all"
    return _end(0, reason, [*draft.notes, *reading])


def _end(code: int, reason: str, notes: Iterable[str]) -> int:
    """Notes, then the last line; the draft alone goes to standard output."""
    sys.stdout.flush()
    print("\n".join([*notes, f"citysync: exit {code}: {reason}"]), file=sys.stderr)
    return code


def _home() -> Path:
    """CITYSYNC_HOME, else `data/` in the checkout."""
    return Path(os.environ.get("CITYSYNC_HOME") or Path(__file__).resolve().parents[3] / "data")


def draft_folder(
    folder: Path, source_id: str, reference: Reference | None = None
) -> tuple[Draft, list[str]]:
    """Draft of a folder's layout and the files that could be read, by their paths inside it.

    Every file is read in a process of its own under limits, as in a refresh: one that cannot be
    read is a note, and the others are drafted.

    Parameters
    ----------
    folder : Path
    source_id : str
    reference : Reference, optional
        Known values; without them headers alone are compared.

    Raises
    ------
    LayoutError
        The folder is missing, holds no file that can be read, or none with a table; or the source's
        name is not valid.
    """
    if not folder.is_dir():
        raise LayoutError(
            f"{folder}: expected a folder with the files of one source; found none; check the path"
        )
    if not re.fullmatch(r"[a-z][a-z0-9_]*", source_id):
        raise LayoutError(
            f"{folder}: expected a source name of small letters, digits and _; found "
            f"{source_id!r}; give --source-id"
        )
    files, delimiters, faults = read_folder(folder)
    if not files:
        shown = "; ".join(faults) or "none"
        raise LayoutError(
            f"{folder}: expected files of type {', '.join(READABLE)}; found {shown}; convert "
            "them, or name another folder"
        )
    knowledge = Knowledge(read_catalog(), reference)
    draft = draft_layout(source_id, files, knowledge, read_places(), delimiters)
    draft.notes.extend(faults)
    if "  - files:" not in draft.text:
        raise LayoutError(
            "\n".join(
                [
                    f"{folder}: expected a table of places and years; found none: the folder seems "
                    "to hold no statistics of cities or provinces; if it does, write the layout by "
                    "hand (docs/layouts.md)",
                    *draft.notes,
                ]
            )
        )
    return draft, list(files)


def try_draft(draft: Draft, source_id: str, folder: Path, names: Iterable[str]) -> list[str]:
    """Read the files by the draft, as a refresh would, and say what came out, one line per file."""
    layout = parse_layout(draft.text, f"{source_id}.yml")
    lines = []

    def job_for(name: str, target: Path) -> RawJob | None:
        tables = tables_for(layout, name)
        origin = FileOrigin(source_id, year_in_name(name), name)
        return RawJob(str(folder / name), origin, tables, str(target)) if tables else None

    for name, outcome in _in_workers(folder, names, job_for):
        if outcome.fault is not None:
            lines.append(f"{name}: the draft does not read it yet: {outcome.fault}")
            continue
        counts = dict(map(tuple, outcome.value))
        n_values = counts.get(None, 0)
        lines.append(
            f"{name}: the draft reads {n_values:,} values and turns "
            f"{sum(counts.values()) - n_values:,} lines away"
        )
    return lines


def read_folder(folder: Path) -> tuple[dict[str, list[Grid]], dict[str, str], list[str]]:
    """Return samples of sheets by file, separators of CSV files other than a comma, and what could
    not be read.
    """
    files, delimiters, faults = {}, {}, []
    for name, outcome in _in_workers(
        folder, _names(folder), lambda name, _: SampleJob(str(folder / name), name)
    ):
        if outcome.fault is not None:
            faults.append(f"{name}: {outcome.fault}")
            continue
        files[name] = [Grid(sheet_name, rows) for sheet_name, rows in outcome.value["sheets"]]
        if outcome.value["delimiter"] != ",":
            delimiters[name] = outcome.value["delimiter"]
    return files, delimiters, faults


def _names(folder: Path) -> list[str]:
    """Return paths of the files inside the folder that have a name of a table; no link is
    followed.
    """
    return [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and path.suffix.lower() in READABLE
        and not path.name.startswith((".", "~$"))
    ]


def _in_workers(
    folder: Path, names: Iterable[str], job_for: Callable[[str, Path], Job | None]
) -> Iterator[tuple[str, Outcome]]:
    """What came of a job for each file, in the order of their names.

    `job_for` gets a name and where a result may be written; None leaves the file out.
    """
    with tempfile.TemporaryDirectory(prefix="new-source-") as scratch:
        outcomes: dict[str, Outcome] = {}

        def tasks() -> Iterator[Task]:
            for number, name in enumerate(names):
                job = job_for(name, Path(scratch) / f"{number}.parquet")
                size = (folder / name).stat().st_size
                if size > MAX_FILE_BYTES:
                    found, todo = f"{size:,} bytes", "deliver it in smaller parts"
                    fault = FileFault(f"a file of at most {MAX_FILE_BYTES:,} bytes", found, todo)
                    outcomes[name] = Outcome(fault=fault)
                elif job is not None:
                    yield Task(job, limits_for(size), note=name)

        with Pool() as readers:
            for task, outcome in readers.run(tasks()):
                outcomes[task.note] = outcome
    yield from sorted(outcomes.items())


def read_catalog() -> Catalog:
    """Return the indicator catalog with the units and the wordings of the layouts at hand."""
    layouts = list(load_layouts(needed=()).values())
    return build_catalog(read_seed("indicator_catalog"), read_seed("unit_factors"), layouts)


def read_places() -> Places:
    """Known spellings and codes of cities and provinces."""
    cities = read_place_names()
    codes = [int(row["province_id"]) for row in read_seed("province_roster")]
    return Places(
        {"city": cities.aliases, "province": read_province_names()},
        {"city": cities.codes, "province": {code: code for code in codes}},
    )
