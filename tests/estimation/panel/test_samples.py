"""Controls that say nothing beside pair and year effects are left out, whatever their size; samples
of k strongest partners against a literal loop; which city is the pilot, read off the pairs.
"""

import dataclasses

import numpy as np
import pytest

from estimation.fit_panel import fit_outcomes, fit_panel
from estimation.panel.fit_sample import build_sample
from estimation.panel.pair_file import infer_city_cohorts
from estimation.panel.pair_panel import PairPanel
from estimation.study.heterogeneity import Heterogeneity, fit_heterogeneity
from tests.estimation.panels import random_panel

SETTINGS = {"permutations": 0, "vcov": ("city",)}


def _with(panel: PairPanel, *controls: np.ndarray) -> PairPanel:
    return dataclasses.replace(panel, controls=np.stack(controls), cohort=None)


def _fit(panel: PairPanel, estimator: str, names: tuple[str, ...]):
    if estimator == "by_class":
        moderation = Heterogeneity(
            "kind", pair_class=panel.city_i % 2, class_names=("a", "b"), year_block=panel.city_i % 2
        )
        return fit_heterogeneity(panel, [moderation], control_names=names, **SETTINGS)["kind", 0]
    return fit_outcomes(panel, estimators=(estimator,), control_names=names, **SETTINGS)[
        estimator, 0
    ]


@pytest.mark.parametrize(("missing", "scale"), [(0.0, 1e12), (0.15, 1e-12)])
@pytest.mark.parametrize(
    "estimator", ["twfe", "event_study", "sun_abraham", "gardner", "etwfe", "by_class"]
)
def test_a_control_without_variation_of_its_own_changes_nothing(
    estimator: str, missing: float, scale: float
) -> None:
    panel = random_panel(4, n_years=8, missing=missing)
    generator = np.random.default_rng(5)
    own = scale * generator.normal(size=panel.y.shape[1:])
    distance = scale * np.repeat(generator.lognormal(6, 1, size=(panel.n_pairs, 1)), 8, axis=1)
    of_year = np.tile(scale * generator.normal(size=8), (panel.n_pairs, 1)) + distance
    alone = _fit(_with(panel, own), estimator, ("own",))
    given = _with(panel, distance, own, of_year, 3 * own - distance)
    found = _fit(given, estimator, ("distance", "own", "of_year", "twice"))
    ours, theirs = (
        np.array([(e.estimate, e.std_error) for e in result.estimates], dtype=float)
        for result in (found, alone)
    )
    assert [e.term for e in found.estimates] == [e.term for e in alone.estimates]
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    assert any("distance, of_year, twice" in text for text in found.warnings)
    assert not any("Controls left out" in text for text in alone.warnings)


def test_a_control_that_hardly_varies_beside_its_size_stays() -> None:
    panel = random_panel(4)
    control = 1e6 + np.random.default_rng(6).normal(size=panel.y.shape[1:])
    found = _fit(_with(panel, control), "twfe", ("level",))
    assert [e.term for e in found.estimates] == ["treated", "level"]


def literal_pairs(panel, n_partners: int) -> set[tuple[int, int]]:
    """City by city: its strongest partners that are never pilots; a pair of two pilots has none."""
    ties = np.full((panel.n_cities, panel.n_cities), np.nan)
    ties[panel.city_i, panel.city_j] = ties[panel.city_j, panel.city_i] = panel.tie
    kept = set()
    for city in range(panel.n_cities):
        partners = np.flatnonzero((panel.city_cohort == 0) & np.isfinite(ties[city])).tolist()
        strongest = sorted(partners, key=lambda p: -ties[city, p])[:n_partners]
        kept |= {(min(city, partner), max(city, partner)) for partner in strongest}
    return kept


@pytest.mark.parametrize("n_partners", [1, 3, 50])
def test_kept_pairs_equal_a_literal_loop(n_partners: int) -> None:
    panel = random_panel(2, n_cities=20, n_pilots=7)
    # the first city has no tie at all
    missing = (np.arange(panel.n_pairs) % 11 == 0) | (panel.city_i == 0)
    panel = dataclasses.replace(panel, tie=np.where(missing, np.nan, panel.tie))
    sample = build_sample(panel, (0,), None, n_partners)
    found = set(
        zip(panel.city_i[sample.kept].tolist(), panel.city_j[sample.kept].tolist(), strict=True)
    )
    assert found == literal_pairs(panel, n_partners)
    assert set(np.flatnonzero(sample.holds_kept_pair)) == {city for pair in found for city in pair}


def test_fit_takes_the_rule() -> None:
    """The same estimate as on the kept pairs alone."""
    panel = random_panel(4, n_cities=33, n_pilots=12)
    kept = build_sample(panel, (0,), None, 5).kept
    found = fit_panel(panel, n_partners=5, permutations=99)
    (line, drawn), (alone,) = (
        found.estimates,
        fit_panel(panel.of_pairs(kept), permutations=0).estimates,
    )
    numbers = (alone.estimate, alone.std_error)
    assert (line.estimate, line.std_error) == pytest.approx(numbers, abs=1e-12)
    assert drawn.vcov == "permutation"


NEVER = 0


@pytest.mark.parametrize(
    ("pairs", "cohorts", "doubtful"),
    [
        # a city is never treated whether it is named first or second
        ([(0, 1, NEVER), (0, 2, 2015)], [0, 0, 2015], []),
        ([(0, 1, NEVER), (1, 2, 2015)], [0, 0, 2015], []),
        # 0 and 1 are in a never-treated pair, so 2 is the pilot of both
        ([(0, 1, NEVER), (0, 2, 2015), (1, 2, 2015)], [0, 0, 2015], []),
        # along the pairs: 0 never, 2 pilot, so 3 never, so 4 pilot
        ([(0, 1, NEVER), (0, 2, 2015), (2, 3, 2015), (3, 4, 2018)], [0, 0, 2015, 0, 2018], []),
        # a pilot has one year, so 2 is none
        ([(0, 1, NEVER), (2, 3, 2015), (2, 4, 2016)], [0, 0, 0, 2015, 2016], []),
        # nothing says which of 2 and 3 is the pilot
        ([(0, 1, NEVER), (2, 3, 2015)], None, [2, 3]),
        # a star without a never-treated pair: the hub counts as the only pilot
        (
            [(0, 1, NEVER), (2, 3, 2015), (2, 4, 2015), (2, 5, 2015)],
            [0, 0, 2015, 0, 0, 0],
            [2, 3, 4, 5],
        ),
        # the same star reached from a leaf
        (
            [(0, 1, NEVER), (2, 5, 2015), (3, 5, 2015), (4, 5, 2015)],
            [0, 0, 0, 0, 0, 2015],
            [2, 3, 4, 5],
        ),
        # two never-treated cities in a treated pair
        ([(0, 1, NEVER), (2, 3, NEVER), (0, 2, 2015)], None, [0, 2]),
        # one pilot, two years
        ([(0, 1, NEVER), (0, 2, 2015), (1, 2, 2016)], None, [2]),
        # an odd circle of treated pairs
        ([(0, 1, 2015), (1, 2, 2015), (0, 2, 2015)], None, [0, 1, 2]),
    ],
)
def test_roles(pairs, cohorts, doubtful):
    i, j, years = np.array(pairs).T
    found, unclear = infer_city_cohorts(i, j, years, int(j.max()) + 1)
    assert np.flatnonzero(unclear).tolist() == doubtful
    if cohorts is not None:
        assert found.tolist() == cohorts
