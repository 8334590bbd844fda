"""`python -m benchmarks.primary_test`: size and power of the primary test on pseudo-admissions,
into docs/evidence/primary-test.md.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from .race import Cell, cells, rejections

PAGE = Path(__file__).resolve().parents[2] / "docs" / "evidence" / "primary-test.md"
SHIPPED = {
    "contrast_3": "primary test",
    "t3": "T3",
    "channel own_variance": "channel own variance",
    "channel loading": "channel loading",
    "warning calming": "warning 'calming before' (at 10 %)",
}
WARNING_LEVEL = 0.10


def main() -> None:
    """Parse the command line, run, and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.primary_test", description=__doc__)
    parser.add_argument(
        "--draws", type=int, default=1000, help="economies or pseudo-admissions per design"
    )
    parser.add_argument("--permutations", type=int, default=499)
    parser.add_argument(
        "--panel",
        type=Path,
        default=None,
        help="published warehouse of delivered files; without it simulated designs alone",
    )
    parser.add_argument("--seed", type=int, default=20261126)
    parser.add_argument("--only", default="", help="designs whose name holds this")
    parser.add_argument(
        "--every", action="store_true", help="every candidate of the race, into its own table"
    )
    parser.add_argument(
        "--print", action="store_true", help="print the table and leave the page as it is"
    )
    chosen = parser.parse_args()
    panel = chosen.panel or _published()
    rows: dict[str, dict[str, float]] = {}
    for cell in cells(panel):
        if chosen.only in cell.name:
            rows[cell.name] = _run(cell, chosen)
            print(
                cell.name,
                " ".join(f"{name} {share:.3f}" for name, share in rows[cell.name].items()),
                flush=True,
            )
    mark = "race" if chosen.every else "primary test"
    table = race_table(rows) if chosen.every else shipped_table(rows, chosen.draws)
    if chosen.print:
        print(table)
    else:
        PAGE.write_text(
            replace_between(PAGE.read_text(encoding="utf-8"), mark, table), encoding="utf-8"
        )


def _published() -> Path | None:
    database = Path(os.environ.get("CITYSYNC_HOME", "data")) / "published" / "citysync.duckdb"
    return database if database.exists() else None


def _run(cell: Cell, chosen: argparse.Namespace) -> dict[str, float]:
    levels = {"warning calming": WARNING_LEVEL}
    return rejections(
        cell, chosen.draws, chosen.permutations, chosen.seed, every=chosen.every, levels=levels
    )


def shipped_table(rows: dict[str, dict[str, float]], draws: int) -> str:
    """One row per design: per cent of draws in which what ships rejects."""
    lines = [
        f"| design ({draws} draws) | " + " | ".join(SHIPPED.values()) + " |",
        "| --- |" + " --- |" * len(SHIPPED),
    ]
    for design, shares in rows.items():
        cells_of_row = [_percent(shares.get(name)) for name in SHIPPED]
        lines.append(
            f"| {design} | "
            + " | ".join(cells_of_row if shares else ["no verdict"] * len(SHIPPED))
            + " |"
        )
    return "\n".join(lines)


def race_table(rows: dict[str, dict[str, float]]) -> str:
    """One row per design, one column per candidate: errors by the mean of both variances, and by
    block for the contrasts.
    """
    names = sorted(
        {
            name
            for shares in rows.values()
            for name in shares
            if name not in SHIPPED or name in ("t3", "contrast_3")
        }
    )
    names = [
        name
        for name in names
        if "," not in name or (name.startswith("contrast") and name.endswith("block"))
    ]
    lines = ["| design | " + " | ".join(names) + " |", "| --- |" + " --- |" * len(names)]
    lines += [
        f"| {design} | " + " | ".join(_percent(shares.get(name)) for name in names) + " |"
        for design, shares in rows.items()
    ]
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def replace_between(text: str, mark: str, table: str) -> str:
    """The page with a table put between a mark's begin and end.

    Raises
    ------
    ValueError
        If the page lacks the mark.
    """
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(
            f"{PAGE.name}: expected {begin} and {end} once each, in this order; put them back"
        )
    return (
        text[: text.index(begin) + len(begin)] + "\n\n" + table + "\n\n" + text[text.index(end) :]
    )


if __name__ == "__main__":
    main()
