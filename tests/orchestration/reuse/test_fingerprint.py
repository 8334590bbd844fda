"""A fingerprint holds what a stage depends on, by content."""

import os

import pytest

from orchestration.reuse import fingerprint
from orchestration.reuse.fingerprint import (
    CodeChanged,
    hash_landing,
    note_code,
    require_same_code,
    take_fingerprint,
)


def test_a_fingerprint_follows_content_and_not_clocks(tmp_path, monkeypatch):
    file = tmp_path / "tidy" / "values.csv"
    file.parent.mkdir()
    file.write_text("a")
    first = take_fingerprint(tmp_path)
    os.utime(file, (1, 1))
    monkeypatch.setenv("CITYSYNC_THREADS", "7")
    assert take_fingerprint(tmp_path) == first and hash_landing(tmp_path) == first.landing
    monkeypatch.setenv("WINDOW_LAST_YEAR", "2018")
    other_window = take_fingerprint(tmp_path)
    assert (other_window.landing, other_window.marts != first.marts) == (first.landing, True)
    monkeypatch.delenv("WINDOW_LAST_YEAR")
    file.write_text("b")
    assert take_fingerprint(tmp_path).landing != first.landing


@pytest.mark.parametrize(
    ("path", "stages"),
    [
        ("estimation/report/site.py", ["publication"]),
        ("estimation/fit.py", ["publication"]),
        ("estimation/measures/cycles.py", ["marts", "publication"]),
        ("warehouse/seeds/pilot_zones.csv", ["marts", "publication"]),
        ("dbt_project.yml", ["marts", "publication"]),
    ],
)
def test_code_belongs_to_the_stages_that_run_it(monkeypatch, path, stages):
    before, read = take_fingerprint(None), fingerprint.hash_code
    assert path in read()
    monkeypatch.setattr(
        fingerprint,
        "hash_code",
        lambda: {name: data + "#" * (name == path) for name, data in read().items()},
    )
    after = take_fingerprint(None)
    assert [
        name
        for name in ("landing", "marts", "publication")
        if getattr(before, name) != getattr(after, name)
    ] == stages


def test_packages_that_only_tests_need_are_no_part_of_it(tmp_path, monkeypatch):
    """`make test` adds them to the environment; the next refresh has nothing to do all the same."""
    before = take_fingerprint(None)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "pytest_of_mine-1.0.dist-info").mkdir()
    assert take_fingerprint(None) == before
    (tmp_path / "Typing.Extensions-99.0.dist-info").mkdir()
    assert take_fingerprint(None).marts != before.marts


def test_a_run_whose_code_changed_publishes_nothing(tmp_path, monkeypatch):
    for name in ("dbt_project.yml", "profiles.yml", "warehouse/a.sql"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("select 1", encoding="utf-8")
    for name in ("expectations", "estimation", "orchestration"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(fingerprint, "REPO", tmp_path)
    monkeypatch.setattr(fingerprint, "_code_at_start", [])
    require_same_code()  # nothing was noted
    note_code()
    (tmp_path / "warehouse" / "a.sql").touch()
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    require_same_code()
    for name in ("warehouse/a.sql", "warehouse/b.csv", "dbt_project.yml"):
        note_code()
        (tmp_path / name).write_text("select 2", encoding="utf-8")
        with pytest.raises(CodeChanged, match="files of this checkout changed while the run"):
            require_same_code()
