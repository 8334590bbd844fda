"""A parsed project is there whole or not at all, whatever was killed while dbt wrote."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from orchestration import dbt_runner
from orchestration.dbt_runner import DRAFT, DRAFT_SECONDS, HASHES, PARSED, ensure_manifest
from orchestration.home import Home
from warehouse.whole_files import remove_any


class Killed(BaseException):
    """Stands for kill -9: nothing that follows runs."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("CITYSYNC_CACHE", str(tmp_path / "cache"))
    return Home(tmp_path)


def fake_parse(arguments: list[str], manifest: object) -> list:
    target = Path(arguments[arguments.index("--target-path") + 1])
    (target / "manifest.json").write_text('{"nodes": {}}', encoding="utf-8")
    (target / "partial_parse.msgpack").write_bytes(b"\x80")
    return []


def killed_parse(arguments: list[str], manifest: object) -> list:
    Path(arguments[arguments.index("--target-path") + 1], "manifest.json").write_text(
        '{"nodes": {', encoding="utf-8"
    )
    raise Killed


def test_a_parse_that_is_killed_is_made_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dbt_runner, "invoke", killed_parse)
    with pytest.raises(Killed):
        ensure_manifest(home)
    monkeypatch.setattr(dbt_runner, "invoke", fake_parse)
    assert json.loads(ensure_manifest(home).read_text(encoding="utf-8")) == {"nodes": {}}


def test_half_a_file_in_the_folder_that_runs_write_to_is_never_read(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dbt_runner, "invoke", fake_parse)
    first = ensure_manifest(home)
    home.dbt_target.mkdir(parents=True)
    for name in ("manifest.json", "partial_parse.msgpack"):
        (home.dbt_target / name).write_text("{", encoding="utf-8")
    monkeypatch.setattr(dbt_runner, "invoke", killed_parse)
    assert ensure_manifest(home) == first and json.loads(first.read_text(encoding="utf-8")) == {
        "nodes": {}
    }


def test_a_changed_project_is_parsed_again_and_old_ones_go(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dbt_runner, "invoke", fake_parse)
    before = ensure_manifest(home)
    left, at_work = (before.parent.parent / f"{DRAFT}{name}" for name in ("left", "at_work"))
    left.mkdir()
    at_work.mkdir()
    old = os.stat(left).st_mtime - DRAFT_SECONDS - 1
    os.utime(left, (old, old))
    monkeypatch.setattr(dbt_runner, "project_hash", lambda: "other")
    after = ensure_manifest(home)
    assert after != before and {path.name for path in after.parent.parent.iterdir()} == {
        "other",
        at_work.name,
    }


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("name", [*PARSED, HASHES])
@pytest.mark.parametrize("damage", ["flipped", "empty", "deep", "folder", "gone"])
def test_a_damaged_parse_is_thrown_away_with_one_line(
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    damage: str,
) -> None:
    monkeypatch.setattr(dbt_runner, "invoke", fake_parse)
    path = ensure_manifest(home).with_name(name)
    before = path.read_bytes()
    if damage == "flipped":
        flip(path)
    elif damage in ("empty", "deep"):
        path.write_text("" if damage == "empty" else "[" * 100_000, encoding="utf-8")
    else:
        path.unlink()
    if damage == "folder":
        (path / "inside").mkdir(parents=True)
    assert ensure_manifest(home).with_name(name).read_bytes() == before
    assert (
        capsys.readouterr().out
        == "  cache: the parsed project is not as it was written: thrown away and made again\n"
    )
    ensure_manifest(home)
    assert not capsys.readouterr().out


def test_a_file_in_the_place_of_a_parse_is_replaced(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dbt_runner, "invoke", fake_parse)
    folder = ensure_manifest(home).parent
    remove_any(folder)
    folder.write_text("x", encoding="utf-8")
    assert json.loads(ensure_manifest(home).read_text(encoding="utf-8")) == {"nodes": {}}


def test_a_parse_that_is_removed_while_it_is_read_is_made_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a run of another version of the files, which shares the cache; or the files change between
    parsing and reading.
    """
    monkeypatch.setattr(dbt_runner, "invoke", fake_parse)
    monkeypatch.setattr("dbt.contracts.graph.manifest.Manifest.from_msgpack", lambda data: data)
    hashes = iter("abcdefgh")
    monkeypatch.setattr(dbt_runner, "project_hash", lambda: next(hashes))
    assert dbt_runner._load_manifest(home) == b"\x80"
    real, removals = dbt_runner.ensure_manifest, iter([True, True, False, True, True, True])

    def ensure_and_remove(at: Home) -> Path:
        path = real(at)
        if next(removals):
            remove_any(path.parent)
        return path

    monkeypatch.setattr(dbt_runner, "ensure_manifest", ensure_and_remove)
    assert dbt_runner._load_manifest(home) == b"\x80"
    with pytest.raises(
        dbt_runner.DbtFailed, match="removed 3 times while it was read; run one refresh at a time"
    ):
        dbt_runner._load_manifest(home)
