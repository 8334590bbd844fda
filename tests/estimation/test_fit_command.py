"""`python -m estimation fit`: what it prints, what it refuses, and that its bytes depend on the
input and the seed alone.
"""

import json
import os
import subprocess
import sys

import duckdb
import numpy as np
import pandas as pd
import pytest

from estimation.cli import main
from estimation.fit import fit_panel
from tests.conftest import REPO
from tests.estimation.panels import VARIANCE_ESTIMATORS, long_table, random_panel, reference_panel

FIELDS = {
    "term",
    "cohort_year",
    "event_time",
    "vcov",
    "is_default",
    "estimate",
    "std_error",
    "ci_low",
    "ci_high",
    "p_value",
}


def _table(panel, *, provinces=True, cohorts=False, outcome=0):
    """The panel in the manner of the contract; pairs of two pilots carry the earlier year."""
    table = long_table(panel, outcome=outcome)
    i, j = table["city_i"].to_numpy(), table["city_j"].to_numpy()
    years = panel.city_cohort
    pair_years = np.where(
        (years[i] > 0) & (years[j] > 0),
        np.minimum(years[i], years[j]),
        np.maximum(years[i], years[j]),
    )
    result = pd.DataFrame(
        {
            "city_i_id": i + 100,
            "city_j_id": j + 100,
            "year": table["year"],
            "cohort_year": _blank(pair_years),
        }
    )
    for name in ("y", "x0", "x1"):
        if name in table:
            result[name] = table[name]
    if provinces:
        result["province_i_id"], result["province_j_id"] = panel.province[i], panel.province[j]
    if cohorts:
        result["city_i_cohort_year"], result["city_j_cohort_year"] = (
            _blank(years[i]),
            _blank(years[j]),
        )
    return result


def _blank(years):
    return (
        pd.array(np.where(years > 0, years, -1), dtype="Int64").astype(object)
        if (years > 0).all()
        else _nullable(years)
    )


def _nullable(years):
    return pd.Series(years, dtype="Int64").where(pd.Series(years) > 0)


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


@pytest.mark.parametrize("estimator", ["twfe", "event_study", "sun_abraham", "gardner"])
@pytest.mark.parametrize("name", ["panel.csv", "panel.parquet"])
def test_prints_what_the_library_computes(capsys, write, name, estimator):
    panel = random_panel(1, n_controls=2, missing=0.05, n_cities=33, n_pilots=12)
    path = write(_table(panel, cohorts=True), name)
    code, out, err = _run(
        capsys,
        path,
        "--estimator",
        estimator,
        "--controls",
        "x0,x1",
        "--vcov",
        ",".join(VARIANCE_ESTIMATORS),
        "--permutations",
        "99",
    )
    assert (code, err) == (0, "")
    document = json.loads(out, parse_constant=lambda text: pytest.fail(f"{text} is not JSON"))
    assert list(document) == [
        "estimator",
        "outcome",
        "n_obs",
        "n_pairs",
        "n_cities",
        "n_pilots",
        "estimates",
        "diagnostics",
        "warnings",
    ]
    assert set(document["estimates"][0]) >= FIELDS
    expected = fit_panel(
        panel,
        estimator=estimator,
        vcov=VARIANCE_ESTIMATORS,
        permutations=99,
        control_names=("x0", "x1"),
    )
    assert [tuple(e.values()) for e in document["estimates"]] == [
        (
            e.term,
            e.cohort_year,
            e.event_time,
            e.vcov,
            e.is_default,
            e.estimate,
            e.std_error,
            e.ci_low,
            e.ci_high,
            e.p_value,
            e.n_pilots,
        )
        for e in expected.estimates
    ]
    assert (document["n_obs"], document["n_pairs"]) == (expected.n_obs, expected.n_pairs)


def test_reference_panel_from_a_file(capsys, write):
    path = write(_table(reference_panel(), cohorts=True))
    code, out, _ = _run(capsys, path, "--shuffle", "all")
    document = json.loads(out)
    (line,) = document["estimates"]
    assert (code, line["term"], line["vcov"], line["is_default"], line["std_error"]) == (
        0,
        "treated",
        "permutation",
        True,
        None,
    )
    assert line["estimate"] == pytest.approx(-0.157431590, abs=1e-9)
    assert line["p_value"] == 454 / 660


