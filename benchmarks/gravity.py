"""Size of dyadic errors by their degrees of freedom: ``python -m benchmarks.gravity`` prints the
table of docs/evidence/gravity.md.
"""

from __future__ import annotations

import argparse
from itertools import product

import numpy as np
import pandas as pd

from estimation.inference.variances import dyadic_df, t_interval


def size_by_degrees(n_draws: int) -> str:
    """Least squares with pair and year effects, no effect, shocks of units that wander: share of
    draws that reject at 5 % by the degrees of freedom of a dyadic t, as Markdown.
    """
    rows = []
    for by_unit, (n_units, n_treated), shock in product(
        (True, False), ((20, 4), (40, 5), (40, 10), (40, 20)), (1.0, 0.1)
    ):
        rng = np.random.default_rng([3, by_unit, n_units, n_treated, int(10 * shock)])
        i, j = np.triu_indices(n_units, 1)
        one = (i < n_treated) != (j < n_treated)
        treated = one if by_unit else rng.random(len(i)) < n_treated / n_units / 2
        kept = (j >= n_treated) if by_unit else np.ones(len(i), dtype=bool)
        i, j, treated = i[kept], j[kept], treated[kept]
        x = _within(treated[:, None] * (np.arange(8) >= 4.0))
        weight = (x**2).sum(axis=1)
        df = float(dyadic_df(weight[:, None], i, j, n_units)[0])
        found: dict[str, list[bool]] = {}
        for _ in range(n_draws):
            shocks = shock * rng.normal(size=(n_units, 8)).cumsum(axis=1)
            y = _within(shocks[i] + shocks[j] + rng.normal(size=x.shape))
            b = (x * y).sum() / weight.sum()
            psi = (x * (y - b * x)).sum(axis=1)
            by_pair = (psi**2).sum()
            of_units = np.bincount(i, psi, n_units) + np.bincount(j, psi, n_units)
            dyadic = (of_units**2).sum() - by_pair
            for name, variance, degrees in (
                ("pair", by_pair, len(i) - 1),
                ("dyadic, N - 1", dyadic, n_units - 1),
                ("dyadic, by design", dyadic, df),
                ("the same, at least by pair", max(dyadic, by_pair), df),
            ):
                interval = t_interval(b * weight.sum(), variance, degrees)
                found.setdefault(name, []).append(
                    interval.p_value is not None and interval.p_value < 0.05
                )
        rows.append(
            {
                "treatment by": "unit" if by_unit else "pair",
                "units": n_units,
                "treated": f"{n_treated} units" if by_unit else f"{int(treated.sum())} pairs",
                "shocks": shock,
                "df": round(df, 1),
            }
            | {name: round(100 * float(np.mean(hits)), 1) for name, hits in found.items()}
        )
    return pd.DataFrame(rows).to_markdown(index=False)


def _within(values: np.ndarray) -> np.ndarray:
    return values - values.mean(axis=1, keepdims=True) - values.mean(axis=0) + values.mean()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=400)
    print(size_by_degrees(parser.parse_args().draws))
