"""How much of a layout `citysync new-source` drafts right: each source is taken out of a published
warehouse and drafted anew.

``python -m benchmarks.drafts --landing FOLDER --published citysync.duckdb [SOURCE ...]`` prints a
line a source, and what was missed or wrong.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from warehouse.ingest.delivered_files import describe_file, matches_path
from warehouse.ingest.drafting.new_source import draft_folder, read_folder, read_knowledge
from warehouse.ingest.drafting.value_matching import read_reference
from warehouse.ingest.errors import FileFault, LayoutError
from warehouse.ingest.formats.grids import Grid
from warehouse.ingest.layouts import Layout, Table, load_layouts, parse_layout
from warehouse.ingest.raw_table import FileOrigin
from warehouse.ingest.sheets.choice import tables_for
from warehouse.ingest.sheets.observations import build_file_observations

Key = tuple[str, str | None, object]
Meaning = tuple[str, float | None]


def meanings(
    landing: Path,
    source: str,
    files: Mapping[str, list[Grid]],
    layout: Layout,
    factors: Mapping[tuple[str, str], float],
) -> dict:
    """Indicator and factor to its canonical unit of each column (or row, or sheet) that a layout
    takes values from.
    """
    canonical = read_knowledge().catalog.canonical_unit
    found: dict[Key, Meaning] = {}
    for name, grids in files.items():
        tables = tables_for(layout, name, matches_path)
        origin = describe_file(landing, landing / source / name, None, {source: layout})
        if not tables or origin.is_ignored:
            continue
        try:
            rows = build_file_observations(
                grids, tables, FileOrigin(source, origin.origin.edition_year, name)
            ).to_pylist()
        except FileFault as fault:
            print(f"  {name}: not read: {str(fault)[:150]}")
            continue
        for row in rows:
            if row["reason"] is None and row["indicator_id"]:
                unit = canonical[row["indicator_id"]]
                stated = "".join((row["unit_text"] or unit).split()).lower()
                factor = 1.0 if stated == unit else factors.get((stated, unit))
                found.setdefault(
                    (name, row["sheet_name"], _part(tables, row)), (row["indicator_id"], factor)
                )
    return found


def _part(tables: Sequence[Table], row: Mapping[str, object]) -> object:
    """What of a sheet a value belongs to: its row where a title names the place, else its indicator
    or its column.
    """
    if any(table.place.title for table in tables):
        return row["row_no"]
    is_by_row = any(table.row_indicators or table.sheet_indicators for table in tables)
    return row["indicator_id"] if is_by_row else row["col_no"]


def measure(landing: Path, published: Path, source: str, layout: Layout) -> Counter[str]:
    """Draft a source as if it had never been delivered; how many columns were right, missed, wrong,
    and more than its layout takes.
    """
    reference = read_reference(published, [source])
    knowledge = read_knowledge(reference, [source])
    files, _, _ = read_folder(landing / source)
    truth = meanings(landing, source, files, layout, knowledge.factors)
    try:
        draft, _ = draft_folder(landing / source, source, reference, [source])
        drafted = meanings(
            landing, source, files, parse_layout(draft.text, f"{source}.yml"), knowledge.factors
        )
    except LayoutError as error:
        print(f"  no draft: {str(error).splitlines()[0][:150]}")
        drafted = {}
    counts: Counter[str] = Counter()
    for key, meaning in truth.items():
        is_known = reference is not None and meaning[0] in reference.names
        counts["can be known"] += is_known
        own = drafted.get(key)
        if own is None:
            counts["not mapped"] += is_known
        elif own == meaning:
            counts["right" if is_known else "right by header"] += 1
        else:
            counts["wrong"] += 1
        if own != meaning and (is_known or own is not None):
            print(f"  {key}: expected {meaning}, drafted {own}")
    counts["more"] = sum(key not in truth for key in drafted)
    return counts


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drafts", description=__doc__)
    parser.add_argument("--landing", type=Path, required=True)
    parser.add_argument("--published", type=Path, required=True)
    parser.add_argument("sources", nargs="*")
    options = parser.parse_args(arguments)
    total: Counter[str] = Counter()
    for source, layout in load_layouts().items():
        if (options.landing / source).is_dir() and source in (options.sources or [source]):
            counts = measure(options.landing, options.published, source, layout)
            print(f"{source}: {dict(counts)}", flush=True)
            total += counts
    mapped = sum(total[name] for name in ("right", "right by header", "wrong"))
    print(
        (
            f"all: {dict(total)}; right of those that can be known "
            f"{total['right'] / max(1, total['can be known']):.2f}"
        ),
        end="",
    )
    print(f", wrong of those mapped {total['wrong'] / max(1, mapped):.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
