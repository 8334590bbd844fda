"""`citysync fit`: what it prints, what it refuses, and that its bytes depend on the
input and the seed alone.
"""

import dataclasses
import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from estimation.cli import main
from estimation.fit_panel import fit_panel
from estimation.primary.pair_means import partner_means
from estimation.primary.within_block import fit_within_block
from tests.conftest import REPO
from tests.estimation.panels import (
    VARIANCE_ESTIMATORS,
    contract_table,
    random_panel,
    with_cell,
)

OF_CITIES = ["city_i_cohort_year", "city_j_cohort_year"]
ALL_LINES = ["--vcov", ",".join(VARIANCE_ESTIMATORS), "--permutations", "99"]
COMMAND = [sys.executable, "-m", "estimation", "fit"]


def _of_pairs(panel):
    """A panel that names the cohorts of pairs alone."""
    return _without_both(contract_table(panel)).drop(columns=OF_CITIES)


def _without_both(table):
    return table[~(table["city_i_cohort_year"].notna() & table["city_j_cohort_year"].notna())]


def _run(capsys, path, *arguments):
    code = main(["fit", str(path), "--outcome", "y", "--json", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def write(tmp_path):
    def write_table(table, name="panel.csv"):
        path = tmp_path / name
        table.to_parquet(path) if path.suffix == ".parquet" else table.to_csv(path, index=False)
        return path

    return write_table


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("panel.csv", {"estimator": "twfe"}),
        ("panel.parquet", {"estimator": "event_study"}),
        ("panel.csv", {"estimator": "sun_abraham"}),
        ("panel.parquet", {"estimator": "gardner"}),
        ("panel.csv", {"estimator": "callaway_santanna", "control_pairs": "not_yet_treated"}),
    ],
)
def test_prints_what_the_library_computes(capsys, write, name, settings):
    panel = random_panel(1, n_controls=2, missing=0.05, n_cities=33, n_pilots=12)
    options, controls = ["--estimator", settings["estimator"], *ALL_LINES], ("x0", "x1")
    if "control_pairs" in settings:
        panel, controls = dataclasses.replace(panel, controls=None), ()
        options += ["--control-group", settings["control_pairs"]]
    else:
        options += ["--controls", ",".join(controls)]
    code, out, err = _run(capsys, write(contract_table(panel), name), *options)
    assert (code, err) == (0, "")
    document = json.loads(out, parse_constant=lambda text: pytest.fail(f"{text} is not JSON"))
    settings = {"vcov": VARIANCE_ESTIMATORS, "permutations": 99, **settings}
    expected = fit_panel(panel, control_names=controls, **settings)
    assert document["estimates"] == [
        {name: getattr(e, name) for name in document["estimates"][0]} for e in expected.estimates
    ]
    assert (document["n_obs"], document["n_pairs"]) == (expected.n_obs, expected.n_pairs)


def test_a_file_of_some_pairs_says_that_the_draws_have_these_alone(capsys, write):
    table = contract_table(random_panel(2))
    some = table[(table["city_i_id"] > 100) | (table["city_j_id"] != 103)]
    said = [
        " ".join(json.loads(_run(capsys, write(t), *ALL_LINES)[1])["warnings"])
        for t in (table, some)
    ]
    assert ["152 of the 153 pairs" in text for text in said] == [False, True]
    assert "pairs of its cities" not in said[0]


def test_undetermined_pilots_leave_lines_out_and_are_named(capsys, write):
    table = _of_pairs(random_panel(2))
    lonely = table[table["cohort_year"].notna()].groupby("year").head(1)
    lonely = lonely.assign(city_i_id=901, city_j_id=902, cohort_year=2013)
    code, out, _ = _run(capsys, write(pd.concat([table, lonely])), *ALL_LINES)
    document = json.loads(out)
    lines = {e["vcov"] for e in document["estimates"]}
    assert (code, lines) == (0, {"conventional", "dyadic", "province_jackknife"})
    said = " ".join(document["warnings"])
    assert "901, 902" in said and "permutation is left out" in said


FAULTS = {
    "missing column": (
        lambda t: t.drop(columns="cohort_year"),
        ["panel.csv", "cohort_year", "a 0/1 dummy"],
    ),
    "half of the provinces": (lambda t: t.drop(columns="province_j_id"), ["province_j_id"]),
    "wrong order": (
        lambda t: t.rename(columns={"city_i_id": "city_j_id", "city_j_id": "city_i_id"}),
        ["line 2", "city_i_id < city_j_id"],
    ),
    "year": (with_cell("year", "20.5"), ["line 5", "column year"]),
    "zero for never": (
        lambda t: t.assign(cohort_year=t["cohort_year"].fillna(0)),
        ["cohort_year", "'0'"],
    ),
    "treatment moves": (with_cell("cohort_year", 2011), ["cohort_year", "absorbing"]),
    "province moves": (with_cell("province_i_id", 77), ["one value for all rows of a unit"]),
    "no treated": (lambda t: t.assign(cohort_year=None), ["every first treated period is blank"]),
    "no never-treated": (
        lambda t: t[t["cohort_year"].notna()].assign(cohort_year=2013),
        ["never treated"],
    ),
    "treated in every year": (
        lambda t: t.assign(cohort_year=t["cohort_year"].mask(t["cohort_year"].notna(), 2010)),
        ["before and after its treatment"],
    ),
    "treated after the panel": (
        lambda t: t.assign(cohort_year=t["cohort_year"].mask(t["cohort_year"].notna(), 2050)),
        ["after the last year"],
    ),
    "dummy for a year": (
        lambda t: t.assign(cohort_year=t["cohort_year"].notna().astype(int)),
        ["column cohort_year", "a year from"],
    ),
    "header only twice": (lambda t: t.rename(columns={"x1": "x0"}), ["x0"]),
    "years of cities that disagree with the pair's": (
        lambda t: contract_table(random_panel(5, n_controls=2)).assign(
            cohort_year=t["cohort_year"].mask(t["cohort_year"].notna(), 2012)
        ),
        ["cohort_year", "2012"],
    ),
}


