"""Comparisons with a second implementation, which docs/library/parity.csv lists.

`python -m tests.estimation.parity` runs the tests that call `agrees`, and writes the list.
"""

import csv
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np

from tests.conftest import REPO

PAGE = REPO / "docs" / "library" / "parity.md"
FOLDER = REPO / "tests" / "estimation"
#: names the file to which differences are added
RECORD = "PARITY_RECORD"
CALL = re.compile(r"\bagrees\(")
COLUMNS = ("reference", "what", "tolerance", "largest difference", "why")


def agrees(
    what: str,
    reference: str,
    ours: object,
    theirs: object,
    *,
    rel: float = 0.0,
    abs: float = 0.0,
    why: str = "",
) -> None:
    """Assert that numbers agree, and record the largest difference for the page.

    Parameters
    ----------
    what : str
        The estimator or error.
    reference : str
        What it is compared with. Names of packages in braces get their version.
    ours, theirs : array, or mapping with the same keys
    rel, abs : float
        Tolerance, one of the two.
    why : str
        What differs, and why.
    """
    if isinstance(ours, Mapping):
        assert set(ours) == set(theirs)
        ours, theirs = ([numbers[key] for key in ours] for numbers in (ours, theirs))
    ours, theirs = (np.asarray(numbers, dtype=float) for numbers in (ours, theirs))
    np.testing.assert_allclose(ours, theirs, rtol=rel, atol=abs, err_msg=what)
    if RECORD in os.environ:
        difference = np.abs(ours - theirs)
        if rel:
            difference = difference / np.abs(theirs)
        row = [what, reference, rel, abs, float(difference.max()), why]
        with open(os.environ[RECORD], "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def rows_of(record: str) -> list[list[str]]:
    """Return rows of the list: one per reference, tolerance and reason, with everything compared
    there and the largest difference found.
    """
    whats: dict[tuple, set[str]] = {}
    largest: dict[tuple, float] = {}
    for line in record.splitlines():
        what, reference, rel, absolute, difference, why = json.loads(line)
        named = re.sub(r"\{([\w-]+)\}", lambda m: f"{m[1]} {version(m[1])}", reference)
        tolerance = f"{rel:.0e}, relative" if rel else f"{absolute:.0e}"
        key = (named, tolerance, why)
        whats.setdefault(key, set()).add(what)
        largest[key] = max(largest.get(key, 0.0), difference)
    rows = []
    for key in sorted(whats):
        reference, tolerance, why = key
        whole = "; ".join(sorted(whats[key]))
        rows.append([reference, whole, tolerance, f"{largest[key]:.0e}", why])
    return rows


def main() -> None:
    """Run the tests, write their list next to the page and the date into it."""
    files = [path for path in sorted(FOLDER.rglob("test_*.py")) if CALL.search(path.read_text())]
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "record"
        command = [sys.executable, "-m", "pytest", "-n", "0", "-q", *map(str, files)]
        subprocess.run(command, check=True, cwd=REPO, env=os.environ | {RECORD: str(record)})
        rows = rows_of(record.read_text(encoding="utf-8"))
    with PAGE.with_suffix(".csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(re.sub(r"\d{4}-\d\d-\d\d", date.today().isoformat(), text), encoding="utf-8")


if __name__ == "__main__":
    main()
