"""`cs.fit`: the same figures whatever holds the panel, and against pyfixest where it fits
the same.
"""

import pickle
import subprocess
import sys

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyfixest
import pytest

import estimation as cs
from estimation.fit import fit_panel
from tests.conftest import REPO
from tests.estimation.panels import VARIANCE_ESTIMATORS

from .panels import COLUMNS, country_panel

TIDY = ["term", "estimate", "std_error", "ci_low", "ci_high", "p_value", "vcov"]
KINDS = {
    "pandas": lambda frame, folder: frame,
    "categories": lambda frame, folder: frame.astype(
        {"exporter": "category", "importer": "category"}
    ),
    "polars": lambda frame, folder: pl.from_pandas(frame),
    "arrow": lambda frame, folder: pa.Table.from_pandas(frame),
    "duckdb": lambda frame, folder: duckdb.sql("select * from frame"),
    "mapping": lambda frame, folder: {name: frame[name].to_list() for name in frame},
    "csv": lambda frame, folder: _written(
        frame, folder / "panel.csv", lambda path: frame.to_csv(path, index=False)
    ),
    "parquet": lambda frame, folder: str(
        _written(frame, folder / "panel.parquet", frame.to_parquet)
    ),
    "dta": lambda frame, folder: _written(
        frame, folder / "panel.dta", lambda path: frame.to_stata(path, write_index=False)
    ),
}


def _written(frame, path, write):
    write(path)
    return path


def _swapped(frame, seed=3):
    """Some rows with their units the other way round, in another order of rows."""
    generator = np.random.default_rng(seed)
    swap = generator.random(len(frame)) < 0.5
    changed = frame.copy()
    changed.loc[swap, "exporter"], changed.loc[swap, "importer"] = (
        frame.loc[swap, "importer"],
        frame.loc[swap, "exporter"],
    )
    return changed.iloc[generator.permutation(len(frame))].reset_index(drop=True)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_panel_gives_the_same_figures(tmp_path, kind):
    frame, panel, cohorts, blocks = country_panel(missing=0.02)
    expected = fit_panel(panel, vcov=VARIANCE_ESTIMATORS, permutations=99, control_names=("x0",))
    fit = cs.fit(
        KINDS[kind](_swapped(frame), tmp_path),
        "y",
        **COLUMNS,
        cohort=cohorts,
        block=blocks,
        controls=["x0"],
        vcov=VARIANCE_ESTIMATORS,
        permutations=99,
    )
    assert fit.estimates == expected.estimates
    assert (fit.n_obs, fit.n_pairs, fit.n_units, fit.n_treated) == (
        expected.n_obs,
        expected.n_pairs,
        expected.n_cities,
        expected.n_pilots,
    )


def test_tidy_is_a_frame_of_the_kind_that_was_given():
    frame, _, cohorts, blocks = country_panel()
    options = {**COLUMNS, "cohort": cohorts, "block": blocks, "permutations": 99}
    found = cs.fit(frame, "y", **options).tidy()
    assert (
        isinstance(found, pd.DataFrame)
        and list(found) == TIDY
        and list(found["term"]) == ["treated", "treated"]
    )
    assert list(found["vcov"]) == ["province_jackknife", "permutation"] and np.isnan(
        found["std_error"].iloc[1]
    )
    of_polars = cs.fit(pl.from_pandas(frame), "y", **options).tidy()
    assert isinstance(of_polars, pl.DataFrame) and of_polars.columns == TIDY
    of_arrow = cs.fit(pa.Table.from_pandas(frame), "y", **options).tidy()
    assert isinstance(of_arrow, pa.Table) and of_arrow.column_names == TIDY
    assert (
        of_arrow["estimate"].to_pylist()
        == of_polars["estimate"].to_list()
        == list(found["estimate"])
    )


def _given_in_columns(frame, cohorts, blocks):
    sides = {
        "first_exporter": frame["exporter"].map(cohorts),
        "first_importer": frame["importer"].map(cohorts),
    }
    sides |= {
        "exporter_region": frame["exporter"].map(blocks),
        "importer_region": frame["importer"].map(blocks),
    }
    return frame.assign(**sides)


