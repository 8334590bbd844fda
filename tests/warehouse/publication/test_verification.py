"""A publication that changed is told from one that did not: every file, the manifest itself, missing and added files."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from tests.warehouse.publication.test_publish import put_out
from warehouse.publication.manifest import MANIFEST, hash_files, write_manifest
from warehouse.publication.verification import verify_publication

RUN = "20260101T000000.000000Z"


def flip_byte(path: Path) -> None:
    """Change one bit in the middle of a file, as a failing disk would."""
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_an_untouched_publication_has_no_fault(tmp_path: Path) -> None:
    assert verify_publication(put_out(tmp_path, RUN)) == []


@pytest.mark.parametrize("name", ["citysync.duckdb", "parquet/marts/things.parquet", "report/index.html", "data_docs/index.html", MANIFEST])
def test_a_flipped_byte_is_found_and_its_file_named(tmp_path: Path, name: str) -> None:
    published = put_out(tmp_path, RUN)
    flip_byte(published / name)
    faults = verify_publication(published)
    assert len(faults) == 1 and name in faults[0] and "expected" in faults[0]


def test_missing_and_added_files_are_faults(tmp_path: Path) -> None:
    published = put_out(tmp_path, RUN)
    (published / "report" / "index.html").unlink()
    (published / "parquet" / "marts" / "more.parquet").write_bytes(b"x")
    faults = verify_publication(published)
    assert len(faults) == 2 and "missing" in faults[0] and "more.parquet" in faults[1]


def test_a_table_that_differs_from_its_hash_is_named(tmp_path: Path) -> None:
    """Even where file and manifest were both rewritten: the tables are hashed on their own."""
    published = put_out(tmp_path, RUN).resolve()
    for path in published.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    with duckdb.connect(str(published / "citysync.duckdb")) as con:
        con.execute("update marts.things set k = 4 where k = 3")
    manifest = json.loads((published / MANIFEST).read_text(encoding="utf-8"))
    files = {name: entry for name, entry in hash_files(published).items() if not name.startswith(MANIFEST)}
    write_manifest(published, {**manifest, "files": files})
    faults = verify_publication(published)
    assert len(faults) == 1 and "marts.things" in faults[0]


def test_without_a_publication_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make refresh"):
        verify_publication(tmp_path / "published")
