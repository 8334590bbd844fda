"""What the card of `cs.audit` says on panels whose treatment is, and is not, dealt at random:
`python -m benchmarks.audit` prints the table of docs/library/audit.md.

Least squares with pair and period effects on all pairs of 30 units by 8 periods without an effect.
Effects are taken out in closed form; tests/estimation/api/test_audit.py holds `cs.audit` against
the same loop.
"""

from __future__ import annotations

import sys

import numpy as np

from estimation.defaults import LEVEL
from estimation.inference.permutation.draws import permutation_p_value
from estimation.inference.variances import dyadic_df, t_interval

UNITS, PERIODS, SAMPLES, EXCHANGES = 30, 8, 1000, 199
ONE, TWO = np.triu_indices(UNITS, 1)
SHARE = 0.15
LINES = ("pair", "dyadic")


def walk(rng: np.random.Generator, n: int, persistence: float = 0.9) -> np.ndarray:
    """Shocks that persist, (n, T)."""
    shocks = rng.normal(size=(n, PERIODS))
    for t in range(1, PERIODS):
        shocks[:, t] += persistence * shocks[:, t - 1]
    return shocks


def begun(rng: np.random.Generator, is_treated: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Treatment of pairs (P, T) that begins in a period of its own."""
    return (is_treated[:, None] & (np.arange(PERIODS) >= start[:, None])).astype(float)


def starts(rng: np.random.Generator) -> np.ndarray:
    """First treated period of each pair."""
    return rng.integers(2, PERIODS - 1, len(ONE))


def near(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Distances (N, N), and the pairs (P,) that are nearest."""
    place = rng.uniform(size=(UNITS, 2))
    distance = np.linalg.norm(place[:, None] - place, axis=2)
    return distance, distance[ONE, TWO] < np.quantile(distance[ONE, TWO], SHARE)


def exchanged(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Blocs of units that are drawn at random; shocks of units."""
    treatment = blocs(rng)[0]
    shock = walk(rng, UNITS)
    return treatment, shock[ONE] + shock[TWO] + rng.normal(size=(len(ONE), PERIODS))


def near_pairs(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Near pairs are treated; shocks of near units are alike."""
    distance, is_near = near(rng)
    root = np.linalg.cholesky(np.exp(-distance / 0.3) + 1e-9 * np.eye(UNITS))
    shock = root @ walk(rng, UNITS)
    noise = rng.normal(size=(len(ONE), PERIODS))
    return begun(rng, is_near, starts(rng)), shock[ONE] + shock[TWO] + noise


def variance_by_size(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Large units have more treated pairs, and larger shocks."""
    size = np.exp(rng.normal(size=UNITS))
    chance = np.log(size[ONE] * size[TWO]) + rng.gumbel(size=len(ONE))
    is_treated = chance > np.quantile(chance, 1 - SHARE)
    shock = walk(rng, UNITS) * size[:, None]
    noise = rng.normal(size=(len(ONE), PERIODS))
    return begun(rng, is_treated, starts(rng)), shock[ONE] + shock[TWO] + noise


def blocs(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """All pairs within a bloc are treated at once, and have a shock of the bloc."""
    bloc = rng.permutation(np.resize([0, 1, 2, 3, 3, 3, 3], UNITS))
    is_treated = (bloc[ONE] == bloc[TWO]) & (bloc[ONE] < 3)
    start = rng.choice(np.arange(2, PERIODS - 1), 3, replace=False)
    start = np.append(start, 0)[bloc[ONE]]
    shock = walk(rng, UNITS)
    common = walk(rng, 4)[bloc[ONE]] * (bloc[ONE] == bloc[TWO])[:, None]
    noise = rng.normal(size=(len(ONE), PERIODS))
    return begun(rng, is_treated, start), shock[ONE] + shock[TWO] + common + noise


def distance_over_years(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Near pairs are treated; the weight of distance changes over the years."""
    distance, is_near = near(rng)
    weight = np.cumsum(rng.normal(size=PERIODS))
    outcome = distance[ONE, TWO][:, None] * weight + 0.3 * rng.normal(size=(len(ONE), PERIODS))
    return begun(rng, is_near, starts(rng)), outcome


DESIGNS = {
    "identities exchanged at random": exchanged,
    "near pairs": near_pairs,
    "variance by size": variance_by_size,
    "blocs": blocs,
    "distance over years": distance_over_years,
}


def net(values: np.ndarray) -> np.ndarray:
    """Less pair and period effects."""
    return values - values.mean(axis=1, keepdims=True) - values.mean(axis=0) + values.mean()


def fitted(treatment: np.ndarray, outcome: np.ndarray) -> dict[str, tuple[float, float]]:
    """abs(estimate / error) and p by line; `outcome` is net of effects."""
    x = net(treatment)
    size = (x**2).sum()
    estimate = (x * outcome).sum() / size
    score = (x * (outcome - estimate * x)).sum(axis=1) / size
    by_unit = np.bincount(ONE, score, UNITS) + np.bincount(TWO, score, UNITS)
    by_pair = (score**2).sum()
    variance = {"pair": by_pair, "dyadic": max((by_unit**2).sum() - by_pair, by_pair)}
    weight = (x**2).sum(axis=1)[:, None]
    degrees = {"pair": len(ONE) - 1.0, "dyadic": float(dyadic_df(weight, ONE, TWO, UNITS)[0])}
    found = {}
    for line in LINES:
        interval = t_interval(estimate, variance[line], degrees[line])
        found[line] = (abs(estimate) / interval.std_error, interval.p_value)
    return found


def main() -> None:
    """Print a row for each design."""
    print("| design | pair | the card | dyadic | the card | p of the card |")
    print("| --- | --- | --- | --- | --- | --- |")
    for k, (name, make) in enumerate(DESIGNS.items()):
        truth = {line: [] for line in (*LINES, "audit")}
        card = {line: [] for line in LINES}
        for sample in range(SAMPLES):
            rng = np.random.default_rng([k, sample])
            treatment, outcome = make(rng)
            outcome = net(outcome)
            table = np.zeros((UNITS, UNITS, PERIODS))
            table[ONE, TWO] = table[TWO, ONE] = treatment
            real = fitted(treatment, outcome)
            drawn = []
            for _ in range(EXCHANGES):
                place = rng.permutation(UNITS)
                drawn.append(fitted(table[place[ONE], place[TWO]], outcome))
            for line in LINES:
                truth[line].append(real[line][1] < LEVEL)
                card[line].append(np.mean([one[line][1] < LEVEL for one in drawn]))
            statistics = np.array([one["dyadic"][0] for one in drawn])
            p = permutation_p_value(real["dyadic"][0], statistics, is_enumeration=False)
            truth["audit"].append(p <= LEVEL)
        cells = []
        for line in LINES:
            cells += [f"{100 * np.mean(truth[line]):.1f}", f"{100 * np.mean(card[line]):.1f}"]
        cells.append(f"{100 * np.mean(truth['audit']):.1f}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
