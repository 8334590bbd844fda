"""The command line offers what the library does: other names, tables, pictures, weights, exposure;
and compiles every loop beforehand.
"""

import json
import os
import sys
from dataclasses import asdict

import pandas as pd
import pytest

import estimation as cs
from estimation.api import compiled
from estimation.cli import main
from tests.estimation.primary.test_command import _frame


@pytest.fixture
def panel(frame, given, drawn, tmp_path):
    path, entry, regions = (
        tmp_path / name for name in ("panel.parquet", "entry.csv", "regions.csv")
    )
    frame.assign(w=2.0).to_parquet(path)
    pd.Series(given["cohort"], name="first").rename_axis("unit").reset_index().to_csv(
        entry, index=False
    )
    pd.Series(given["block"], name="block").rename_axis("unit").reset_index().to_csv(
        regions, index=False
    )
    names = [
        "--unit",
        "importer,exporter",
        "--time",
        "period",
        "--cohort",
        str(entry),
        "--block",
        str(regions),
    ]
    return (
        [str(path), "--outcome", "y", *names, "--permutations", "99"],
        frame.assign(w=2.0),
        drawn,
    )


def test_other_names_files_of_units_and_all_files_in_one_command(panel, tmp_path, capsys):
    arguments, frame, options = panel
    files = {ending: tmp_path / f"t.{ending}" for ending in ("tex", "docx", "html", "md", "csv")}
    files["plot"] = tmp_path / "event.svg"
    written = [part for name, path in files.items() for part in (f"--{name}", str(path))]
    asked = ["--estimator", "event_study", "--binning=-2,1", *written, "--json"]
    assert main(["fit", *arguments, *asked]) == 0
    printed = json.loads(capsys.readouterr().out)
    fit = cs.fit(frame, "y", estimator="event_study", binning=(-2, 1), **options)
    found = [e["estimate"] for e in printed["estimates"]]
    assert found == [e.estimate for e in fit.estimates]
    assert files["md"].read_text(encoding="utf-8") == repr(cs.etable(fit))
    assert all(path.stat().st_size > 200 for path in files.values())


def test_two_columns_of_cohorts_by_comma(frame, given, tmp_path, capsys):
    path = tmp_path / "panel.csv"
    entry = {side: frame[side].map(given["cohort"]) for side in given["unit"]}
    frame.assign(one=entry["exporter"], two=entry["importer"]).to_csv(path, index=False)
    columns = ["--unit", "exporter,importer", "--time", "period", "--cohort", "one,two"]
    table = str(tmp_path / "t.tex")
    assert (
        main(["fit", str(path), "--outcome", "y", *columns, "--permutations=0", "--tex", table])
        == 0
    )
    fit = cs.fit(frame, "y", **given | {"block": None})
    printed = json.loads(capsys.readouterr().out)["estimates"]
    assert printed[0]["estimate"] == pytest.approx(fit.coef()["treated"])


def test_a_terminal_gets_a_table_and_a_pipe_the_object(panel, capsys, monkeypatch):
    arguments, frame, options = panel
    fit = cs.fit(frame, "y", controls="x0", weights="w", exposure="both", vcov="dyadic", **options)
    more = ["--controls", "x0", "--weights", "w", "--exposure", "both", "--vcov", "dyadic"]
    asked = ["fit", *arguments, *more]
    said = []
    for is_terminal, extra in ((False, ["--table"]), (True, []), (False, [])):
        monkeypatch.setattr(sys.stdout, "isatty", lambda answer=is_terminal: answer)
        assert main([*asked, *extra]) == 0
        said.append(capsys.readouterr().out)
    assert said[:2] == [f"{fit}\n"] * 2
    assert json.loads(said[2])["estimates"][0]["estimate"] == fit.estimates[0].estimate


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (["--tex", "t.docx"], "--tex: expected a name that ends in .tex"),
        (["--csv", "{panel}"], "--csv: expected another file than those that are read"),
        (["--unit", "exporter"], "--unit: expected two columns by comma"),
        (["--plot", "{panel}/t.svg"], "File exists"),
        (["--plot", "t.svg", "--plot-kind", "event_study"], "estimates by period"),
        (["--reference", "-2"], "choose event_study"),
    ],
)
def test_what_cannot_be_done_ends_with_2_and_prints_nothing(
    panel, capsys, tmp_path, monkeypatch, extra, said
):
    monkeypatch.chdir(tmp_path)
    code = main(["fit", *panel[0], *(word.format(panel=panel[0][0]) for word in extra)])
    captured = capsys.readouterr()
    assert (code, captured.out) == (2, "") and said in captured.err


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        ({}, "csv"),
        ({}, "parquet"),
        (
            {"city_id": "iso", "year": "t", "growth": "g", "cohort_year": "f", "block_id": "r"},
            "csv",
        ),
    ],
    ids=["the contract's names", "parquet", "other names"],
)
def test_primary_takes_the_contract_s_names_and_others(names, kind, tmp_path, capsys):
    frame, path = _frame(calmer=0.6).assign(note="not read"), tmp_path / f"countries.{kind}"
    rows = frame.rename(columns=names).sample(frac=1, random_state=1)
    rows.to_parquet(path) if kind == "parquet" else rows.to_csv(path, index=False)
    flags = ("--unit", "--time", "--outcome", "--cohort", "--block")
    options = [part for pair in zip(flags, names.values(), strict=False) for part in pair]
    assert main(["primary", str(path), "--permutations", "99", "--json", *options]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads(json.dumps(asdict(cs.primary(frame, permutations=99).result)))


def test_every_loop_runs_and_is_kept_where_it_can_be(monkeypatch, capsys):
    assert main(["compile"]) == 0
    folder = os.environ["NUMBA_CACHE_DIR"]
    assert folder in capsys.readouterr().out
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setattr(compiled, "use_compile_cache", lambda: None)
    assert main(["compile"]) == 1 and "cannot be kept" in capsys.readouterr().out
