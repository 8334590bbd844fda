"""The path through the database against the path in memory: masks, controls, missing years, any
number of threads.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from estimation.fit import fit_panel
from estimation.out_of_core.fit import PairTable, fit_collapsed
from estimation.out_of_core.parity import as_numbers, check_against_duckdb
from estimation.panel.pair_panel import PairPanel
from estimation.panel.partners import strong_ties
from estimation.results import NotEstimable
from tests.estimation.panels import long_table, random_panel

LINES = ("conventional", "dyadic", "city")


def database(panel: PairPanel, threads: int = 2, level: float = 0.0) -> duckdb.DuckDBPyConnection:
    """One row a pair and year, pairs of two pilots among them, rows in no order."""
    table = long_table(panel).sample(frac=1, random_state=1)
    frame = pd.DataFrame(
        {
            "city_i_id": 1000 + table["city_i"],
            "city_j_id": 1000 + table["city_j"],
            "year": table["year"],
            "cohort_year": table["cohort"].where(table["cohort"] != 0).astype("Int64"),
            "tie": panel.tie[table["pair"]],
            "the y": table["y"] + level,
            **{name: table[name] for name in table.columns if name.startswith("x")},
        }
    )
    con = duckdb.connect(config={"threads": threads})
    con.register("frame", frame)
    con.execute("create table panel as select * from frame")
    return con


def cohorts(panel: PairPanel) -> dict[int, int]:
    return {1000 + city: int(year) for city, year in enumerate(panel.city_cohort)}


@pytest.mark.parametrize("estimator", ["twfe", "event_study"])
@pytest.mark.parametrize(("missing", "n_controls"), [(0.0, 0), (0.15, 0), (0.0, 2), (0.15, 2)])
@pytest.mark.parametrize("quantile", [None, 0.5])
def test_equal_to_the_path_in_memory(
    estimator: str, missing: float, n_controls: int, quantile: float | None
) -> None:
    panel = random_panel(4, missing=missing, n_controls=n_controls)
    names = [f"x{k}" for k in range(n_controls)]
    theirs = fit_panel(
        panel,
        estimator=estimator,
        vcov=LINES,
        permutations=0,
        tie_quantile=quantile,
        control_names=names,
    )
    where = "cohort_year is distinct from -1"
    if quantile:
        counted = (
            np.isfinite(panel.y[0])
            if panel.controls is None
            else np.isfinite(panel.y[0]) & np.isfinite(panel.controls).all(axis=0)
        )
        eligible = (panel.cohort >= 0) & (counted.sum(axis=1) >= 2)
        where += (
            f" and tie >= {float(panel.tie[strong_ties(panel.tie, eligible, quantile)].min())!r}"
        )
    table = PairTable("panel", "the y", where)
    mine = fit_collapsed(
        database(panel), table, estimator=estimator, controls=names, city_cohort=cohorts(panel)
    )
    expected = {
        vcov: {(e.term, e.cohort_year, e.event_time): e for e in theirs.estimates if e.vcov == vcov}
        for vcov in LINES
    }
    assert list(mine.terms) == list(expected["city"])
    for k, term in enumerate(mine.terms):
        assert mine.estimate[k] == pytest.approx(expected["city"][term].estimate, abs=1e-9)
        for vcov in LINES:
            error = expected[vcov][term].std_error
            if error is not None:
                assert np.sqrt(getattr(mine, vcov)[k]) == pytest.approx(error, abs=1e-9)
    assert (mine.n_obs, mine.n_pairs, mine.n_cities) == (
        theirs.n_obs,
        theirs.n_pairs,
        theirs.n_cities,
    )


def test_the_same_bytes_for_any_number_of_threads_and_far_means() -> None:
    panel = random_panel(9, n_cities=40, n_pilots=12, n_controls=1)
    table = PairTable("panel", "the y", "cohort_year is distinct from -1")
    found = [
        fit_collapsed(database(panel, threads), table, controls=["x0"]) for threads in (1, 2, 4)
    ]
    assert (
        len(
            {
                (fit.estimate.tobytes(), fit.conventional.tobytes(), fit.score.tobytes())
                for fit in found
            }
        )
        == 1
    )
    far = fit_collapsed(database(panel, level=1e4), table, controls=["x0"])
    assert far.estimate == pytest.approx(found[0].estimate, abs=1e-9)
    assert far.score == pytest.approx(found[0].score, abs=1e-9)


def test_rows_as_many_as_pairs_times_years_need_not_be_balanced() -> None:
    panel = random_panel(3)
    y = panel.y.copy()
    # two pairs of one cohort change places in two years: counts by cohort and year stay equal
    never = np.flatnonzero(panel.cohort == 0)[:7]
    for t, pair in enumerate(never):
        y[0, pair, t] = np.nan
    gappy = PairPanel(panel.city_i, panel.city_j, panel.years, y, panel.city_cohort, tie=panel.tie)
    mine = fit_collapsed(
        database(gappy), PairTable("panel", "the y", "cohort_year is distinct from -1")
    )
    theirs = fit_panel(gappy, vcov=("dyadic",), permutations=0).estimates[0]
    assert mine.estimate[0] == pytest.approx(theirs.estimate, abs=1e-9)
    assert np.sqrt(mine.dyadic[0]) == pytest.approx(theirs.std_error, abs=1e-9)


@pytest.mark.parametrize(
    ("change", "where", "error", "message"),
    [
        (
            "insert into panel from panel limit 1",
            "cohort_year is distinct from -1",
            ValueError,
            "twice",
        ),
        ("select 1", "true", ValueError, "two pilots"),
        ("select 1", "false", ValueError, "no row"),
        ("select 1", "cohort_year is null", NotEstimable, "treated pair"),
    ],
)
def test_what_cannot_be_estimated_is_refused(
    change: str, where: str, error: type, message: str
) -> None:
    con = database(random_panel(2))
    con.execute(change)
    with pytest.raises(error, match=message):
        fit_collapsed(con, PairTable("panel", "the y", where))


@pytest.mark.parametrize("spread", [1, 7, 5003])
def test_ids_far_apart_give_the_same(spread: int) -> None:
    """Near ids number the pairs, ids far apart go through a hash table; neither shows in the
    result.
    """
    panel = random_panel(5, n_cities=30)
    con = database(panel)
    near = fit_collapsed(con, PairTable("panel", "the y", "cohort_year is distinct from -1"))
    con.execute(
        f"create table far as select * replace (city_i_id * {spread} as city_i_id, city_j_id * "
        f"{spread} + 3 as city_j_id) from panel"
    )
    con.execute("update far set city_j_id = city_j_id - 3")
    far = fit_collapsed(con, PairTable("far", "the y", "cohort_year is distinct from -1"))
    assert (far.estimate.tobytes(), far.dyadic.tobytes(), far.n_cities) == (
        near.estimate.tobytes(),
        near.dyadic.tobytes(),
        near.n_cities,
    )


@pytest.mark.parametrize("n_years", [30, 31, 40])
def test_years_up_to_the_width_of_the_bits(n_years: int) -> None:
    """A bit for each year: 32 bits hold 30 years, more take 64; a pair that lacks the last year is
    seen.
    """
    rows = (
        f"range(8) as i(a), range(8) as j(b), range({n_years}) as t(y) where a < b and not (a = 0 "
        "and b > 2)"
    )
    con = duckdb.connect()
    con.execute(
        'create table panel as select a as city_i_id, b as city_j_id, 1990 + y as "year", '
        "case when a = 0 then 2005 end as cohort_year, sin(a * 3 + b * 7 + y * y) as v from " + rows
    )
    whole = fit_collapsed(con, PairTable("panel", "v"))
    assert (whole.n_pairs, whole.n_obs) == (23, 23 * n_years)
    con.execute(
        'update panel set "year" = "year" - 1 where city_i_id = 1 and city_j_id = 2 and "year" = '
        '(select max("year") from panel)'
    )
    with pytest.raises(ValueError, match="twice"):
        fit_collapsed(con, PairTable("panel", "v"))


def test_a_difference_between_the_engines_does_not_pass_for_parity(tmp_path: Path) -> None:
    panel, folder = random_panel(4), tmp_path / "panel.parquet"
    folder.mkdir()
    con = database(panel)
    admitted = cohorts(panel)
    known = {"cities": list(admitted), "years": list(admitted.values())}
    con.execute(
        "create table cities as select unnest($cities) as city, unnest($years) as cohort", known
    )
    con.execute(
        'copy (select p.* exclude ("the y"), p."the y" as cm_growth_official, i.cohort as '
        "city_i_cohort_year, "
        "j.cohort as city_j_cohort_year "
        "from panel as p inner join cities as i on i.city = p.city_i_id inner join cities as j on "
        "j.city = p.city_j_id "
        f"where cohort_year is distinct from -1) to '{folder / 'part.parquet'}' (format parquet)"
    )
    fit = fit_collapsed(
        con, PairTable("panel", "the y", "cohort_year is distinct from -1"), city_cohort=admitted
    )
    numbers = {**as_numbers(fit), "seconds": 0.0}
    assert check_against_duckdb(folder, {"twfe": numbers})["twfe"]["max_difference"] < 1e-12
    moved = {**numbers, "dyadic": [numbers["dyadic"][0] + 1e-6]}
    assert check_against_duckdb(folder, {"twfe": moved})["twfe"]["max_difference"] == pytest.approx(
        1e-6
    )
    assert (
        "fault"
        in check_against_duckdb(folder, {"twfe": {**numbers, "n_pairs": fit.n_pairs - 1}})["twfe"]
    )