def _alone(table):
    """The pairs of one pilot, and the never-treated."""
    pilot = table.loc[table["cohort_year"].notna(), "city_i_id"].mode()[0]
    return table[table["cohort_year"].isna() | (table["city_i_id"] == pilot)]


THIN = {
    "single cohort": (
        lambda t: t.assign(cohort_year=t["cohort_year"].mask(t["cohort_year"].notna(), 2014)),
        "city",
        [],
    ),
    "one cluster": (
        lambda t: t.assign(province_i_id=1, province_j_id=1),
        "permutation",
        ["Only 0 blocks", "the treated units sit in one block"],
    ),
    "one pilot": (_alone, "permutation", ["only one treated unit"]),
}


@pytest.mark.parametrize("case", THIN)
def test_thin_panels_are_estimated_with_their_warnings(capsys, write, case):
    """One cohort, one province or one pilot is no fault of the file: the inference method changes
    and the output says why.
    """
    change, default, expected = THIN[case]
    path = write(change(_of_pairs(random_panel(5))))
    for estimator, term in (("twfe", "treated"), ("callaway_santanna", "att"), ("borusyak", "att")):
        code, out, _ = _run(capsys, path, "--permutations", "19", "--estimator", estimator)
        document = json.loads(out)
        first = next(e for e in document["estimates"] if e["is_default"])
        assert (code, first["vcov"], first["term"]) == (0, default, term)
        assert all(text in " ".join(document["warnings"]) for text in expected)


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_named(capsys, write, fault):
    change, expected = FAULTS[fault]
    path = write(change(_of_pairs(random_panel(5, n_controls=2))))
    code, out, err = _run(capsys, path, "--controls", "x0", "--permutations", "9")
    assert (code, out) == (2, "")
    assert all(text in err for text in expected)


@pytest.mark.parametrize("content", [None, b"", b"PAR1 no parquet", b"\xff\xfe\x00binary"])
@pytest.mark.parametrize("name", ["panel.csv", "panel.parquet"])
def test_unreadable_files(capsys, tmp_path, name, content):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    code, out, err = _run(capsys, path)
    assert (code, out) == (2, "")
    assert name in err


def test_bytes_depend_on_input_and_seed_alone(write):
    panel = random_panel(6, n_cities=33, n_pilots=12, missing=0.1, n_controls=1)
    command = [*COMMAND, str(write(contract_table(panel))), "--outcome", "y", "--json"]
    command += ["--controls", "x0", "--estimator", "event_study", *ALL_LINES[:-1], "600"]
    outputs = []
    for hash_seed, threads in (("0", "1"), ("12345", "3")):
        libraries = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
        more = {**dict.fromkeys(libraries, threads), "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(
            command, cwd=REPO, env={**os.environ, **more}, capture_output=True, check=True
        )
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1] and len(outputs[0]) > 1000


def test_a_reader_that_leaves_gets_no_traceback(write):
    path = write(contract_table(random_panel(5)))
    command = [*COMMAND, str(path), "--outcome", "y", "--permutations", "0"]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        command, cwd=REPO, stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


def test_within_block_is_offered_for_any_pair_panel(write, capsys):
    """Means over never-treated partners, city and province x year effects: the same numbers as from
    the cities' means.
    """
    panel = random_panel(3, n_cities=40, n_pilots=12)
    path = write(contract_table(panel))
    asked = ["--estimator", "within_block"]
    code, out, _ = _run(capsys, path, *asked, "--permutations", "99")
    means = partner_means(panel.y[0], panel.city_i, panel.city_j, panel.city_cohort == 0)
    block = np.unique(panel.province, return_inverse=True)[1]
    given = (means, panel.years, panel.city_cohort, block)
    expected = fit_within_block(*given, permutations=99, seed=1)
    (line,) = json.loads(out)["estimates"]
    assert (code, line["vcov"], line["is_default"]) == (0, "permutation", True)
    assert line["estimate"] == pytest.approx(expected.estimate)
    assert line["p_value"] == pytest.approx(expected.p_value)
    code, _, err = _run(capsys, path, *asked, "--vcov", "dyadic")
    assert code == 2 and "permutes within blocks" in err
