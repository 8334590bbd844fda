"""Which treated cities identify a coefficient, against a loop over their rows."""

import dataclasses

import numpy as np
import pytest

from estimation.fit_panel import fit_panel
from estimation.influence.dyadic_df import dyadic_df
from estimation.panel.pair_panel import PairPanel
from tests.estimation.panels import random_panel

# the event time of the row that an effect is compared with; None: any row before admission
BASE = {"twfe": None, "event_study": -1, "callaway_santanna": -1, "sun_abraham": -1, "etwfe": None}
EVERY = [*BASE, "borusyak"]


def with_holes(panel: PairPanel, intact: int) -> PairPanel:
    """The panel in which all but so many pilots of a cohort lack, in turn, all years before their
    admission, the last of these alone, or all years after the first.
    """
    y = panel.y.copy()
    for cohort in np.unique(panel.city_cohort[panel.city_cohort > 0]):
        for k, pilot in enumerate(np.flatnonzero(panel.city_cohort == cohort)[intact:]):
            held = (panel.city_i == pilot) | (panel.city_j == pilot)
            gone = (
                panel.years < cohort,
                panel.years == cohort - 1,
                panel.years > cohort,
            )[k % 3]
            y[np.ix_([0], np.flatnonzero(held), np.flatnonzero(gone))] = np.nan
    return dataclasses.replace(panel, y=y, cohort=None)


def observed_pairs(panel: PairPanel, name: str, event_time: int | None) -> list[tuple[int, int]]:
    """Pilot and place of each treated pair with a row in the cells and one to compare it with."""
    base, found = BASE.get(name), []
    for p in np.flatnonzero(panel.cohort > 0):
        times = set((panel.years[np.isfinite(panel.y[0, p])] - panel.cohort[p]).tolist())
        if event_time is None:
            in_cells = {time for time in times if time >= 0}
        else:
            in_cells = times & {event_time}
        compared = {time for time in times if time < 0} if base is None else times & {base}
        if name == "callaway_santanna" and event_time is not None and event_time < 0:
            compared = times & {event_time - 1}
        if in_cells and compared - in_cells:
            sides = panel.city_i[p], panel.city_j[p]
            found.append((next(s for s in sides if panel.city_cohort[s] > 0), p))
    return found


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("intact", [1, 4])
def test_a_pilot_counts_with_a_row_in_the_cells_and_one_to_compare_it_with(name, intact):
    panel = with_holes(random_panel(5, n_cities=24, n_pilots=12, missing=0.1), intact)
    fit = fit_panel(panel, estimator=name, permutations=0)
    rows = [e for e in fit.estimates if e.term != "group_time" and e.is_default]
    assert len(rows) > 0
    for row in rows:
        pilots = {pilot for pilot, _ in observed_pairs(panel, name, row.event_time)}
        assert (row.term, row.event_time, row.n_pilots) == (row.term, row.event_time, len(pilots))
    # of three pilots with holes in each cohort one has no row before, two none of the year before
    fewest = min(row.n_pilots for row in rows if row.event_time in (None, 0))
    lost = 3 if BASE.get(name) is None else 6
    assert fewest == (12 if intact == 4 else 12 - lost)


@pytest.mark.parametrize("name", EVERY)
def test_with_one_pilot_that_is_observed_before_there_is_no_error(name):
    panel = random_panel(5, n_pilots=3)
    cohort = np.where(panel.city_cohort > 0, 2014, 0)
    panel = dataclasses.replace(panel, city_cohort=cohort, cohort=None)
    y = panel.y.copy()
    for pilot in np.flatnonzero(cohort)[1:]:
        held = (panel.city_i == pilot) | (panel.city_j == pilot)
        y[np.ix_([0], np.flatnonzero(held), np.flatnonzero(panel.years < 2014))] = np.nan
    fit = fit_panel(dataclasses.replace(panel, y=y, cohort=None), estimator=name, permutations=0)
    assert {e.n_pilots for e in fit.estimates} == {1}
    assert {e.std_error for e in fit.estimates} == {None}
    assert "only one pilot identifies the estimate" in " ".join(fit.warnings)


def test_of_treatment_by_pair_the_pairs_that_identify_give_the_degrees_of_freedom():
    panel = with_holes(random_panel(5, n_cities=24, n_pilots=12), 1)
    fit = fit_panel(
        dataclasses.replace(panel, cohort=panel.cohort, pilots_known=False), permutations=0
    )
    (row,) = [e for e in fit.estimates if e.term == "treated" and e.vcov == "dyadic"]

    def df(pairs: np.ndarray) -> float:
        ones = np.ones((len(pairs), 1))
        return float(dyadic_df(ones, panel.city_i[pairs], panel.city_j[pairs], panel.n_cities)[0])

    pairs = np.array([p for _, p in observed_pairs(panel, "twfe", None)])
    assert row.df == df(pairs) < df(np.flatnonzero(panel.cohort > 0))
