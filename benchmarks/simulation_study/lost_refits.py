"""Designs in which the deletion of one province loses the coefficient: what each treatment of that
refit rejects without an effect.

`python -m benchmarks.simulation_study.lost_refits` prints one JSON object a design and estimator;
docs/evidence/simulation-study.md quotes them. 'skipped' is the jackknife over the refits that
remain, 'generalised inverse' sets a lost coefficient to zero (Hansen 2025).
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable, Iterator

import numpy as np
from scipy.special import stdtrit

from estimation.estimators.fitted import Inputs
from estimation.estimators.registry import ESTIMATORS
from estimation.fit import fit_panel
from estimation.panel.pair_panel import PairPanel, before_last_cohort, build_sample

YEARS = np.arange(2010, 2018)
N_PROVINCES, CITIES_EACH, IN_PROVINCE = 12, 6, 0.3
PROVINCE = np.arange(N_PROVINCES * CITIES_EACH) // CITIES_EACH
PERMUTATIONS = 199


def _shocks(rng: np.random.Generator) -> np.ndarray:
    """Shocks of cities and years of variance one, 30 % of it the province's."""
    of_province = rng.normal(size=(N_PROVINCES, len(YEARS)))[PROVINCE]
    return np.sqrt(IN_PROVINCE) * of_province + np.sqrt(1 - IN_PROVINCE) * rng.normal(
        size=of_province.shape
    )


def _panel(
    cohort: np.ndarray, keeps: Callable[[int, int], bool], rng: np.random.Generator
) -> PairPanel:
    pairs = np.array(
        [pair for pair in itertools.combinations(range(len(PROVINCE)), 2) if keeps(*pair)]
    )
    shocks = _shocks(rng)
    y = shocks[pairs[:, 0]] + shocks[pairs[:, 1]] + 0.5 * rng.normal(size=(len(pairs), len(YEARS)))
    return PairPanel(pairs[:, 0], pairs[:, 1], YEARS, y, cohort, PROVINCE)


def partners_in_one_province(rng: np.random.Generator) -> PairPanel:
    """Eight pilots in eight provinces, tied to the cities of one other province alone; never-pilots
    are tied to one another.
    """
    cohort = np.zeros(len(PROVINCE), dtype=np.int64)
    cohort[np.arange(1, 9) * CITIES_EACH] = 2014
    return _panel(cohort, lambda i, j: PROVINCE[i] == 0 or (cohort[i] == 0 and cohort[j] == 0), rng)


def controls_in_one_province(rng: np.random.Generator) -> PairPanel:
    """No never-treated pair: eight pilots in eight provinces admitted in 2013, the last four, in
    2016, in one other province.
    """
    cohort = np.zeros(len(PROVINCE), dtype=np.int64)
    cohort[np.arange(1, 9) * CITIES_EACH], cohort[:4] = 2013, 2016
    return _panel(cohort, lambda i, j: (cohort[i] > 0) != (cohort[j] > 0), rng)


# design, estimators, where the permutation deals admissions out
DESIGNS = (
    (partners_in_one_province, ("twfe", "borusyak"), "province"),
    (controls_in_one_province, ("twfe", "borusyak"), "all"),
)


def _variances(panel: PairPanel, estimator: str) -> tuple[float, float, float, int]:
    """Estimate, jackknife variance over the refits that remain, the same with lost ones set to
    zero, and the number of provinces.
    """
    sample = build_sample(panel, (0,), None)
    if not sample.has_never_treated and estimator != "twfe":
        sample = build_sample(before_last_cohort(sample), (0,), None)
    fit = ESTIMATORS[estimator].fit(sample, Inputs(sample)).fits[0]
    b, refits = fit.estimate[0], fit.provinces.estimates[:, 0]
    n = len(
        np.unique(
            PROVINCE[
                np.unique([sample.panel.city_i[sample.kept], sample.panel.city_j[sample.kept]])
            ]
        )
    )
    kept = refits[np.isfinite(refits)]
    squares = ((kept - b) ** 2).sum()
    return (
        b,
        (len(kept) - 1) / len(kept) * squares,
        (n - 1) / n * (squares + (n - len(kept)) * b**2),
        n,
    )


def _draw(design: Callable, estimator: str, shuffle: str, seed: int) -> dict[str, bool]:
    panel = design(np.random.default_rng([seed, 31]))
    b, skipped, inverse, n = _variances(panel, estimator)
    result = fit_panel(
        panel,
        estimator=estimator,
        vcov=("city", "permutation"),
        permutations=PERMUTATIONS,
        shuffle=shuffle,
        seed=seed,
    )
    first = {e.vcov: e.p_value for e in result.estimates if e.term in ("treated", "att")}
    critical = stdtrit(n - 1, 0.975)
    return {
        "skipped": abs(b) > critical * np.sqrt(skipped),
        "generalised inverse": abs(b) > critical * np.sqrt(inverse),
        "city": first["city"] < 0.05,
        "permutation": first["permutation"] < 0.05,
    }


def study(n_draws: int) -> Iterator[dict]:
    """One line per design and estimator: per cent of draws without an effect in which a line
    rejects at 5 %.
    """
    for design, estimators, shuffle in DESIGNS:
        for estimator in estimators:
            rows = [_draw(design, estimator, shuffle, seed) for seed in range(n_draws)]
            share = {
                line: round(100 * float(np.mean([row[line] for row in rows])), 1)
                for line in rows[0]
            }
            yield {
                "design": design.__name__,
                "estimator": estimator,
                "draws": n_draws,
                "rejects": share,
            }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.simulation_study.lost_refits", description=__doc__
    )
    parser.add_argument("--draws", type=int, default=1000)
    for line in study(parser.parse_args().draws):
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