@pytest.mark.parametrize("text_ids", [False, True])
def test_pilots_are_read_off_the_pairs(capsys, write, text_ids):
    table = _without_both(_table(random_panel(2), cohorts=True))
    if text_ids:
        for name in ("city_i_id", "city_j_id"):
            table[name] = "c" + table[name].astype(str)
    documents = []
    for columns in ([], ["city_i_cohort_year", "city_j_cohort_year"]):
        code, out, _ = _run(
            capsys,
            write(table.drop(columns=columns)),
            "--vcov",
            ",".join(VARIANCE_ESTIMATORS),
            "--permutations",
            "99",
        )
        assert code == 0
        documents.append(json.loads(out)["estimates"])
    assert documents[0] == documents[1]


def test_undetermined_pilots_leave_lines_out_and_are_named(capsys, write):
    table = _without_both(_table(random_panel(2), cohorts=True)).drop(
        columns=["city_i_cohort_year", "city_j_cohort_year"]
    )
    lonely = (
        table[table["cohort_year"].notna()]
        .groupby("year")
        .head(1)
        .assign(city_i_id=901, city_j_id=902, cohort_year=2013)
    )
    code, out, _ = _run(
        capsys,
        write(pd.concat([table, lonely])),
        "--vcov",
        ",".join(VARIANCE_ESTIMATORS),
        "--permutations",
        "99",
    )
    document = json.loads(out)
    assert (code, {e["vcov"] for e in document["estimates"]}) == (
        0,
        {"conventional", "dyadic", "province_jackknife"},
    )
    assert any("901, 902" in text for text in document["warnings"])
    assert any("city and permutation are left out" in text for text in document["warnings"])


def test_default_line_and_late_cohorts(capsys, write):
    panel = random_panel(4, n_cities=33, n_pilots=12)
    table = _without_both(_table(panel, cohorts=True)).drop(
        columns=["city_i_cohort_year", "city_j_cohort_year"]
    )
    expected = json.loads(_run(capsys, write(table), "--permutations", "99")[1])
    assert [(e["vcov"], e["is_default"]) for e in expected["estimates"]] == [
        ("province_jackknife", True),
        ("permutation", False),
    ]
    without = table.drop(columns=["province_i_id", "province_j_id"])
    found = json.loads(_run(capsys, write(without), "--permutations", "99")[1])
    assert [(e["vcov"], e["is_default"]) for e in found["estimates"]] == [
        ("city", True),
        ("permutation", False),
    ]
    never = table["cohort_year"].isna()
    late = table.assign(
        cohort_year=table["cohort_year"].mask(
            never & (table["city_i_id"] == table["city_i_id"][never].min()), 2030
        )
    )
    assert json.loads(_run(capsys, write(late), "--permutations", "99")[1]) == expected


def _set(column, value, rows=slice(3, 4)):
    def change(table):
        table = table.astype({column: object})
        table.iloc[rows, table.columns.get_loc(column)] = value
        return table

    return change


FAULTS = {
    "missing column": (
        lambda t: t.drop(columns="cohort_year"),
        ["panel.csv", "cohort_year", "a 0/1 dummy"],
    ),
    "missing outcome": (lambda t: t.drop(columns="y"), ["panel.csv", "column y"]),
    "half of the provinces": (lambda t: t.drop(columns="province_j_id"), ["province_j_id"]),
    "no rows": (lambda t: t.iloc[:0], ["no rows"]),
    "duplicate": (lambda t: pd.concat([t, t.iloc[[5]]]), ["again", "first in 7"]),
    "wrong order": (
        lambda t: t.rename(columns={"city_i_id": "city_j_id", "city_j_id": "city_i_id"}),
        ["line 2", "city_i_id < city_j_id"],
    ),
    "itself": (lambda t: t.assign(city_j_id=t["city_i_id"]), ["with itself"]),
    "text in a number": (_set("y", "abc"), ["line 5", "column y", "'abc'"]),
    "infinite": (_set("y", "inf"), ["line 5", "column y", "'inf'"]),
    "infinite control": (_set("x0", "-inf"), ["line 5", "column x0"]),
    "year": (_set("year", "20.5"), ["line 5", "column year"]),
    "blank id": (_set("city_i_id", ""), ["line 5", "city_i_id", "blank"]),
    "zero for never": (
        lambda t: t.assign(cohort_year=t["cohort_year"].fillna(0)),
        ["cohort_year", "'0'"],
    ),
    "treatment moves": (_set("cohort_year", 2011), ["cohort_year", "absorbing"]),
    "province moves": (_set("province_i_id", 77), ["one value for all rows of a city"]),
    "no treated": (lambda t: t.assign(cohort_year=None), ["exactly one pilot"]),
    "no never-treated": (
        lambda t: t[t["cohort_year"].notna()].assign(cohort_year=2013),
        ["never treated"],
    ),
    "constant outcome": (lambda t: t.assign(y=1.5), ["column y", "1.5 in every row"]),
    "blank outcome": (lambda t: t.assign(y=None), ["column y", "only blanks"]),
    "treated in every year": (
        lambda t: t.assign(cohort_year=t["cohort_year"].mask(t["cohort_year"].notna(), 2010)),
        ["not identified"],
    ),
    "treated after the panel": (
        lambda t: t.assign(cohort_year=t["cohort_year"].mask(t["cohort_year"].notna(), 2050)),
        ["cohort_year inside"],
    ),
    "dummy for a year": (
        lambda t: t.assign(cohort_year=t["cohort_year"].notna().astype(int)),
        ["column cohort_year", "a year from"],
    ),
    "control that pairs hold fixed": (
        lambda t: t.assign(x0=t["city_i_id"]),
        ["control x0", "leave it out"],
    ),
    "one year": (lambda t: t[t["year"] == 2012], ["two years"]),
    "header only twice": (lambda t: t.rename(columns={"x1": "x0"}), ["x0"]),
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
        ["Only 0 provinces", "the pilots sit in one province"],
    ),
    "one pilot": (_alone, "permutation", ["only one pilot"]),
}


