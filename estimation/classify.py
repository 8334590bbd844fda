"""Classify clauses of policy texts by tool, for a file of clauses instead of the warehouse's.

The rule is that of `marts.fct_policy_clause`, in `measures/policy_tools.py`; its terms are a seed
of the warehouse, which the wheel brings along.
"""

from __future__ import annotations

import csv
import io
from functools import cache
from pathlib import Path
from typing import Any

from .csv_files import guard
from .measures.policy_tools import read_lexicon
from .panel.panel_error import need

LEXICON = Path(__file__).with_name("data") / "policy_lexicon.csv"
HEADER = ("id", "tool_class", "tool", "matched_terms")


class ClauseFileError(ValueError):
    """A file of clauses cannot be read; the message names file, line, what was expected, what was
    found and what to do.
    """


def read_clauses(path: Path) -> list[tuple[str, str]]:
    """Return pairs of id and clause of a CSV file with columns `id, clause` (UTF-8, or GB18030), in
    its order.

    Raises
    ------
    ClauseFileError
        The file is missing, in another encoding, without the two columns, or has a row that is too
        short.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ClauseFileError(
            f"{path}: expected a readable CSV file; found {error.strerror}; check the path"
        ) from error
    rows = csv.DictReader(io.StringIO(_decoded(path, data), newline=""))
    try:
        rows.fieldnames = [name.strip() for name in rows.fieldnames or ()]
        if missing := [name for name in ("id", "clause") if name not in rows.fieldnames]:
            found = ", ".join(rows.fieldnames) or "an empty file"
            raise ClauseFileError(
                f"{path}: line 1: expected columns id and clause; found {found}; add "
                f"{' and '.join(missing)}"
            )
        return [_pair(path, rows.line_num, row) for row in rows]
    except csv.Error as error:
        raise ClauseFileError(
            f"{path}: line {rows.line_num}: expected CSV; found {error}; save the file as UTF-8 CSV"
        ) from error


def classify_clauses(clauses: list[str]) -> list[tuple[str, str, str]]:
    """Tool class, tool and matched terms (joined by `|`) of each clause, by the lexicon.

    Parameters
    ----------
    clauses : list of str
        Texts in simplified or traditional characters.

    Returns
    -------
    list of (str, str, str)
        In the order of `clauses`; class and tool are `none` where nothing matches (Rothwell and
        Zegveld 1985 for the classes).
    """
    terms = read_lexicon(LEXICON)
    found = (terms.tool_of(_simplified(text)) for text in clauses)
    return [(one.tool_class, one.tool, "|".join(one.terms)) for one in found]


def classify_file(path: Path) -> str:
    """Return CSV text with header `id, tool_class, tool, matched_terms`, one row per clause, in the
    file's order.

    Raises
    ------
    ClauseFileError
        See `read_clauses`.
    """
    pairs = read_clauses(path)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    labels = classify_clauses([clause for _, clause in pairs])
    for (key, _), label in zip(pairs, labels, strict=True):
        writer.writerow(map(guard, (key, *label)))
    return out.getvalue()


def _decoded(path: Path, data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ClauseFileError(
        f"{path}: expected text in UTF-8 or GB18030; found neither; save the file as UTF-8 CSV"
    )


def _pair(path: Path, line: int, row: dict[str, str | None]) -> tuple[str, str]:
    if row["id"] is None or row["clause"] is None:
        raise ClauseFileError(
            f"{path}: line {line}: expected a cell for id and for clause; found the row too short; "
            "complete the row"
        )
    return row["id"], row["clause"]


def _simplified(text: str) -> str:
    """Simplified characters; text within GB 2312 has no others and is left alone."""
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        return _converter().convert(text)
    return text


@cache
def _converter() -> Any:
    """Reads its dictionaries once."""
    try:
        import opencc
    except ImportError as error:
        raise need("opencc", "a clause in traditional characters") from error
    return opencc.OpenCC("t2s")
