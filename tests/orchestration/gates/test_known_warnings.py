"""Warnings that were there in the publication before, and since when."""

import pandas as pd

from expectations.rules import between
from orchestration.gates import asset_checks
from orchestration.gates.known_warnings import Known, check_changes, read_known
from orchestration.home import Home
from tests.warehouse.publication.small import put_out, run_of

RESULTS = ("stage", "check_id", "success", "severity")


def gate(*failed: tuple[str, tuple[str, ...]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Results and failing rows of a gate; each failed check with its rows."""
    results = [("marts", "holds", True, "warn")]
    rows = []
    for check, names in failed:
        results.append(("marts", check, False, "warn"))
        rows += [("marts", check, nth, name, "n=3") for nth, name in enumerate(names, start=1)]
    columns = ("stage", "check_id", "nth", "failing_row", "failing_value")
    return pd.DataFrame(results, columns=RESULTS), pd.DataFrame(rows, columns=columns)


def publish(home: Home, day: int, *failed: tuple[str, tuple[str, ...]]) -> None:
    """Publish a run with these failed checks."""
    results, rows = gate(*failed)
    statements = ["create schema quality; create schema meta; create schema marts"]
    for name, frame in (("expectation_result", results), ("expectation_row", rows)):
        names = ", ".join(frame.columns)
        values = ", ".join(str(tuple(row)) for row in frame.to_numpy().tolist())
        statements.append(f"create table quality.{name} as from (values {values}) t({names})")
    run = f"select '{run_of(day)}' as run_id, false as is_simulated"
    put_out(home.root, run_of(day), "; ".join([*statements, f"create table meta.run as {run}"]))


def test_a_check_is_known_since_the_first_of_the_runs_in_a_row_in_which_it_failed(tmp_path):
    home = Home(tmp_path / "home")
    publish(home, 1, ("old", ("year=2010",)), ("came_back", ("year=2010",)))
    publish(home, 2, ("old", ("year=2010",)))
    publish(home, 3, ("old", ("year=2010",)), ("came_back", ("year=2010",)))
    known = read_known(home, simulated=False)
    now = gate(
        ("old", ("year=2010",)),
        ("came_back", ("year=2010", "year=2011")),
        ("is_new", ("year=2012",)),
    )
    found = check_changes(*now, known).set_index("check_id")
    assert found["known_since"].fillna("new").to_dict() == {
        "came_back": "2026-01-03",
        "is_new": "new",
        "old": "2026-01-01",
    }
    assert found["n_new_rows"].to_dict() == {"came_back": 1, "is_new": 1, "old": 0}
    assert found.at["came_back", "first_new_row"] == "year=2011 n=3"


def test_nothing_is_known_of_another_kind_or_of_a_damaged_publication(tmp_path, capsys):
    home = Home(tmp_path / "home")
    assert read_known(home, simulated=False) == Known()
    publish(home, 1, ("old", ("year=2010",)))
    assert read_known(home, simulated=True) == Known()
    path = home.published.resolve() / "citysync.duckdb"
    path.chmod(0o644)
    path.write_bytes(b"no database")
    assert read_known(home, simulated=False) == Known()
    assert "every warning counts as new" in capsys.readouterr().out


def test_a_warning_that_is_known_is_one_line_with_the_others(tmp_path, monkeypatch, capsys):
    cells = pd.DataFrame({"year": [2010], "share": [0.9]})
    rule = between("high", "cells", "share", 0, 0.1, "warn", "too high")
    monkeypatch.setattr(asset_checks, "RULES", {"raw": [rule]})
    monkeypatch.setattr(asset_checks, "read_gate_frames", lambda *_: {"cells": cells})
    home = Home(tmp_path)
    home.build.mkdir()
    rows = asset_checks.check_stage(home, "raw").rows
    assert "warn: high" in capsys.readouterr().out
    failing = set(rows[["stage", "check_id", "failing_row"]].itertuples(index=False, name=None))
    asset_checks.check_stage(home, "raw", Known({("raw", "high"): "2026-01-01"}, failing))
    said = capsys.readouterr().out
    assert "high (2026-01-01)" in said and "warn: high" not in said
