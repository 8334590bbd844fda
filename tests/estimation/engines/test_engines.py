"""Every engine gives the numbers of arrays, through `cs.fit`."""

from dataclasses import asdict

import duckdb
import numpy as np
import pandas as pd
import pytest

import estimation as cs
from estimation.engines import choose
from estimation.measures.synchronization import pair_outcome
from estimation.panel.panel_error import PanelError

ALL = ("pair", "dyadic", "unit", "block_jackknife", "permutation")
BINNING = {"event_study": (-3, 2), "twfe": None}


def _units(seed: int, n_units: int = 36) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    cohort = np.zeros(n_units, dtype=int)
    pilots = generator.choice(n_units, n_units // 3, replace=False)
    cohort[pilots] = generator.choice([2012, 2013, 2015], len(pilots))
    city, year = np.repeat(np.arange(n_units), 8), np.tile(np.arange(2010, 2018), n_units)
    growth, first = generator.normal(5, 2, len(city)), np.where(cohort > 0, cohort, np.nan)[city]
    columns = {"city": city, "year": year, "growth": growth, "first": first, "block": city // 3}
    return pd.DataFrame(columns)


def _pairs(units: pd.DataFrame, measure: str, missing: float, seed: int) -> pd.DataFrame:
    d = units.pivot(index="city", columns="year", values="growth")
    i, j = np.triu_indices(len(d), 1)
    y = pair_outcome(measure, d.to_numpy(), i, j)
    table = pd.DataFrame(
        {
            "a": np.repeat(i, d.shape[1]),
            "b": np.repeat(j, d.shape[1]),
            "year": np.tile(d.columns, len(i)),
            "y": y.ravel(),
        }
    )
    first = units.groupby("city")["first"].first()
    for side in ("a", "b"):
        table[f"first_{side}"] = table[side].map(first).astype("Int64")
        table[f"block_{side}"] = table[side] // 3
    gone = np.random.default_rng(seed).random(len(table)) < missing
    return table[~gone]


def _compare(ours: cs.Fit, theirs: cs.Fit, lines: tuple[str, ...]) -> None:
    kept = [pd.DataFrame(map(asdict, fit.estimates)) for fit in (ours, theirs)]
    one, two = (frame[frame["vcov"].isin(lines)].reset_index(drop=True) for frame in kept)
    exact = ["term", "event_time", "vcov", "is_default", "n_pilots"]
    pd.testing.assert_frame_equal(one[exact], two[exact])
    # degrees of freedom come out of a search that stops at 1e-9
    is_searched = (one["vcov"] == "block_jackknife").to_numpy()
    for field in ("estimate", "std_error", "ci_low", "ci_high", "p_value"):
        for rows, rel in ((~is_searched, 1e-10), (is_searched, 1e-8)):
            numbers = (frame.loc[rows, field].to_numpy(dtype=float) for frame in (one, two))
            tolerance = 1e-10 if field == "estimate" else rel
            np.testing.assert_allclose(*numbers, rtol=tolerance, atol=1e-10, err_msg=field)
    for name in ("n_obs", "n_pairs", "n_units", "n_treated"):
        assert getattr(ours, name) == getattr(theirs, name)
    numbers = {(n, t): v for n, t, v in ours.diagnostics if isinstance(v, float)}
    for name, term, value in theirs.diagnostics:
        if (name, term) in numbers and "permutation" not in name:
            assert numbers[name, term] == pytest.approx(value, rel=1e-6, abs=1e-9), name


@pytest.mark.parametrize(
    ("measure", "estimator"),
    [
        ("cm", "twfe"),
        ("cm", "event_study"),
        ("comove", "event_study"),
        ("dispersion", "twfe"),
        ("neg_abs_gap", "event_study"),
    ],
)
def test_all_engines_on_all_pairs(measure, estimator):
    units = _units(3)
    given = {"estimator": estimator, "vcov": ALL, "permutations": 60, "cohort": "first"}
    given |= {"block": "block", "binning": BINNING[estimator]}
    listed = cs.fit(units, measure, unit="city", series="growth", **given)
    closed = cs.fit(units, measure, unit="city", series="growth", **given | {"permutations": 0})
    assert (closed.engine, listed.engine) == ("all_pairs", "arrays")
    _compare(closed, listed, ALL[:-1])
    pairs = _pairs(units, measure, 0.0, 0)
    of_pairs = {**given, "unit": ("a", "b"), "cohort": ("first_a", "first_b")}
    _compare(cs.fit(pairs, "y", **of_pairs), listed, ALL)


def test_a_file_and_a_relation_give_the_numbers_of_their_frame(tmp_path):
    # names are data: no part of one is SQL
    outcome, time = 'y"; drop table pairs', "the year"
    pairs = _pairs(_units(2), "cm", 0.3, 2)
    pairs = pairs.rename(columns={"y": outcome, "year": time})
    # a pair has no direction: in the file some rows have the larger id first
    turned = pairs.rename(columns=lambda n: n[:-1] + {"a": "b", "b": "a"}.get(n[-1], n[-1]))
    rows = np.random.default_rng(2).random(len(pairs)) < 0.5
    pd.concat([pairs[rows], turned[~rows]]).to_parquet(tmp_path / "pairs.parquet")
    given = {"unit": ("a", "b"), "cohort": ("first_a", "first_b"), "block": "block", "time": time}
    given |= {"vcov": ALL[:-1], "permutations": 0}
    plain = cs.fit(pairs, outcome, **given)
    _compare(cs.fit(tmp_path / "pairs.parquet", outcome, **given), plain, ALL[:-1])
    with duckdb.connect() as con:
        con.register("pairs", pairs)
        assert cs.fit(con.table("pairs"), outcome, **given).estimates == plain.estimates


@pytest.mark.parametrize("engine", ["all_pairs", "arrays"])
def test_a_small_outcome_has_the_errors_of_a_large_one(engine):
    units = _units(1)
    found = []
    for factor in (1.0, 1e-14):
        panel = units.assign(growth=units["growth"] * factor)
        given = {"unit": "city", "series": "growth", "cohort": "first", "block": "block"}
        given |= {"engine": engine, "permutations": 0, "vcov": ["pair", "unit"]}
        fit = cs.fit(panel, "neg_abs_gap", **given)
        found.append([fit.se(line)["treated"] / factor for line in ("pair", "unit")])
    assert found[1] == pytest.approx(found[0], rel=1e-9)


def test_pairs_that_do_not_fit_in_memory_are_not_listed(monkeypatch):
    monkeypatch.setattr(choose, "free_memory", lambda: 1e5)
    fit = cs.fit(_units(1), "cm", **UNITS | {"permutations": 99})
    assert fit.engine == "all_pairs"
    assert "permutation is left out: draws need" in " ".join(fit.warnings)


UNITS = {"unit": "city", "series": "growth", "cohort": "first", "permutations": 0}


@pytest.mark.parametrize(
    ("panel", "outcome", "given", "error", "said"),
    [
        (
            _units(1),
            "cm",
            {**UNITS, "estimator": "borusyak", "engine": "all_pairs"},
            cs.NotEstimable,
            "engine 'all_pairs'",
        ),
        (_units(1)[1:], "cm", UNITS, PanelError, "every unit in every period"),
    ],
)
def test_an_engine_says_what_it_does_not_serve(panel, outcome, given, error, said):
    with pytest.raises(error, match=said):
        cs.fit(panel, outcome, **given)
    assert cs.fit(_units(1), "cm", estimator="borusyak", **UNITS).engine == "arrays"
    assert cs.fit(_units(1), "cm_bounded", **UNITS).engine == "arrays"
