"""Hashes follow content and names; those of bytes and files are plain sha256, since manifests and
raw keys hold them.
"""

from __future__ import annotations

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


def test_named_files_count_by_name_content_and_order(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    (tmp_path / "b").write_text("y")
    first = hash_named_files(tmp_path, [tmp_path / "a", tmp_path / "b"])
    assert first != hash_named_files(tmp_path, [tmp_path / "b", tmp_path / "a"])
    os.utime(tmp_path / "a", (1, 1))
    assert first == hash_named_files(tmp_path, [tmp_path / "a", tmp_path / "b"])
    (tmp_path / "a").write_text("z")
    assert first != hash_named_files(tmp_path, [tmp_path / "a", tmp_path / "b"])


def test_compiled_files_are_no_code(tmp_path: Path) -> None:
    for name in (
        "pack/b.py",
        "pack/a.sql",
        "pack/__pycache__/b.cpython-311.pyc",
        "top.toml",
        "other/c.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    found = [
        path.relative_to(tmp_path).as_posix() for path in code_files(tmp_path, ("top.toml", "pack"))
    ]
    assert found == ["top.toml", "pack/a.sql", "pack/b.py"]


def test_links_and_names_count(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    (tmp_path / "b").symlink_to("a")
    before = hash_tree(tmp_path)
    (tmp_path / "a").write_text("y")
    assert hash_tree(tmp_path)["a"] != before["a"]
    (tmp_path / "a").rename(tmp_path / "c")
    assert set(hash_tree(tmp_path)) == {"b", "c"}