@pytest.mark.parametrize("case", THIN)
def test_thin_panels_are_estimated_with_their_warnings(capsys, write, case):
    """One cohort, one province or one pilot is no fault of the file: the line of inference changes
    and the output says why.
    """
    change, default, expected = THIN[case]
    table = _without_both(_table(random_panel(5), cohorts=True)).drop(
        columns=["city_i_cohort_year", "city_j_cohort_year"]
    )
    for estimator in ("twfe", "callaway_santanna", "borusyak"):
        code, out, _ = _run(
            capsys, write(change(table)), "--permutations", "19", "--estimator", estimator
        )
        document = json.loads(out)
        first = next(e for e in document["estimates"] if e["is_default"])
        assert (code, first["vcov"], first["term"]) == (
            0,
            default,
            "treated" if estimator == "twfe" else "att",
        )
        for text in expected:
            assert any(text in warning for warning in document["warnings"])


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_named(capsys, write, fault):
    change, expected = FAULTS[fault]
    table = _without_both(_table(random_panel(5, n_controls=2), cohorts=True)).drop(
        columns=["city_i_cohort_year", "city_j_cohort_year"]
    )
    code, out, err = _run(capsys, write(change(table)), "--controls", "x0", "--permutations", "9")
    assert (code, out) == (2, "")
    for text in expected:
        assert text in err


def test_city_years_that_disagree_with_the_pair_are_refused(capsys, write):
    table = _table(random_panel(5), cohorts=True)
    pilot = table["cohort_year"].notna()
    code, out, err = _run(
        capsys, write(table.assign(cohort_year=table["cohort_year"].mask(pilot, 2012)))
    )
    assert (code, out) == (2, "")
    assert "cohort_year" in err
    assert "2012" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--estimator", "callaway_santanna", "--controls", "x0"], "takes no controls"),
        (["--controls", "x0,x0"], "named twice"),
    ],
)
def test_requests_that_cannot_be_met(capsys, write, arguments, message):
    path = write(_table(random_panel(5, n_controls=1)))
    code, out, err = _run(capsys, path, *arguments)
    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize(
    "arguments",
    [["--vcov", "robust"], ["--permutations", "-1"], ["--estimator", "ols"], ["--seed", "x"]],
)
def test_usage_errors_exit_2(capsys, write, arguments):
    with pytest.raises(SystemExit) as stop:
        _run(capsys, write(_table(random_panel(5))), *arguments)
    assert stop.value.code == 2
    assert capsys.readouterr().out == ""


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
    path = write(
        _table(random_panel(6, n_cities=33, n_pilots=12, missing=0.1, n_controls=1), cohorts=True)
    )
    command = [
        sys.executable,
        "-m",
        "estimation",
        "fit",
        str(path),
        "--outcome",
        "y",
        "--controls",
        "x0",
        "--estimator",
        "event_study",
    ]
    command += ["--vcov", ",".join(VARIANCE_ESTIMATORS), "--permutations", "600", "--json"]
    outputs = []
    for hash_seed, threads in (("0", "1"), ("12345", "3")):
        named = dict.fromkeys(
            ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), threads
        )
        environment = {**os.environ, **named, "PYTHONHASHSEED": hash_seed}
        outputs.append(
            subprocess.run(
                command, cwd=REPO, env=environment, capture_output=True, check=True
            ).stdout
        )
    assert outputs[0] == outputs[1]
    assert len(outputs[0]) > 1000