def test_cohorts_and_blocks_of_units_may_be_columns_mappings_series_or_frames(tmp_path):
    frame, _, cohorts, blocks = country_panel()
    wide = _given_in_columns(frame, cohorts, blocks)
    units = pd.DataFrame({"unit": list(blocks), "first": [cohorts.get(name) for name in blocks]})
    path = tmp_path / "entry.csv"
    units.to_csv(path, index=False)
    ways = [
        (frame, cohorts, blocks),
        (frame, pd.Series(cohorts), pd.Series(blocks)),
        (frame, units, pl.DataFrame({"unit": list(blocks), "block": list(blocks.values())})),
        (frame, path, blocks),
        (wide, "first", "region"),
        (wide, ("first_exporter", "first_importer"), ("exporter_region", "importer_region")),
    ]
    fits = [
        cs.fit(panel, "y", **COLUMNS, cohort=cohort, block=block, permutations=99)
        for panel, cohort, block in ways
    ]
    assert all(fit == fits[0] for fit in fits)


def test_the_pair_cohort_reads_the_units_off_the_pairs():
    frame, _, cohorts, blocks = country_panel()
    first = frame["exporter"].map(cohorts).fillna(0) + frame["importer"].map(cohorts).fillna(0)
    both = frame["exporter"].isin(cohorts) & frame["importer"].isin(cohorts)
    pairs = frame.assign(first_year=first.where(first > 0))[~both]
    # a permutation also uses the pairs of two treated units, which are not there
    options = {**COLUMNS, "block": blocks, "vcov": VARIANCE_ESTIMATORS, "permutations": 0}
    by_pair = cs.fit(pairs, "y", cohort="first_year", **options)
    assert by_pair.estimates == cs.fit(frame, "y", cohort=cohorts, **options).estimates


def test_periods_may_be_counted_from_one():
    frame, _, cohorts, blocks = country_panel()
    counted = frame.assign(period=frame["period"] - 2009)
    periods = {name: year - 2009 for name, year in cohorts.items()}
    options = {
        "block": blocks,
        "estimator": "callaway_santanna",
        "permutations": 0,
        "vcov": "dyadic",
    }
    years = cs.fit(frame, "y", **COLUMNS, cohort=cohorts, **options)
    found = cs.fit(counted, "y", **COLUMNS, cohort=periods, **options)
    assert [e.estimate for e in found.estimates] == [e.estimate for e in years.estimates]


def _for_pyfixest(frame, cohorts):
    first = np.maximum(
        frame["exporter"].map(cohorts).fillna(0), frame["importer"].map(cohorts).fillna(0)
    )
    both = frame["exporter"].isin(cohorts) & frame["importer"].isin(cohorts)
    table = frame.assign(pair=frame["exporter"] + frame["importer"], first=first)[
        ~both
    ].reset_index(drop=True)
    table["treated"] = ((table["first"] > 0) & (table["period"] >= table["first"])).astype(float)
    return table


def test_weights_are_those_of_a_second_package():
    frame, _, cohorts, blocks = country_panel(missing=0.1)
    keys = frame["exporter"] + frame["importer"]
    names = pd.unique(keys)
    of_pair = dict(zip(names, np.random.default_rng(5).uniform(0.2, 4.0, len(names)), strict=True))
    weighted = frame.assign(w=keys.map(of_pair))
    fit = cs.fit(
        weighted,
        "y",
        **COLUMNS,
        cohort=cohorts,
        block=blocks,
        controls=["x0"],
        weights="w",
        vcov="conventional",
    )
    table = _for_pyfixest(weighted, cohorts)
    peer = pyfixest.feols(
        "y ~ treated + x0 | pair + period",
        table,
        weights="w",
        vcov={"CRV1": "pair"},
        fixef_tol=1e-12,
    )
    for term in ("treated", "x0"):
        found = fit.default(term)
        assert found.estimate == pytest.approx(peer.coef()[term], rel=1e-8)
    # pyfixest's clustered error carries a factor of small samples, ours none; the ratio is the same
    # for all coefficients
    ratios = [fit.default(term).std_error / peer.se()[term] for term in ("treated", "x0")]
    assert ratios[0] == pytest.approx(ratios[1], rel=1e-6) and ratios[0] == pytest.approx(
        1, rel=0.01
    )


def test_weights_that_are_equal_change_nothing():
    frame, _, cohorts, blocks = country_panel(missing=0.05)
    options = {
        **COLUMNS,
        "cohort": cohorts,
        "block": blocks,
        "vcov": VARIANCE_ESTIMATORS,
        "permutations": 99,
    }
    plain, weighted = (
        cs.fit(frame, "y", **options),
        cs.fit(frame.assign(w=2.5), "y", weights="w", **options),
    )
    assert weighted.estimates == plain.estimates


