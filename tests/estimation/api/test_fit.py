"""`cs.fit`: the same figures whatever holds the panel, and against pyfixest where it fits
the same.
"""

import pickle
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyfixest
import pytest
from scipy import stats

import estimation as cs
from estimation.api.words import PUBLISHED
from estimation.fit_panel import fit_panel
from estimation.primary.fit_primary import fit_primary
from tests.conftest import REPO
from tests.estimation.panels import VARIANCE_ESTIMATORS
from tests.estimation.parity import agrees
from tests.estimation.primary.economies import draw_panel
from tests.estimation.primary.test_command import _frame

from .panels import COLUMNS, country_panel, for_pyfixest

TIDY = ["term", "estimate", "std_error", "ci_low", "ci_high", "p_value", "vcov", "df"]
#: Effects of the second package taken out as exactly as ours.
EXACT = pyfixest.MapDemeaner(fixef_tol=1e-12)
KINDS = {
    "pandas": lambda frame, folder: frame,
    "categories": lambda frame, folder: frame.astype(
        {"exporter": "category", "importer": "category"}
    ),
    "decimals": lambda frame, folder: frame.assign(y=frame["y"].map(lambda v: Decimal(repr(v)))),
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
    named = [replace(e, vcov=PUBLISHED[e.vcov]) for e in fit.estimates]
    assert named == list(expected.estimates)
    assert (fit.n_obs, fit.n_pairs, fit.n_units, fit.n_treated) == (
        expected.n_obs,
        expected.n_pairs,
        expected.n_cities,
        expected.n_pilots,
    )
    counts = np.asarray(fit.tidy(full=True)["n_treated"])
    assert list(counts) == [e.n_pilots for e in expected.estimates]
    # a table of the kind that was given
    tidy = fit.tidy()
    assert isinstance(tidy, {"polars": pl.DataFrame, "arrow": pa.Table}.get(kind, pd.DataFrame))
    rows = pa.table(tidy) if kind == "polars" else tidy
    assert list(rows.to_pydict() if kind in ("polars", "arrow") else rows) == TIDY
    assert list(np.asarray(tidy["estimate"])) == [e.estimate for e in fit.estimates]


PERIODS = {
    "days of a year": lambda year: pd.to_datetime(year.astype(str) + "-12-31"),
    "days in arrays": lambda year: pd.to_datetime(year.astype(str) + "-12-31"),
    "quarters": lambda year: pd.PeriodIndex.from_ordinals(year - 2010 + 160, freq="Q"),
    "months": lambda year: pd.PeriodIndex.from_ordinals(year - 2010 + 480, freq="M").to_timestamp(),
    "quarters as text": lambda year: pd.PeriodIndex.from_ordinals(
        year - 2010 + 160, freq="Q"
    ).astype(str),
    "months as Stata writes them": lambda year: "2010m" + (year - 2009).astype(str),
    "quarters as Stata writes them": lambda year: (
        (2010 + (year - 2010) // 4).astype(str) + "q" + ((year - 2010) % 4 + 1).astype(str)
    ),
    "polars dates": lambda year: pl.Series(year).map_elements(
        lambda y: date(2001, 1, 1) + timedelta(days=y), return_dtype=pl.Date
    ),
}


@pytest.mark.parametrize("kind", PERIODS)
def test_dates_quarters_and_months_are_periods_in_order(frame, given, kind):
    options = {"unit": COLUMNS["unit"], "estimator": "event_study", "permutations": 0}
    plain = cs.fit(frame, "y", time="period", cohort=given["cohort"], **options)
    first = pd.Series(given["cohort"])
    dated, when = PERIODS[kind](frame["period"]), PERIODS[kind](first)
    table = frame.assign(t=dated)
    if "polars" in kind:
        table = pl.from_pandas(frame).with_columns(t=dated)
    elif "arrays" in kind:
        table = {name: table[name].to_numpy() for name in table}
    named = dict(zip(given["cohort"], when, strict=True))
    found = cs.fit(table, "y", time="t", cohort=named, **options)
    assert [e.estimate for e in found.estimates] == [e.estimate for e in plain.estimates]
    assert any("Periods are numbered by" in text for text in found.warnings) == (
        not kind.startswith("days")
    )
    residuals = found.resid(table)
    if not kind.startswith("days"):
        assert set(residuals["t"]) == set(table["t"])


def test_treatment_by_pair_has_dyadic_as_its_default_and_counts_pairs(frame, given):
    pairs = frame.groupby(["exporter", "importer"]).ngroup()
    first = pd.Series(np.random.default_rng(3).random(pairs.max() + 1) < 0.1).map(
        {True: 2013.0, False: np.nan}
    )
    table = frame.assign(first=first[pairs].to_numpy())
    fit = cs.fit(table, "y", **COLUMNS, cohort="first", block=given["block"], permutations=99)
    lines = [(e.vcov, e.is_default) for e in fit.estimates]
    assert lines == [("dyadic", True), ("permutation", False)]
    # no unit is known to be the treated one
    assert {e.n_pilots for e in fit.estimates} == {0}
    assert "permutation is left out" not in " ".join(fit.warnings)
    treated = table.assign(
        d=(table["period"] >= table["first"]).astype(float), pair=pairs.astype(str)
    )
    peer = pyfixest.feols("y ~ d | pair + period", treated)
    errors = cs.vcov(peer, COLUMNS["unit"], vcov="dyadic")
    assert fit.default().std_error == pytest.approx(errors.std_error[0], rel=1e-8)
    # equal pairs on a balanced panel: the design says the same here and there but for the controls
    df_here = stats.t.ppf(0.975, errors.degrees["dyadic"][0]) * fit.default().std_error
    assert fit.default().ci_high - fit.default().estimate == pytest.approx(df_here, rel=0.05)
    assert f"{int(first.notna().sum())} of them treated, 33 units" in repr(fit)
    assert "treated pairs" in repr(cs.etable(fit)) and "treated units" not in repr(cs.etable(fit))
    one = table.assign(first=table["first"].where(pairs == pairs[table["first"].notna()].iloc[0]))
    alone = cs.fit(one, "y", **COLUMNS, cohort="first", permutations=0)
    assert alone.default().std_error is None
    assert any("no more than two units" in text for text in alone.warnings)


def test_degrees_of_freedom_count_the_treated_pairs_of_a_terms_own_cells(frame, given):
    pairs = frame.groupby(["exporter", "importer"]).ngroup()
    drawn = np.random.default_rng(3).choice(
        [np.nan, 2013, 2014], pairs.max() + 1, p=[0.6, 0.2, 0.2]
    )
    options = COLUMNS | {"cohort": "first", "estimator": "callaway_santanna", "permutations": 0}
    fit = cs.fit(frame.assign(first=drawn[pairs]), "y", **options)
    rows = fit.tidy().set_index("term")
    earliest = int(frame["period"].min()) - 2014 + 1
    # the cohort of 2013 is observed then, but has no cell in its first year
    for column in ("estimate", "std_error", "df"):
        alone = rows.loc[f"group_time[2014, {earliest}]", column]
        assert rows.loc[f"event[{earliest}]", column] == pytest.approx(alone, rel=1e-10)


def treated_by_pair(frame):
    """The frame with a first year of each pair's own, or none."""
    pairs = frame[["exporter", "importer"]].drop_duplicates()
    pairs["first"] = np.random.default_rng(1).choice([np.nan, 2013, 2014], len(pairs))
    return frame.merge(pairs)


@pytest.mark.parametrize("line", ["pair", "dyadic", "unit", "block_jackknife"])
def test_errors_matrices_sums_and_joint_tests_are_of_one_covariance(frame, given, line):
    of_units = {"estimator": "event_study", "binning": (-3, 3), "vcov": line}
    fits = [cs.fit(frame, "y", **given | of_units)]
    if line in ("pair", "dyadic"):
        # the dyadic variance of this treatment by pair is below that by pair
        by_pair = given | {"cohort": "first", "vcov": line}
        fits.append(cs.fit(treated_by_pair(frame), "y", **by_pair))
    for fit in fits:
        error, estimate = fit.se(line), fit.coef()
        matrix = fit.vcov(line).set_index("term")
        assert fit.vcov().set_index("term").equals(matrix)
        assert np.sqrt(np.diag(matrix)) == pytest.approx(error.to_numpy(), rel=1e-12)
        for term in estimate.index:
            joint = fit.wald([term], line)
            assert joint["statistic"] == pytest.approx((estimate[term] / error[term]) ** 2)
            sums = fit.combine({term: 2.0}, line)
            assert sums["std_error"][0] == pytest.approx(2 * error[term])
            for twice in (pd.Series({term: 2}), {term: Decimal(2)}):
                assert fit.combine(twice, line).equals(sums)
                assert fit.wald([twice], line)["p_value"] == pytest.approx(joint["p_value"])
            row = fit.tidy().set_index("term").loc[term]
            assert joint["p_value"] == pytest.approx(row["p_value"])
            half = stats.t(row["df"]).ppf(0.95) * error[term]
            ends = fit.confint(line, 0.9).set_index("term").loc[term]
            assert ends.tolist()[:2] == pytest.approx(
                [estimate[term] - half, estimate[term] + half]
            )
            assert ends["vcov"] == line


@pytest.mark.parametrize("line", ["pair", "dyadic", "unit", "block_jackknife"])
def test_a_coefficient_without_an_error_gives_none_to_sums_and_joint_tests(frame, given, line):
    # two units alone are observed at the last event time
    cohorts = given["cohort"] | {"c004": 2012, "c005": 2012, "c019": 2014, "c025": 2014}
    fit = cs.fit(
        frame, "y", **given | {"estimator": "event_study", "cohort": cohorts, "vcov": line}
    )
    error = fit.se(line)
    last = error.index[error.isna()][-1]
    known = error.index[error.notna()][-1]
    for weights in ({last: 1.0}, {last: 0.5, known: 0.5}):
        assert fit.combine(weights, line)[["std_error", "p_value"]].isna().all(axis=None)
    with pytest.raises(cs.PanelError, match=f"under {line}, found '{re.escape(last)}'"):
        fit.wald([known, last], line)
    assert np.isnan(fit.vcov(line).set_index("term").loc[last, last])


def test_the_test_of_leads_is_one_of_the_covariance(frame, given):
    asked = given | {"estimator": "event_study", "binning": (-3, 3)}
    asked |= {"cohort": "first", "vcov": "dyadic"}
    by_pair = cs.fit(treated_by_pair(frame), "y", **asked)
    joint = by_pair.wald(["event[-3]", "event[-2]"])
    assert by_pair.diagnostic("joint_leads_p") == pytest.approx(joint["p_value"], rel=1e-9)


@pytest.mark.parametrize("is_by_pair", [False, True])
def test_effects_before_treatment_are_not_tested_against_a_treated_period(frame, given, is_by_pair):
    asked = given | {"estimator": "event_study", "binning": (-3, 3)}
    if is_by_pair:
        frame = treated_by_pair(frame)
        asked |= {"cohort": "first", "vcov": "dyadic"}
    names = {name for name, *_ in cs.fit(frame, "y", **asked, reference=-2).diagnostics}
    assert "joint_leads_p" in names
    for reference in (0, 1):
        fit = cs.fit(frame, "y", **asked, reference=reference)
        assert not any(re.match("joint_leads|honest|breakdown", n) for n, *_ in fit.diagnostics)
        assert "both need a reference before treatment" in " ".join(str(fit).split())


def test_unit_says_why_it_has_no_error_without_units_never_treated(frame, given):
    units = sorted({*frame["exporter"], *frame["importer"]})
    cohort = {unit: 2012 + k % 3 for k, unit in enumerate(units)}
    for n_never in (0, 1, 2):
        asked = given | {"cohort": dict(list(cohort.items())[n_never:]), "vcov": ["unit", "pair"]}
        fit = cs.fit(frame, "y", **asked, exposure="both")
        is_told = any(w.startswith("The method unit has no error") for w in fit.warnings)
        assert is_told == np.isnan(fit.se("unit")["treated"]) == (n_never < 2)


def test_cohorts_beside_a_panel_of_the_standard_names(frame, given):
    names = {"exporter": "city_i_id", "importer": "city_j_id", "period": "year"}
    panel = frame.rename(columns=names)
    cohorts = pd.DataFrame(given["cohort"].items(), columns=["unit", "first"])
    found = cs.fit(panel, "y", unit=None, cohort=cohorts, permutations=0)
    assert found.coef().equals(cs.fit(frame, "y", **given | {"block": None}).coef())


def test_dates_beside_a_panel_are_read_in_its_time_zone_and_fiscal_years(frame, given):
    by_year = cs.fit(frame, "y", **given)
    zone = "Asia/Tokyo"
    year = frame["period"].astype(str)
    starts = pd.to_datetime(year).dt.tz_localize(zone).dt.tz_convert("UTC")
    fiscal = pd.PeriodIndex(year, freq="Y-JUN")
    entry = {unit: pd.Timestamp(first, 1, 1, tz=zone) for unit, first in given["cohort"].items()}
    # August of the year before is in the fiscal year that ends in June
    august = {unit: pd.Timestamp(first - 1, 8, 1) for unit, first in given["cohort"].items()}
    day = {year: pd.Period("2012-08-25", "D") + year - 2010 for year in frame["period"].unique()}
    texts = {unit: str(day[first]) for unit, first in given["cohort"].items()}
    for time, cohort in ((starts, entry), (fiscal, august), (frame["period"].map(day), texts)):
        found = cs.fit(frame.assign(period=time), "y", **given | {"cohort": cohort})
        assert found.estimates == by_year.estimates
    for time, cohort in ((starts, august), (pd.to_datetime(year), entry)):
        with pytest.raises(cs.PanelError, match="time zone"):
            cs.fit(frame.assign(period=time), "y", **given | {"cohort": cohort})


def test_a_year_beside_whole_numbers_is_that_year_and_a_quarter_or_fiscal_year_is_refused(
    frame, given
):
    by_year = cs.fit(frame, "y", **given)

    def entry(freq):
        starts = {unit: pd.Period(f"{year}-01", freq) for unit, year in given["cohort"].items()}
        return given | {"cohort": starts}

    assert cs.fit(frame, "y", **entry("Y")).estimates == by_year.estimates
    for freq in ("Q", "Y-JUN"):
        with pytest.raises(cs.PanelError, match=f"frequency {freq}.*; give whole numbers"):
            cs.fit(frame, "y", **entry(freq))


def test_draws_that_cannot_reject_are_noted(frame, given):
    for draws, is_noted in ((19, True), (20, False)):
        found = cs.fit(frame, "y", **given | {"permutations": draws})
        assert any("so few draws" in text for text in found.warnings) == is_noted


def test_two_kinds_of_units_are_noted(frame, given):
    cohort = {"A1": 2013, "A2": 2014, "A3": 2014, "A4": 2013}
    units = pd.MultiIndex.from_product([range(1, 6), range(1, 31), range(2010, 2017)])
    rows = units.to_frame(index=False, name=["bank", "firm", "year"])
    rows["y"] = np.random.default_rng(3).normal(size=len(rows))
    options = {"unit": ("bank", "firm"), "permutations": 0, "vcov": "dyadic"}
    text = rows.assign(bank="A" + rows["bank"].astype(str), firm="B" + rows["firm"].astype(str))
    kinds = {unit: unit[0] for unit in [*text["bank"].unique(), *text["firm"].unique()]}
    for block, is_noted in ((None, True), (kinds, False)):
        found = cs.fit(text, "y", cohort=cohort, block=block, **options)
        assert any("two kinds" in note for note in found.warnings) == is_noted
    numbers = rows[rows["bank"] < rows["firm"]]
    found = cs.fit(numbers, "y", cohort={1: 2013, 2: 2014, 3: 2014, 4: 2013}, **options)
    assert any("4 of 30 ids are on both sides" in note for note in found.warnings)


@pytest.mark.parametrize("engine", ["all_pairs", "arrays"])
def test_a_panel_of_units_says_what_it_lacks_whatever_adds_it_up(engine):
    names = {"unit": "iso", "cohort": "euro_year", "permutations": 0, "engine": engine}
    names |= {"series": "growth", "vcov": "dyadic"}
    countries = cs.data.euro_countries().query("year >= 1991")
    listed = cs.fit(countries, "cm", **names)
    assert "171 pairs of two treated units are left out." in listed.warnings
    small = countries.assign(growth=countries["growth"] * 2.0**-40)
    assert cs.fit(small, "cm", **names).estimates == listed.estimates
    still = countries.assign(growth=countries["growth"].where(countries["iso"] != "AUT", 1.0))
    with pytest.raises(cs.PanelError, match=r"every unit to vary.*AUT"):
        cs.fit(still, "cm", **names)
    with pytest.raises(cs.PanelError, match="at least two years"):
        cs.fit(countries.query("year == 2000"), "cm", **names)


def test_outcomes_formulas_and_files_of_units_at_the_front_door(frame, given, tmp_path):
    frame = frame.assign(z=frame["y"] * 2)
    entry = tmp_path / "entry.csv"
    pd.Series(given["cohort"]).rename_axis("unit").reset_index(name="first").to_csv(
        entry, index=False
    )
    plain = cs.fit(frame, "y", controls=["x0"], **given)
    formula = cs.fit(frame, "y ~ x0 | pair + period", **given | {"cohort": str(entry)})
    assert formula.estimates == plain.estimates and formula.outcome == "y"
    both = cs.fit(frame, ["y", "z"], **given)
    assert [fit.outcome for fit in both] == ["y", "z"]
    assert both[1].default().estimate == pytest.approx(2 * both[0].default().estimate)
    assert cs.etable(both).headers == ("y", "z")


def test_units_that_look_like_one_are_named(frame, given):
    frame = frame.assign(exporter=frame["exporter"].mask(frame.index % 7 == 0, "Ｃ001"))
    frame = frame.drop_duplicates(["exporter", "importer", "period"])
    fit = cs.fit(frame, "y", **COLUMNS, cohort=given["cohort"], permutations=0)
    assert any("'c001' and 'Ｃ001'" in text for text in fit.warnings)


def test_ids_of_digits_with_zeros_in_front_stay_as_they_are(frame, given):
    names = {name: name.removeprefix("c") for name in given["block"]} | {"c002": "1"}
    panel = frame.assign(**{side: frame[side].map(names) for side in COLUMNS["unit"]})
    beside = {what: {names[k]: v for k, v in given[what].items()} for what in ("cohort", "block")}
    found = cs.fit(panel, "y", **given | beside)
    assert {"001", "1"} <= set(names.values())
    assert found.n_units == len(names)
    assert found.coef().tolist() == pytest.approx(cs.fit(frame, "y", **given).coef().tolist())
    residuals = found.resid(panel)
    assert set(residuals["exporter"]) | set(residuals["importer"]) == set(names.values())
    numbers = {int(k): v for k, v in beside["cohort"].items()}
    with pytest.raises(cs.PanelError, match="cohort: expected units of the panel"):
        cs.fit(panel, "y", **given | beside | {"cohort": numbers})


def _of_pairs(frame, cohorts, blocks):
    """The year of the pair's only treated unit, and no pairs of two."""
    first = frame["exporter"].map(cohorts).fillna(0) + frame["importer"].map(cohorts).fillna(0)
    both = frame["exporter"].isin(cohorts) & frame["importer"].isin(cohorts)
    pairs = frame.assign(first_year=first.where(first > 0))[~both]
    return pairs, {"cohort": "first_year", "block": blocks}


def _counted_from_one(frame, cohorts, blocks):
    periods = {name: year - 2009 for name, year in cohorts.items()}
    return frame.assign(period=frame["period"] - 2009), {"cohort": periods, "block": blocks}


def _directed(side):
    """Rows in both directions, with what belongs to the unit on one side of each."""

    def change(frame, cohorts, blocks):
        other = frame.rename(columns={"exporter": "importer", "importer": "exporter"})
        both = pd.concat([frame, other], ignore_index=True)
        of_side = {"first": both[side].map(cohorts), "region": both[side].map(blocks)}
        return both.assign(**of_side), {"cohort": "first", "block": "region"}

    return change


def _ids(kind, key=int):
    """Numbers as names, over the whole width of a signed byte where the kind has a sign; beside the
    panel as numbers or as texts.
    """
    shift = -120 if kind in (pl.Int8, pl.Float64) else 5

    def change(frame, cohorts, blocks):
        numbers = {name: 7 * k + shift for k, name in enumerate(blocks)}
        numbered = frame.assign(
            exporter=frame["exporter"].map(numbers), importer=frame["importer"].map(numbers)
        )
        panel = pl.from_pandas(numbered).with_columns(pl.col("exporter", "importer").cast(kind))
        beside = {
            "cohort": {key(numbers[k]): v for k, v in cohorts.items()},
            "block": {key(numbers[k]): v for k, v in blocks.items()},
        }
        return panel, beside

    return change


def _sides(frame, cohorts, blocks):
    """The frame with a column of each unit's year and region."""
    return frame.assign(
        first_exporter=frame["exporter"].map(cohorts),
        first_importer=frame["importer"].map(cohorts),
        exporter_region=frame["exporter"].map(blocks),
        importer_region=frame["importer"].map(blocks),
    )


# a panel told otherwise: the frame, and what is given beside it
SAME = {
    "cohort of pairs": _of_pairs,
    "a date after the panel": lambda f, c, b: (
        f,
        {"cohort": c | {next(name for name in b if name not in c): 2050}, "block": b},
    ),
    "periods from one": _counted_from_one,
    "directed, of the first": _directed("exporter"),
    "directed, of the second": _directed("importer"),
    "numbers that are texts beside": _ids(pl.Int64, str),
    "equal weights": lambda f, c, b: (
        f.assign(w=2.5),
        {"cohort": c, "block": b, "weights": "w"},
    ),
    "series beside": lambda f, c, b: (f, {"cohort": pd.Series(c), "block": pd.Series(b)}),
    "a frame and a file beside": lambda f, c, b: (
        f,
        {
            "cohort": pd.DataFrame({"unit": list(b), "first": [c.get(name) for name in b]}),
            "block": pl.DataFrame({"unit": list(b), "block": list(b.values())}),
        },
    ),
    "columns of each side by their stem": lambda f, c, b: (
        _sides(f, c, b),
        {"cohort": "first", "block": "region"},
    ),
    "columns of each side by name": lambda f, c, b: (
        _sides(f, c, b),
        {
            "cohort": ("first_exporter", "first_importer"),
            "block": ("exporter_region", "importer_region"),
        },
    ),
    **{
        f"years as text, {blank!r} for never": lambda f, c, b, blank=blank: (
            _sides(f, {name: str(c.get(name, blank)) for name in b}, b),
            {"cohort": "first", "block": b},
        )
        for blank in ("", "NA")
    },
    **{str(kind): _ids(kind) for kind in (pl.Int8, pl.UInt64, pl.Float64, pl.String)},
}


@pytest.mark.parametrize("case", SAME)
def test_the_same_panel_told_otherwise_gives_the_same_figures(frame, given, case):
    panel, beside = SAME[case](frame, given["cohort"], given["block"])
    # a permutation also uses pairs of two treated units, which one of the cases lacks
    expected = cs.fit(frame, "y", vcov=VARIANCE_ESTIMATORS, **given)
    found = cs.fit(panel, "y", vcov=VARIANCE_ESTIMATORS, **given | beside)
    assert found.estimates == expected.estimates
    assert any("taken once" in text for text in found.warnings) == case.startswith("directed")


@pytest.mark.parametrize("weights", [None, "w"])
def test_estimates_r2_and_residuals_are_those_of_a_second_package(weights):
    frame, _, cohorts, blocks = country_panel(missing=0.1)
    pairs = frame.groupby(["exporter", "importer"]).ngroup()
    frame["w"] = np.random.default_rng(5).uniform(0.2, 4.0, pairs.max() + 1)[pairs]
    options = {**COLUMNS, "cohort": cohorts, "block": blocks, "controls": "x0", "weights": weights}
    fit = cs.fit(frame, "y", **options, vcov="pair")
    table = for_pyfixest(frame, cohorts).dropna(subset=["y", "x0"])
    formula, errors = "y ~ treated + x0 | pair + period", {"CRV1": "pair"}
    peer = pyfixest.feols(formula, table, weights=weights, vcov=errors, demeaner=EXACT)
    terms, of = ("treated", "x0"), " with weights" if weights else ""
    ours = [fit.default(term).estimate for term in terms]
    agrees(f"`twfe`{of}", "{pyfixest}", ours, peer.coef()[list(terms)], rel=1e-8)
    agrees(f"`Fit.r2`{of}", "{pyfixest}", fit.r2, peer._r2, rel=1e-9)
    # pyfixest's clustered error carries a factor of small samples, ours none; the ratio is the same
    # for all coefficients
    ratios = [fit.default(term).std_error / peer.se()[term] for term in terms]
    assert ratios == [pytest.approx(1, rel=0.01), pytest.approx(ratios[0], rel=1e-6)]
    if weights is None:
        keys = [*COLUMNS["unit"], "period"]
        both = fit.resid(frame).merge(table.assign(theirs=peer.resid()), on=keys)
        assert len(both) == fit.n_obs == len(table)
        agrees("`Fit.resid`", "{pyfixest}", both["resid"], both["theirs"], abs=1e-8)


def test_reference_and_bins_of_an_event_study_are_those_of_a_second_package():
    frame, _, cohorts, _ = country_panel(n_years=9)
    options = {"estimator": "event_study", "reference": -2, "binning": (-3, 2), "permutations": 0}
    fit = cs.fit(frame, "y", **COLUMNS, cohort=cohorts, **options)
    table = for_pyfixest(frame, cohorts)
    event = np.where(table["first"] > 0, np.clip(table["period"] - table["first"], -3, 2), -2)
    table["event"] = event.astype(int)
    formula = "y ~ i(event, ref=-2) | pair + period"
    peer = pyfixest.feols(formula, table, vcov="iid", demeaner=EXACT)
    expected = {
        int(name.split("::")[-1].rstrip("]").removeprefix("T.")): value
        for name, value in peer.coef().items()
    }
    assert set(expected) == {-3, -1, 0, 1, 2}
    found = {e.event_time: e.estimate for e in fit.estimates}
    assert found == {t: pytest.approx(v, rel=1e-7, abs=1e-9) for t, v in expected.items()}


def test_exposure_to_both_against_a_second_package():
    frame, _, cohorts, blocks = country_panel(missing=0.05)
    options = {"exposure": "both", "vcov": VARIANCE_ESTIMATORS, "permutations": 49}
    fit = cs.fit(frame, "y", **COLUMNS, cohort=cohorts, block=blocks, **options)
    first, second = frame["exporter"].map(cohorts), frame["importer"].map(cohorts)
    table = frame.assign(pair=frame["exporter"] + frame["importer"])
    table["treated"] = (table["period"] >= np.maximum(first, second)).astype(float)
    peer = pyfixest.feols("y ~ treated | pair + period", table, vcov="iid", demeaner=EXACT)
    what = "`twfe`, treated once both units are"
    agrees(what, "{pyfixest}", fit.default().estimate, peer.coef()["treated"], rel=1e-8)
    assert (fit.n_treated, {e.vcov for e in fit.estimates}) == (12, set(PUBLISHED))


def test_a_result_is_read_pickled_and_follows_its_seed(frame, given, drawn):
    fit = cs.fit(frame, "y", seed=4, **drawn)
    again = pickle.loads(pickle.dumps(fit))
    assert again == fit and repr(again) == repr(fit) == fit.summary()
    assert len(pickle.dumps(fit.without_parts())) < len(pickle.dumps(fit))
    assert fit.diagnostic("permutation_draws") == 99
    assert fit.diagnostic("city_variance", "treated") == fit.diagnostic("unit_variance", "treated")
    assert not re.search("city|province|pilot", " ".join(name for name, *_ in fit.diagnostics))
    assert fit.glance()["n_pairs"][0] == fit.n_pairs
    other = cs.fit(frame, "y", seed=5, **drawn)
    assert other.estimates[1].p_value != fit.estimates[1].p_value


def test_no_error_is_said_to_be_shown_where_none_is():
    found = cs.fit(
        cs.data.euro(), "cm", unit=("iso_a", "iso_b"), cohort={"AUT": 1999}, permutations=0
    )
    assert {e.std_error for e in found.estimates} == {None}
    assert not any("shows the error by pair" in text for text in found.warnings)


def test_a_row_twice_is_named_by_the_period_as_it_was_given(frame, given):
    quarters = PERIODS["quarters"](frame["period"])
    twice = pd.concat([frame.assign(period=quarters), frame.assign(period=quarters).iloc[[3]]])
    with pytest.raises(cs.PanelError) as caught:
        cs.fit(twice, "y", **given | {"cohort": {}})
    assert str(quarters[3]) in caught.value.found


def test_only_methods_that_are_shown_are_to_be_read(given):
    frame, _, cohorts, _ = country_panel(n_pilots=6)
    few = given | {"cohort": cohorts, "block": None}
    shown = {line: cs.fit(frame, "y", vcov=line, **few).warnings for line in ("unit", "dyadic")}
    is_left_out = {line: "vcov= leaves out" in " ".join(said) for line, said in shown.items()}
    assert is_left_out == {"unit": False, "dyadic": True}


def test_importing_the_library_loads_nothing_heavy_and_functions_stay_functions():
    code = (
        "import sys, estimation as cs; heavy = {'numpy', 'scipy', 'pandas', 'pyarrow', "
        "'matplotlib', 'numba'} & set(sys.modules); "
        "import estimation.fit_panel, estimation.primary.fit_primary; "
        "print(sorted(heavy), callable(cs.fit), callable(cs.primary), "
        "sorted({'numba', 'pandas', 'statsmodels', 'scipy.stats'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True)
    assert done.stdout == "[] True True []\n"


def test_primary_refuses_a_covariate_that_blocks_or_others_imply():
    frame = _frame(calmer=0.6)
    size = np.sqrt(pd.factorize(frame["city_id"])[0])
    frame = frame.assign(size=size, same=3.0, of_block=frame["block_id"], implied=2 * size + 1)
    for name in ("same", "of_block", "implied"):
        with pytest.raises(cs.PanelError, match=f"covariates: .*{name}"):
            cs.primary(frame, covariates=["size", name], permutations=20)


def test_primary_takes_frames_and_other_names():
    names = {"city_id": "country", "year": "t", "growth": "g", "cohort_year": "first"}
    cities = _frame(calmer=0.6).rename(columns=names | {"block_id": "region"})
    frame = cities.assign(first=pd.to_numeric(cities["first"]))
    options = {"unit": "country", "time": "t", "permutations": 199, "seed": 2}
    found = cs.primary(frame, "g", cohort="first", block="region", **options)
    units = frame.drop_duplicates("country").set_index("country")
    of_units = {
        "cohort": units["first"].dropna().astype(int).to_dict(),
        "block": units["region"].to_dict(),
    }
    beside = cs.primary(pl.from_pandas(frame), "g", **of_units, **options)
    of_arrays = fit_primary(*draw_panel(7, calmer=0.6), permutations=199, seed=2)
    assert found.result == beside.result == of_arrays and found.rejects
    assert "growth" not in str(found) and "cycle of g" in str(found)
    terms = ["synchronization", "own_variance", "loading"]
    assert list(found.tidy()) == TIDY and list(found.tidy()["term"])[:3] == terms
    assert isinstance(beside.tidy(), pl.DataFrame)
