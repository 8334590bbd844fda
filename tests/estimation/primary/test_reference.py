"""The primary test and recentred exposure against plain versions written from their definitions:
loops over cities and pairs, one regression on dummies a draw, admissions permuted otherwise.
"""

import numpy as np
import pytest

from estimation.primary.exposure import Admitted, Ring, Tied, fit_exposure
from estimation.primary.fit_primary import fit_primary
from estimation.primary.interval import find_interval
from estimation.primary.p_values import rank_p
from estimation.primary.permutation import permute_in_blocks
from tests.estimation.panels import without_dummies
from tests.estimation.parity import agrees

from .economies import draw_panel, plain_measure

DRAWS = 600


class _Plain:
    """Two-way least squares of y on pilot x post by dummies, for one assignment of admissions."""

    def __init__(self, years: np.ndarray, cohort: np.ndarray, block: np.ndarray) -> None:
        city, year = np.divmod(np.arange(len(cohort) * len(years)), len(years))
        groups = (city, block[city] * len(years) + year)
        self.without = without_dummies(np.eye(city.size), groups)
        self.years, self.block = years, block

    def net(self, values: np.ndarray) -> np.ndarray:
        return (self.without @ values.ravel()).reshape(values.shape)

    def fit(self, y: np.ndarray, cohort: np.ndarray) -> tuple[float, float]:
        """Coefficient and its error."""
        treated = (cohort[:, None] > 0) & (self.years[None, :] >= cohort[:, None])
        d = self.net(treated.astype(float))
        b = (d * y).sum() / (d**2).sum()
        scores = (d * (self.net(y) - b * d)).sum(axis=1) / (d**2).sum()
        by_block = [scores[self.block == k].sum() for k in np.unique(self.block)]
        return b, np.sqrt(((scores**2).sum() + np.sum(np.square(by_block))) / 2)


@pytest.mark.parametrize("which", ["growth", "cycle"])
def test_a_plain_version_gives_the_same_estimate_p_and_interval(which):
    growth, years, cohort, block = draw_panel(3, calmer=0.6)
    # a block of pilots alone, and one whose pilots differ in their year alone
    cohort[block == 7], cohort[block == 6] = 2014, np.where(np.arange(6) % 2, 2014, 2017)
    result = fit_primary(growth, years, cohort, block, permutations=9999, seed=4)
    series = growth
    if which == "cycle":
        result = result.cycle
        series = np.array(
            [row - np.polyval(np.polyfit(years - 2014, row, 1), years - 2014) for row in growth]
        )
    y = plain_measure(series, (cohort == 0) & (block != block[:, None]))
    plain = _Plain(years, cohort, block)
    b, error = plain.fit(y, cohort)
    agrees("`cs.primary`, estimate", "plain version with dummies", result.estimate, b, abs=1e-9)

    treated = (cohort[:, None] > 0) & (years[None, :] >= cohort[:, None])
    weight = plain.net(treated.astype(float))
    weight = weight / (weight * treated).sum()
    after = (weight * y)[treated].sum()
    before = sum(
        weight[i][treated[i]].sum() * y[i][~treated[i]].mean() for i in np.flatnonzero(cohort)
    )
    assert (result.after, result.before) == pytest.approx((after, before), abs=1e-9)
    assert result.after - result.without_admission == pytest.approx(result.estimate, abs=1e-12)
    assert result.n_treated_years == treated.sum()
    assert result.n_unidentified == (np.abs(weight[treated]) < 1e-12).sum() > 0
    assert result.n_negative == (weight[treated] < -1e-12).sum()

    rng = np.random.default_rng(11)
    permuted = []
    for _ in range(DRAWS):
        moved = cohort.copy()
        for k in np.unique(block):
            moved[block == k] = rng.permutation(moved[block == k])
        permuted.append(moved)

    def p_without(effect: float) -> float:
        freed = y - effect * treated
        statistics = [abs(np.divide(*plain.fit(freed, moved))) for moved in [cohort, *permuted]]
        return np.mean(np.array(statistics) >= statistics[0] - 1e-9)

    # four Monte Carlo errors of a p near 0.05, or of the p itself
    assert p_without(0.0) == pytest.approx(
        result.p_value, abs=4 * np.sqrt(result.p_value / DRAWS) + 2 / DRAWS
    )
    for bound in (result.ci_low, result.ci_high):
        assert p_without(bound) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / DRAWS))
    assert error > 0


YEARS = np.arange(2010, 2018)
PROVINCES, EACH, PERMUTED, SEED = 4, 9, 39, 5