def test_a_pair_of_weight_two_counts_like_two_pairs_in_the_coefficient():
    frame, _, cohorts, _ = country_panel()
    heavy = frame["exporter"] == "c004"
    fit = cs.fit(
        frame.assign(w=1.0 + heavy), "y", **COLUMNS, cohort=cohorts, weights="w", permutations=0
    )
    table = _for_pyfixest(frame, cohorts)
    again = table[table["exporter"] == "c004"]
    doubled = pd.concat([table, again.assign(pair=again["pair"] + "again")])
    peer = pyfixest.feols("y ~ treated | pair + period", doubled, vcov="iid", fixef_tol=1e-12)
    assert fit.default().estimate == pytest.approx(peer.coef()["treated"], rel=1e-8)


def test_reference_and_bins_of_an_event_study_are_those_of_a_second_package():
    frame, _, cohorts, _ = country_panel(n_years=9)
    fit = cs.fit(
        frame,
        "y",
        **COLUMNS,
        cohort=cohorts,
        estimator="event_study",
        reference=-2,
        binning=(-3, 2),
        permutations=0,
    )
    table = _for_pyfixest(frame, cohorts)
    event = np.where(table["first"] > 0, np.clip(table["period"] - table["first"], -3, 2), -2)
    table["event"] = event.astype(int)
    peer = pyfixest.feols(
        "y ~ i(event, ref=-2) | pair + period", table, vcov="iid", fixef_tol=1e-12
    )
    expected = {
        int(name.split("::")[-1].rstrip("]").removeprefix("T.")): value
        for name, value in peer.coef().items()
    }
    found = {e.event_time: e.estimate for e in fit.estimates}
    assert set(found) == set(expected) == {-3, -1, 0, 1, 2}
    for time, value in expected.items():
        assert found[time] == pytest.approx(value, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"estimator": "event_study", "reference": -30}, "choose a reference from"),
        (
            {"estimator": "event_study", "binning": (2, 5)},
            "expected the first and the last event time",
        ),
        ({"estimator": "twfe", "reference": -2}, "choose event_study"),
        ({"estimator": "gardner", "weights": "x0"}, "takes no weights"),
        ({"estimator": "within_block", "controls": ["x0"]}, "takes no controls"),
    ],
)
def test_what_an_estimator_cannot_do_is_said(options, said):
    frame, _, cohorts, blocks = country_panel()
    panel = frame.assign(x0=1.0) if "weights" in options else frame
    with pytest.raises(cs.NotEstimable, match=said):
        cs.fit(panel, "y", **COLUMNS, cohort=cohorts, block=blocks, permutations=0, **options)


def test_exposure_to_both_against_a_second_package():
    frame, _, cohorts, blocks = country_panel(missing=0.05)
    fit = cs.fit(
        frame,
        "y",
        **COLUMNS,
        cohort=cohorts,
        block=blocks,
        exposure="both",
        vcov=VARIANCE_ESTIMATORS,
        permutations=49,
    )
    first, second = frame["exporter"].map(cohorts), frame["importer"].map(cohorts)
    table = frame.assign(
        pair=frame["exporter"] + frame["importer"], start=np.maximum(first, second)
    )
    table["treated"] = (table["period"] >= table["start"]).astype(float)
    peer = pyfixest.feols("y ~ treated | pair + period", table, vcov="iid", fixef_tol=1e-12)
    assert fit.default().estimate == pytest.approx(peer.coef()["treated"], rel=1e-8)
    assert (fit.n_treated, {e.vcov for e in fit.estimates}) == (12, set(VARIANCE_ESTIMATORS))


def test_results_are_read_pickled_and_lighter_without_their_parts():
    frame, _, cohorts, blocks = country_panel()
    fit = cs.fit(frame, "y", **COLUMNS, cohort=cohorts, block=blocks, permutations=99)
    again = pickle.loads(pickle.dumps(fit))
    assert again == fit and repr(again) == repr(fit) == fit.summary()
    assert "jackknife over blocks *" in repr(fit) and "33 units, 12 of them treated" in repr(fit)
    assert len(pickle.dumps(fit.without_parts())) < len(pickle.dumps(fit))
    assert fit.diagnostic("permutation_draws") == 99
    with pytest.raises(KeyError, match="expected one of treated"):
        fit.default("treatde")


def test_seed_and_row_order_decide_every_figure():
    frame, _, cohorts, blocks = country_panel()
    options = {**COLUMNS, "cohort": cohorts, "block": blocks, "permutations": 199}
    one, other = (
        cs.fit(frame, "y", seed=4, **options),
        cs.fit(_swapped(frame), "y", seed=4, **options),
    )
    assert one == other
    assert cs.fit(frame, "y", seed=5, **options).estimates[1].p_value != one.estimates[1].p_value


def test_progress_is_shown_when_asked(capsys):
    frame, _, cohorts, blocks = country_panel()
    options = {**COLUMNS, "cohort": cohorts, "block": blocks, "permutations": 99}
    cs.fit(frame, "y", **options)
    assert capsys.readouterr().err == ""
    cs.fit(frame, "y", progress=True, **options)
    assert "permutations" in capsys.readouterr().err


