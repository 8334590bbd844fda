"""Controls that say nothing beside pair and year effects are left out, whatever their size."""

import dataclasses
import itertools

import numpy as np
import pytest

from estimation.fit import fit_outcomes
from estimation.panel.pair_panel import PairPanel
from estimation.study.heterogeneity_fit import Heterogeneity, fit_heterogeneity

SETTINGS = {"permutations": 0, "vcov": ("city",)}


def _panel(*, balanced: bool) -> PairPanel:
    generator = np.random.default_rng(4)
    first, second = np.array(list(itertools.combinations(range(14), 2))).T
    cohort = np.zeros(14, dtype=int)
    cohort[:5] = [2013, 2013, 2014, 2014, 2015]
    y = generator.normal(size=(len(first), 8))
    if not balanced:
        y[generator.random(y.shape) < 0.15] = np.nan
    return PairPanel(first, second, np.arange(2010, 2018), y, cohort, np.arange(14) // 3)


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


@pytest.mark.parametrize("scale", [1e-12, 1e12])
@pytest.mark.parametrize("balanced", [True, False])
@pytest.mark.parametrize(
    "estimator", ["twfe", "event_study", "sun_abraham", "gardner", "etwfe", "by_class"]
)
def test_a_control_without_variation_of_its_own_changes_nothing(
    estimator: str, balanced: bool, scale: float
) -> None:
    panel = _panel(balanced=balanced)
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
    panel = _panel(balanced=True)
    control = 1e6 + np.random.default_rng(6).normal(size=panel.y.shape[1:])
    found = _fit(_with(panel, control), "twfe", ("level",))
    assert [e.term for e in found.estimates] == ["treated", "level"]
