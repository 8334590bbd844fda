"""The audit: a lock without hashes, another version and a changed file are found; what is locked
here is what is installed here.
"""

from __future__ import annotations

import dataclasses
import re
from importlib import metadata
from pathlib import Path

import pytest

from orchestration.commands import audit as dependencies
from orchestration.commands.audit import TABLE, applicable, changed_files, licence_table, read_lock

HASH = "--hash=sha256:" + "0" * 64


def test_every_requirement_is_pinned_with_hashes_and_no_index_is_named() -> None:
    assert len(read_lock()) > 100 and all(entry.has_hash for entry in read_lock())
    assert "index-url" not in dependencies.LOCK.read_text(encoding="utf-8")


def test_the_lock_of_the_tests_holds_the_other_one_with_the_same_versions() -> None:
    run, more = read_lock(), read_lock(dependencies.DEV_LOCK)
    assert dependencies.differing_versions(run, more) == []
    assert {"pytest", "ruff"} <= {entry.name for entry in more} - {entry.name for entry in run}
    other = [
        dataclasses.replace(entry, version="0") if entry.name == "numpy" else entry
        for entry in more
    ]
    (fault, *_) = dependencies.differing_versions(run, other)
    assert fault.startswith("expected numpy ") and "pyproject.toml" in fault


def test_a_lock_is_read_with_markers_and_refused_when_it_is_none(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lines = [
        "# made by hand",
        f"a-b==1.0 ; python_version < '3' \\\n    {HASH}",
        f"A_B==2.0 \\\n    {HASH} \\\n    {HASH}",
        "    # via c",
    ]
    lock.write_text("\n".join([*lines, "bare[x]==3", ""]), encoding="utf-8")
    found = read_lock(lock)
    assert [(e.name, e.version, e.has_hash) for e in found] == [
        ("a-b", "1.0", True),
        ("a-b", "2.0", True),
        ("bare", "3", False),
    ]
    assert applicable(found)["a-b"].version == "2.0"
    lock.write_text("numpy>=2\n", encoding="utf-8")
    with pytest.raises(ValueError, match="numpy>=2"):
        read_lock(lock)


def test_a_changed_and_a_missing_file_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "thing-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n", encoding="utf-8"
    )
    empty = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"  # sha256 of nothing, as wheels write it
    (folder / "RECORD").write_text(
        f"a.py,sha256={empty},0\nb.py,sha256={empty},0\nc.py,sha256={empty},0\n", encoding="utf-8"
    )
    (tmp_path / "a.py").write_text("", encoding="utf-8")
    (tmp_path / "b.py").write_text("import os", encoding="utf-8")
    faults = changed_files(list(metadata.distributions(path=[str(tmp_path)])))
    assert (
        len(faults) == 2
        and "b.py: not as it was installed" in faults[0]
        and "c.py: missing" in faults[1]
    )


def test_the_licence_table_lists_what_is_locked() -> None:
    """Versions that differ by Python version are left out of the comparison: the page is written on
    one of them.
    """
    listed = set(
        re.findall(r"^\| ([a-z0-9-]+) \|", TABLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    ) - {"package", "---"}
    names = [entry.name for entry in read_lock()]
    always = {
        entry.name for entry in read_lock() if not entry.marker and names.count(entry.name) == 1
    }
    assert always <= listed, (
        f"run `make audit`: {sorted(always - listed)} are not in docs/licences.md"
    )
    assert "| numpy |" in licence_table()
