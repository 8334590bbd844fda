"""The cache of raw Parquet: what was written is known by its hash, and only a file that still has
it is used again.

Beside the Parquet files stands ``contents.jsonl``, one line an entry with name, sha256, rows by
reason and a hash of these three, since the rows are published as the counts of their file; the last
line of a name counts. A line is appended in one write, so a run that is killed leaves at most one
that cannot be read, which counts as none.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from warehouse.hashing import hash_bytes, hash_file
from warehouse.ingest.raw_parquet import Counts, in_order

CONTENTS = "contents.jsonl"


class RawCache:
    """Raw Parquet files of a folder and what is known of them.

    Attributes
    ----------
    notes : list of str
        One line for each file that did not hold what was written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / CONTENTS).is_dir():
            _remove(folder / CONTENTS)
        self._known = _read_contents(folder / CONTENTS)

    def find(self, target: Path, path: str) -> Counts | None:
        """Rows by reason of a file of the cache that holds what was written; None where there is
        none, and one that lies is removed.

        Parameters
        ----------
        target : Path
            The Parquet file.
        path : str
            The delivered file it was made from, for the note.
        """
        try:
            found = hash_file(target)
        except FileNotFoundError:
            return None
        except OSError as error:
            found = f"nothing that can be read ({error.strerror})"
        entry = self._known.get(target.name)
        if entry is not None and entry["sha256"] == found:
            return in_order(dict(map(tuple, entry["counts"])))
        shown = path if path.isprintable() else repr(path)
        why = (
            "its hash was not noted"
            if entry is None
            else "its content changed since it was written"
        )
        self.notes.append(
            f"raw cache: {target.name} of {shown} is not used, {why}; the file is read again"
        )
        _remove(target)
        return None

    def add(self, target: Path, sha256: str, counts: Counts) -> None:
        """Note what was written."""
        entry = {
            "name": target.name,
            "sha256": sha256,
            "counts": [list(pair) for pair in counts.items()],
        }
        self._known[target.name] = entry
        # the first new line ends what a killed run may have left
        line = f"\n{json.dumps(entry | {'check': _check(entry)}, ensure_ascii=True)}\n"
        descriptor = os.open(self.folder / CONTENTS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)


def _check(entry: Mapping[str, object]) -> str:
    """Hash of an entry as it was noted."""
    return hash_bytes(
        json.dumps([entry["name"], entry["sha256"], entry["counts"]], ensure_ascii=True).encode()
    )


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _read_contents(source: Path) -> dict[str, Mapping[str, object]]:
    try:
        lines = source.read_bytes().splitlines()
    except OSError:
        return {}
    known = {}
    for line in lines:
        try:
            entry = json.loads(line)
            if entry["check"] == _check(entry):
                known[entry["name"]] = entry
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    return known
