"""Hashes follow content and names; those of bytes and files are plain sha256, since manifests and
raw keys hold them.
"""

import hashlib
import os
from pathlib import Path

import pytest

from warehouse.hashing import (
    code_files,
    hash_bytes,
    hash_file,
    hash_named_files,
    hash_parts,
    hash_tree,
)


def test_bytes_and_files_have_the_plain_sha256(tmp_path: Path) -> None:
    data = b"a\0b" * 100_000
    (tmp_path / "a").write_bytes(data)
    assert hash_bytes(data) == hash_file(tmp_path / "a") == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    "other", [["ab", "c"], ["a", "b", "c"], ["abc"], ["bc", "a"], ["a", "bc", ""]]
)
def test_parts_that_are_cut_elsewhere_or_in_another_order_have_another_hash(
    other: list[str],
) -> None:
    assert hash_parts(["a", "bc"]) != hash_parts(other)
    assert hash_parts(other) == hash_parts(part.encode() for part in other)


def test_files_count_by_name_content_and_order(tmp_path: Path) -> None:
    for name in ("pack/b.py", "pack/a.sql", "pack/__pycache__/b.cpython-311.pyc", "other/c.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    files = list(code_files(tmp_path, ("pack",)))
    assert [path.name for path in files] == ["a.sql", "b.py"]
    (tmp_path / "link").symlink_to("pack/a.sql")
    first, tree = hash_named_files(tmp_path, files), hash_tree(tmp_path)
    assert first != hash_named_files(tmp_path, files[::-1])
    os.utime(files[0], (1, 1))
    assert first == hash_named_files(tmp_path, files)
    files[0].write_text("z")
    assert first != hash_named_files(tmp_path, files)
    changed = hash_tree(tmp_path)
    assert {name for name in tree if tree[name] != changed[name]} == {"pack/a.sql"}