def world() -> tuple[np.ndarray, Admitted, np.ndarray, np.ndarray]:
    """Cities on a plane, three pilots in each province, one of ten cities without an outcome."""
    rng = np.random.default_rng(11)
    count = PROVINCES * EACH
    block = np.repeat(np.arange(PROVINCES) * 10, EACH)
    place = rng.uniform(0, 300, size=(count, 2)) + 150 * np.array([block / 10, block % 20]).T
    distance = np.sqrt(((place[:, None] - place[None]) ** 2).sum(axis=2))
    np.fill_diagonal(distance, np.nan)
    tie = rng.lognormal(size=(count, count))
    tie = np.where(rng.uniform(size=tie.shape) < 0.1, np.nan, tie + tie.T)
    np.fill_diagonal(tie, np.nan)
    cohort = np.zeros(count, dtype=int)
    cohort[::EACH], cohort[1::EACH], cohort[5::EACH] = 2014, 2015, 2016
    own = np.setdiff1d(np.arange(count), np.arange(3, count, 10))
    values = rng.normal(size=(len(own), len(YEARS))) + rng.normal(size=(len(own), 1))
    return values, Admitted(cohort, block, own), distance[own], tie[own]


def dates_by_loops(rule: str, cohort: np.ndarray, own, distance, tie) -> dict[int, int]:
    """First exposed year (0 = none) of each observed city that is compared."""
    found = {}
    for row, city in enumerate(own.tolist()):
        if cohort[city] > 0:
            continue
        pilots = [j for j in range(len(cohort)) if cohort[j] > 0 and j != city]
        if rule == "ring":
            if any(distance[row, j] <= 60 for j in pilots):
                continue
            dates = [cohort[j] for j in pilots if 60 < distance[row, j] <= 130]
            found[row] = min(dates, default=0)
        else:
            ties = [(tie[row, j], j) for j in pilots if not np.isnan(tie[row, j])]
            found[row] = max(ties) if ties else 0
    if rule == "tied":
        middle = np.median([best[0] for best in found.values() if best != 0])
        found = {
            row: cohort[best[1]] if best != 0 and best[0] > middle else 0
            for row, best in found.items()
        }
    return found


def by_loops(rule: str, values, admitted: Admitted, distance, tie, effect: float) -> np.ndarray:
    """Coefficient and squared error of each draw by instrumented dummies, (J, 2)."""
    permuted = admitted.cohort[permute_in_blocks(admitted.block // 10, PERMUTED, SEED)]
    drawn = [dates_by_loops(rule, cohort, admitted.own, distance, tie) for cohort in permuted]
    exposed = [
        {row: (date > 0) & (date <= YEARS) for row, date in dates.items()} for dates in drawn
    ]
    share = {
        row: np.mean([one[row] for one in exposed if row in one], axis=0)
        for row in range(len(values))
        if any(row in one for one in exposed)
    }
    values = values.copy()
    for row, years in exposed[0].items():
        values[row] -= effect * years
    found = []
    for one in exposed:
        rows = sorted(one)
        province = admitted.block[admitted.own[rows]]
        k, t = np.divmod(np.arange(len(rows) * len(YEARS)), len(YEARS))
        years = np.array([one[row] for row in rows], dtype=float)
        recentred = years - [share[row] for row in rows]
        columns = np.stack([values[rows], years, recentred]).reshape(3, -1).T
        y, d, w = without_dummies(columns, (k, province[k] * 100 + t)).T
        b = (w @ y) / (w @ d)
        scores = w * (y - b * d) / (w @ d)
        sums = [np.bincount(group, scores) for group in (k, province[k])]
        found.append((b, sum((of**2).sum() for of in sums) / 2))
    return np.array(found)


@pytest.mark.parametrize("rule", ["ring", "tied"])
def test_every_draw_is_what_loops_with_dummies_give(rule: str) -> None:
    values, admitted, distance, tie = world()
    reach = Ring(distance, 60, 130) if rule == "ring" else Tied(tie, admitted.own)
    said, draws = fit_exposure(values, YEARS, admitted, reach, permutations=PERMUTED, seed=SEED)
    for effect in (0.0, 0.7):
        expected = by_loops(rule, values, admitted, distance, tie, effect)
        np.testing.assert_allclose(draws.estimate - effect * draws.carried, expected[:, 0])
        np.testing.assert_allclose(draws.variance(effect), expected[:, 1], rtol=1e-7)
    real = dates_by_loops(rule, admitted.cohort, admitted.own, distance, tie)
    assert (said.n_cities, said.n_pilots) == (len(real), sum(date > 0 for date in real.values()))
    # what the test does not reject, with more draws than bound an interval
    said, draws = fit_exposure(values, YEARS, admitted, reach, permutations=199, seed=SEED)
    assert (said.ci_low, said.ci_high) == find_interval(draws)[:2]
    assert said.p_value == rank_p(draws.statistic())
    assert said.ci_low < said.estimate < said.ci_high