def test_functions_stay_functions_when_files_of_their_names_are_imported():
    code = (
        "import estimation as cs, estimation.fit, estimation.primary.fit; print(callable(cs.fit), "
        "callable(cs.primary), dir(cs)[:3])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("True True")


def test_importing_the_library_loads_nothing_heavy():
    code = (
        "import sys, estimation; print(sorted({'numpy', 'scipy', 'pandas', 'pyarrow', "
        "'matplotlib', 'numba'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_primary_takes_frames_and_other_names():
    from tests.estimation.primary.economies import draw_panel

    growth, years, cohort, block = draw_panel(7, calmer=0.6)
    unit, year = np.indices(growth.shape)
    columns = {
        "country": unit.ravel(),
        "t": years[year.ravel()],
        "g": growth.ravel(),
        "first": np.where(cohort, cohort, np.nan)[unit.ravel()],
    }
    frame = pd.DataFrame(columns | {"region": block[unit.ravel()]})
    options = {"unit": "country", "time": "t", "permutations": 199, "seed": 2}
    found = cs.primary(frame, "g", cohort="first", block="region", **options)
    beside = cs.primary(
        pl.from_pandas(frame),
        "g",
        cohort={k: int(c) for k, c in enumerate(cohort) if c},
        block=dict(enumerate(block.tolist())),
        **options,
    )
    assert found.result == beside.result and found.rejects
    assert list(found.tidy()) == TIDY and list(found.tidy()["term"])[:3] == [
        "synchronization",
        "own_variance",
        "loading",
    ]
    assert isinstance(beside.tidy(), pl.DataFrame)
    assert "synchronization with never-treated units" in repr(found)


def test_sentences_are_about_units_where_the_units_are_no_cities():
    frame, _, cohorts, blocks = country_panel()
    fit = cs.fit(frame, "y", **COLUMNS, cohort=cohorts, block=blocks, permutations=0)
    assert "66 pairs of two treated units are left out." in fit.warnings
    assert not any(
        word in text for text in fit.warnings for word in ("pilot", "province ", "cities")
    )
    renamed = frame.rename(
        columns={"exporter": "city_i_id", "importer": "city_j_id", "period": "year"}
    )
    assert (
        "66 pairs of two pilots are left out."
        in cs.fit(renamed, "y", cohort=cohorts, block=blocks, permutations=0).warnings
    )


def test_a_directed_panel_may_carry_what_belongs_to_its_first_unit():
    frame, _, cohorts, blocks = country_panel()
    other = frame.rename(columns={"exporter": "importer", "importer": "exporter"})
    directed = pd.concat([frame, other], ignore_index=True)
    directed = directed.assign(
        first=directed["exporter"].map(cohorts), region=directed["exporter"].map(blocks)
    )
    found = cs.fit(
        directed,
        "y",
        **COLUMNS,
        cohort="first",
        block="region",
        vcov="dyadic, block_jackknife",
        permutations=0,
    )
    expected = cs.fit(
        frame,
        "y",
        **COLUMNS,
        cohort=cohorts,
        block=blocks,
        vcov=["dyadic", "province_jackknife"],
        permutations=0,
    )
    assert found.estimates == expected.estimates


@pytest.mark.parametrize("kind", [pl.Int8, pl.UInt8, pl.Int64, pl.UInt64, pl.Float64, pl.String])
def test_ids_may_be_numbers_of_any_width_or_text_of_numbers(kind):
    frame, _, cohorts, blocks = country_panel()
    # spread over the whole width of a signed byte, where it has a sign
    shift = -120 if kind in (pl.Int8, pl.Int64, pl.Float64) else 5
    numbers = {name: 7 * k + shift for k, name in enumerate(blocks)}
    numbered = frame.assign(
        exporter=frame["exporter"].map(numbers), importer=frame["importer"].map(numbers)
    )
    panel = pl.from_pandas(numbered).with_columns(pl.col("exporter", "importer").cast(kind))
    beside = {
        "cohort": {numbers[k]: v for k, v in cohorts.items()},
        "block": {numbers[k]: v for k, v in blocks.items()},
    }
    found = cs.fit(panel, "y", **COLUMNS, **beside, vcov=VARIANCE_ESTIMATORS, permutations=0)
    expected = cs.fit(
        frame,
        "y",
        **COLUMNS,
        cohort=cohorts,
        block=blocks,
        vcov=VARIANCE_ESTIMATORS,
        permutations=0,
    )
    assert found.estimates == expected.estimates
