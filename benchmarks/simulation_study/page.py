"""The study's tables on their page: a cell that was run again replaces its figures, every other
figure stands as it was measured.
"""

from __future__ import annotations

BEGIN, END = "<!-- simulation study: begin -->", "<!-- simulation study: end -->"
MISSING = "-"
Rows = list[list[str]]


def read_tables(page: str) -> dict[str, Rows]:
    """Tables between the two marks by their title; header first, the line of dashes left out.

    Raises
    ------
    ValueError
        If the page lacks a mark.
    """
    if BEGIN not in page or END not in page:
        raise ValueError(f"expected the lines {BEGIN} and {END}, between which the tables stand")
    tables: dict[str, Rows] = {}
    title = ""
    for line in page.split(BEGIN, maxsplit=1)[1].split(END, maxsplit=1)[0].splitlines():
        if line.startswith("### "):
            title = line.removeprefix("### ")
            tables[title] = []
        elif line.startswith("| "):
            tables[title].append([cell.strip() for cell in line.strip().strip("|").split("|")])
    return {title: [row for row in rows if set(row) != {"---"}] for title, rows in tables.items()}


def merge_rows(before: Rows, now: Rows, n_keys: int) -> Rows:
    """Rows of `before` with the figures of `now`, matched by their first `n_keys` cells.

    A figure that `now` lacks (`-`) stays. New rows follow the last one that shares their first
    cell, else they come last. With another header than before nothing can be kept.
    """
    if not before or before[0] != now[0]:
        return now
    merged = [list(row) for row in before]
    for row in now[1:]:
        known = next((old for old in merged if old[:n_keys] == row[:n_keys]), None)
        if known is not None:
            known[:] = [old if new == MISSING else new for old, new in zip(known, row, strict=True)]
            continue
        alike = [at for at, old in enumerate(merged) if old[0] == row[0]]
        merged.insert(alike[-1] + 1 if alike else len(merged), list(row))
    return merged


def write_page(page: str, tables: dict[str, Rows]) -> str:
    """The page with these tables between its marks."""
    body = "\n\n".join(
        f"### {title}\n\n{markdown(rows)}" for title, rows in tables.items() if len(rows) > 1
    )
    return f"{page.split(BEGIN, maxsplit=1)[0]}{BEGIN}\n\n{body}\n\n{END}{page.split(END)[1]}"


def markdown(rows: Rows) -> str:
    """A table in Markdown; the header first."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])