def test_importing_fit_is_light():
    code = (
        "import sys, estimation.fit; print(sorted({'numba', 'statsmodels', 'pyfixest', 'pandas', "
        "'scipy.stats'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_reader_that_leaves_gets_no_traceback(write):
    path = write(_table(random_panel(5)))
    command = [
        sys.executable,
        "-m",
        "estimation",
        "fit",
        str(path),
        "--outcome",
        "y",
        "--permutations",
        "0",
    ]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        command, cwd=REPO, stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


def test_help_teaches_the_panel_and_the_lines(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["fit", "--help"])
    text = capsys.readouterr().out
    assert stop.value.code == 0
    for word in (
        "cohort_year",
        "blank: never treated",
        "callaway_santanna",
        "province_jackknife",
        "examples",
        "exit code 2",
    ):
        assert word in text


def test_run_names_what_it_cannot_find(capsys, tmp_path):
    code = main(["run", str(tmp_path / "none.duckdb"), "baseline.cm_growth_official.headlin"])
    assert (
        code,
        capsys.readouterr().err.count("did you mean baseline.cm_growth_official.headline"),
    ) == (2, 1)
    for name, content in (("none.duckdb", None), ("bad.duckdb", b"no database")):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        code = main(["run", str(tmp_path / name), "baseline.cm_growth_official.headline"])
        out, err = capsys.readouterr()
        assert (code, out) == (2, "")
        assert name in err


@pytest.mark.parametrize("name", ["duckdb_columns", "duckdb_views", "duckdb_functions", "other"])
def test_run_runs_nothing_of_the_database_it_is_given(capsys, tmp_path, name):
    with duckdb.connect(str(tmp_path / "study.duckdb")) as con:
        con.execute(
            f"create macro {name}() as table select 'marts' as schema_name, false as internal, * "
            f"from enable_logging('QueryLog', storage := 'file', storage_path := '{tmp_path}/x')"
        )
    code = main(["run", str(tmp_path / "study.duckdb"), "baseline.cm_growth_official.headline"])
    assert code == 2 and "expected tables alone" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_within_block_is_offered_for_any_pair_panel(tmp_path, capsys):
    """Means over never-pilot partners, city and province x year effects: the same numbers as from
    the cities' means.
    """
    from estimation.primary.within_block import fit_within_block, partner_means

    panel = random_panel(3, n_cities=40, n_pilots=12)
    path = tmp_path / "panel.csv"
    _table(panel, cohorts=True).to_csv(path, index=False)
    assert (
        main(
            [
                "fit",
                str(path),
                "--outcome",
                "y",
                "--estimator",
                "within_block",
                "--permutations",
                "99",
                "--json",
            ]
        )
        == 0
    )
    printed = json.loads(capsys.readouterr().out)
    means = partner_means(panel.y[0], panel.city_i, panel.city_j, panel.city_cohort == 0)
    block = np.unique(panel.province, return_inverse=True)[1]
    expected = fit_within_block(
        means, panel.years, panel.city_cohort, block, permutations=99, seed=1
    )
    (line,) = printed["estimates"]
    assert (line["term"], line["vcov"], line["is_default"]) == ("treated", "permutation", True)
    assert line["estimate"] == pytest.approx(expected.estimate) and line[
        "p_value"
    ] == pytest.approx(expected.p_value)
    refused = [
        "fit",
        str(path),
        "--outcome",
        "y",
        "--estimator",
        "within_block",
        "--vcov",
        "dyadic",
    ]
    assert main(refused) == 2 and "permutes within provinces" in capsys.readouterr().err


def test_primary_reads_a_city_panel_and_prints_one_object(tmp_path, capsys):
    from tests.estimation.primary.economies import draw_panel

    growth, years, cohort, block = draw_panel(3, calmer=0.8)
    rows = [
        {
            "city_id": i,
            "year": int(t),
            "growth": growth[i, k],
            "cohort_year": cohort[i] or None,
            "block_id": int(block[i]),
        }
        for i in range(len(growth))
        for k, t in enumerate(years)
    ]
    path = tmp_path / "cities.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    assert main(["primary", str(path), "--permutations", "99", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert {
        "estimate",
        "ci_low",
        "ci_high",
        "p_value",
        "minimum_detectable_effect",
        "channels",
        "implied_correlation",
    } <= printed.keys()
    assert [channel["channel"] for channel in printed["channels"]] == ["own_variance", "loading"]
    assert (printed["p_value"] < 0.05) == (printed["ci_low"] > 0 or printed["ci_high"] < 0)
    assert main(["primary", str(tmp_path / "missing.csv")]) == 2
    assert "missing.csv" in capsys.readouterr().err
