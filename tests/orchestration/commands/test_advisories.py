"""Known advisories are looked up in a copy at hand, in both of its forms; whatever else lies in the
copy is counted and does no harm.
"""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from orchestration.commands import audit as command
from orchestration.commands.advisories import AdvisoriesError, find_advisories, locked_versions

LOCKED = {"Some_Package": ["1.4.2"], "other": ["2.0"]}


def advisory(name: str = "some-package", **changes: object) -> dict:
    """An advisory for versions from 1.0 to before 1.5."""
    events = [{"introduced": "1.0"}, {"fixed": "1.5"}]
    affected = {
        "package": {"ecosystem": "PyPI", "name": name},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    return {
        "id": "PYSEC-2026-1",
        "summary": "A bomb",
        "modified": "2026-11-01T10:00:00Z",
        "affected": [affected],
    } | changes


def ranged(*events: tuple[str, str], kind: str = "ECOSYSTEM") -> dict:
    ranges = [{"type": kind, "events": [{name: version} for name, version in events]}]
    return advisory(
        affected=[{"package": {"ecosystem": "PyPI", "name": "some.package"}, "ranges": ranges}]
    )


def write(folder: Path, *advisories: object, form: str = "json") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, found in enumerate(advisories):
        text = json.dumps(found) if form == "json" else yaml.safe_dump(found)
        (folder / f"{number}.{form}").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("form", ["json", "yaml", "zip"])
def test_an_affected_version_is_named_with_what_mends_it(tmp_path: Path, form: str) -> None:
    advisories = advisory(), advisory("not-locked", id="PYSEC-2026-2")
    copy = write(
        tmp_path / "copy" / "vulns", *advisories, form="yaml" if form == "yaml" else "json"
    )
    if form == "zip":
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
            for path in copy.iterdir():
                archive.write(path, path.name)
        copy = tmp_path / "all.zip"
    found = find_advisories(copy, LOCKED)
    assert found.lines == ["some-package 1.4.2: PYSEC-2026-1 (mended in 1.5): A bomb"]
    assert (
        found.age(datetime(2026, 11, 26, tzinfo=UTC))
        == "2 advisories, the newest of 2026-11-01 (24 days old)"
    )
    assert "old, take a newer copy" in found.age(datetime(2027, 11, 26, tzinfo=UTC))


@pytest.mark.parametrize(
    ("found", "is_affected"),
    [
        (ranged(("introduced", "0")), True),
        (ranged(("introduced", "0"), ("fixed", "1.4.2")), False),
        (ranged(("introduced", "1.4.2")), True),
        (ranged(("introduced", "1.4.3")), False),
        (ranged(("introduced", "0"), ("last_affected", "1.4.2")), True),
        (ranged(("introduced", "0"), ("last_affected", "1.4.1")), False),
        (
            ranged(
                ("introduced", "0"), ("fixed", "1.1"), ("introduced", "1.4"), ("fixed", "1.4.10")
            ),
            True,
        ),
        (
            ranged(
                ("fixed", "1.4.10"), ("introduced", "1.4"), ("fixed", "1.1"), ("introduced", "0")
            ),
            True,
        ),
        (ranged(("introduced", "0"), ("fixed", "1.1"), ("introduced", "1.5")), False),
        (ranged(("introduced", "1.4.2rc1"), ("fixed", "1.4.2")), False),
        (ranged(("introduced", "no version")), True),
        (ranged(("introduced", "0"), kind="GIT"), False),
        (advisory(withdrawn="2026-11-02T00:00:00Z"), None),
        (
            advisory(
                affected=[
                    {"package": {"ecosystem": "npm", "name": "some-package"}, "versions": ["1.4.2"]}
                ]
            ),
            None,
        ),
        (
            advisory(
                affected=[
                    {
                        "package": {"ecosystem": "PyPI", "name": "SOME_package"},
                        "versions": ["1.4.2"],
                    }
                ]
            ),
            True,
        ),
        (
            advisory(
                affected=[
                    {
                        "package": {"ecosystem": "PyPI", "name": "some-package"},
                        "versions": ["1.4.20"],
                    }
                ]
            ),
            False,
        ),
    ],
)
def test_ranges_and_lists_of_versions_are_understood(
    tmp_path: Path, found: dict, is_affected: bool | None
) -> None:
    copy = write(tmp_path / "copy", found, advisory("not-locked"))
    assert bool(find_advisories(copy, LOCKED).lines) is bool(is_affected)


def test_what_is_no_advisory_is_counted(tmp_path: Path) -> None:
    copy = write(
        tmp_path / "copy",
        advisory(),
        {},
        [],
        {"id": "x"},
        advisory(modified="yesterday"),
        advisory(affected=3),
        {"a": None},
    )
    (copy / "deep.json").write_text('{"a":' * 100_000, encoding="utf-8")
    (copy / "cut.json").write_text('{"id": "PYSEC', encoding="utf-8")
    (copy / "bytes.json").write_bytes(b"\xff\xfe\x00")
    (copy / "code.yaml").write_text(
        f"!!python/object/apply:pathlib.Path.touch [{tmp_path}/mark]", encoding="utf-8"
    )
    laughs = "".join(
        f"{c}: &{c} [*{chr(ord(c) - 1)}, *{chr(ord(c) - 1)}]\n" for c in "bcdefghijklmnop"
    )
    (copy / "laughs.yaml").write_text(f"a: &a [x, x]\n{laughs}", encoding="utf-8")
    (copy / "large.json").write_bytes(b"{" + b" " * 6_000_000)
    (copy / "readme.md").write_text("no advisory", encoding="utf-8")
    found = find_advisories(copy, LOCKED)
    assert (found.n_advisories, found.n_unread) == (1, 12)
    assert (
        "12 files are none" in found.age(datetime(2026, 11, 26, tzinfo=UTC))
        and not (tmp_path / "mark").exists()
    )


def test_a_packed_bomb_is_counted_and_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("good.json", json.dumps(advisory()))
        archive.writestr("../../climbs.json", json.dumps(advisory(id="PYSEC-2026-3")))
        archive.writestr("bomb.json", b" " * 200_000_000)
    found = find_advisories(tmp_path / "all.zip", LOCKED)
    assert (found.n_advisories, found.n_unread) == (2, 1)
    assert not (tmp_path.parent.parent / "climbs.json").exists()


def test_a_text_sends_no_codes_to_the_terminal(tmp_path: Path) -> None:
    (line,) = find_advisories(
        write(tmp_path / "copy", advisory(summary="a\x1b[2Jb\nc")), LOCKED
    ).lines
    assert line.endswith("a [2Jb c")


@pytest.mark.parametrize("content", [None, {}, {"a.json": b"{}"}, b"no archive"])
def test_a_copy_that_is_none_is_said(
    tmp_path: Path, content: object, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    copy = tmp_path / "copy"
    if isinstance(content, bytes):
        copy.write_bytes(content)
    elif content is not None:
        copy.mkdir()
        for name, data in content.items():
            (copy / name).write_bytes(data)
    with pytest.raises(AdvisoriesError, match="expected"):
        find_advisories(copy, LOCKED)
    monkeypatch.setattr(command, "audit_faults", list)
    assert command.audit(str(copy)) == 2
    assert (
        capsys.readouterr()
        .out.splitlines()[-1]
        .startswith(f"citysync audit: exit 2: {copy}: expected")
    )


def test_the_command_fails_on_an_advisory_and_says_the_copy_s_age(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    monkeypatch.setattr(command, "audit_faults", list)
    version = max(locked_versions()["numpy"])
    everything = {"package": {"ecosystem": "PyPI", "name": "numpy"}, "versions": [version]}
    copy = write(tmp_path / "copy", advisory(affected=[everything]))
    assert command.audit(str(copy)) == 1
    said = capsys.readouterr().out
    assert (
        "known advisories: 1 advisories, the newest of 2026-11-01" in said
        and f"numpy {version}: PYSEC-2026-1" in said
    )
    monkeypatch.setattr(command, "TABLE", tmp_path / "licences.md")
    monkeypatch.setattr(command, "REPO", tmp_path)
    assert command.audit() == 0
    assert "no copy was given" in capsys.readouterr().out
