"""Size and bias of Poisson gravity with dyadic errors on simulated flows: ``python -m
benchmarks.gravity`` prints the tables of docs/evidence/gravity.md.

Flows are Poisson around a mean with effects of exporter and year, importer and year and pair, an
effect of agreements, and shocks that no effect takes up: of an exporter, stronger with some
partners than with others, of an importer likewise, and of a pair.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd
import pyfixest as pf

import estimation as cs
from estimation.inference.variances import dyadic_df, t_interval

YEARS = np.arange(2000, 2010)
COHORTS = (2003, 2006)
EFFECT = 0.3
GROWTH = 0.1
EFFECTS = "exporter^year + importer^year + pair"
UNIT = ("exporter", "importer")


def draw_flows(
    rng: np.random.Generator, n_units: int, shocks: float, growth: float
) -> pd.DataFrame:
    """One row per exporter, importer and year.

    Parameters
    ----------
    rng : Generator
    n_units : int
        Countries; two thirds join agreements, half in each year of `COHORTS`: two of the same
        cohort have an agreement.
    shocks : float
        Standard deviation of the shocks that pairs share through a country.
    growth : float
        By how much the effect grows a year.

    Returns
    -------
    frame
        exporter, importer, year, pair, cohort (0 = never), flow, agreement, truth (the effect).
    """
    rows = pd.MultiIndex.from_product(
        [range(n_units), range(n_units), YEARS], names=[*UNIT, "year"]
    )
    flows = rows.to_frame(index=False).query("exporter != importer").reset_index(drop=True)
    i, j, t = flows["exporter"].to_numpy(), flows["importer"].to_numpy(), flows["year"] - YEARS[0]
    member = np.zeros(n_units, dtype=int)
    joined = rng.permutation(n_units)[: 2 * n_units // 3]
    member[joined] = np.resize(COHORTS, len(joined))
    flows["cohort"] = np.where(member[i] == member[j], member[i], 0)
    flows["pair"] = np.minimum(i, j) * n_units + np.maximum(i, j)
    treated = (flows["cohort"] > 0) & (flows["year"] >= flows["cohort"])
    since = np.where(treated, flows["year"] - flows["cohort"], 0)
    flows["agreement"] = treated.astype(float)
    flows["truth"] = np.where(treated, EFFECT + growth * since, 0.0)
    size = rng.normal(0, 0.7, (2, n_units))
    drift = rng.normal(0, 0.1, (2, n_units, len(YEARS))).cumsum(axis=2)
    # what a country's shock of a year does to a partner depends on the partner
    loading = rng.normal(size=(2, n_units))
    shock = rng.normal(0, shocks, (2, n_units, len(YEARS))).cumsum(axis=2) / 2
    shared = shock[0, i, t] * loading[0, j] + shock[1, j, t] * loading[1, i]
    own = rng.normal(0, 0.3, (n_units**2, len(YEARS)))[flows["pair"], t]
    mean = size[0, i] + size[1, j] + drift[0, i, t] + drift[1, j, t] + flows["truth"] + shared + own
    flows["flow"] = rng.poisson(np.exp(mean))
    return flows


def estimate(flows: pd.DataFrame) -> Iterator[dict]:
    """One coefficient, and the mean of cohort by year effects, under every line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one = pf.fepois(f"flow ~ agreement | {EFFECTS}", flows)
        cells = sorted(set(zip(flows["cohort"], flows["year"], strict=True)))
        treated = [(g, y) for g, y in cells if g > 0 and y >= g]
        for g, y in treated:
            flows[f"c{g}_{y}"] = ((flows["cohort"] == g) & (flows["year"] == y)).astype(float)
        names = [f"c{g}_{y}" for g, y in treated]
        many = pf.fepois(f"flow ~ {' + '.join(names)} | {EFFECTS}", flows)
    kept = many._data
    n_units = flows["exporter"].nunique()
    truth = float(kept.loc[kept["agreement"] > 0, "truth"].mean())
    for label, fit, terms in (
        ("one coefficient", one, ["agreement"]),
        ("cohort x year", many, names),
    ):
        count = {name: kept[name].sum() for name in terms}
        weights = {name: n / sum(count.values()) for name, n in count.items()}
        directed = cs.vcov(fit, UNIT, vcov="pair", directed=True).combine(weights)
        found = {
            "": cs.vcov(fit, UNIT).combine(weights),
            ", directed": directed,
            ", N - 1": cs.vcov(fit, UNIT, vcov=("dyadic", "unit"), df=n_units - 1).combine(weights),
        }
        for how, rows in found.items():
            for row in rows.itertuples():
                yield {
                    "estimator": label,
                    "line": f"{row.vcov}{how}",
                    "value": row.estimate,
                    "truth": truth,
                    "error": row.std_error,
                    "rejects": not row.ci_low <= truth <= row.ci_high,
                }


def run(n_draws: int, seed: int = 1) -> pd.DataFrame:
    """Bias and share of draws that reject the truth at 5 %, by design, estimator and line."""
    found = []
    for n_units, shocks in ((20, 0.3), (40, 0.3)):
        for draw in range(n_draws):
            rng = np.random.default_rng([seed, n_units, int(10 * shocks), 1, draw])
            flows = draw_flows(rng, n_units, shocks, GROWTH)
            zeros = float((flows["flow"] == 0).mean())
            design = {"units": n_units, "shocks": shocks, "zeros": zeros}
            found += [design | row for row in estimate(flows)]
    return pd.DataFrame(found)


def tables(found: pd.DataFrame) -> str:
    """Both tables as Markdown."""
    designs = ["units", "shocks", "estimator"]
    found = found.assign(bias=found["value"] - found["truth"])
    first = found[found["line"] == "dyadic"].groupby(designs)
    bias = first.agg(
        zeros=("zeros", "mean"), truth=("truth", "mean"), bias=("bias", "mean"), sd=("bias", "std")
    )
    size = found.pivot_table(index=designs, columns="line", values="rejects") * 100
    return "\n\n".join(
        [
            bias.round(3).reset_index().to_markdown(index=False),
            size.round(1).reset_index().to_markdown(index=False),
        ]
    )


def size_by_degrees(n_draws: int, seed: int = 3) -> str:
    """Least squares with pair and year effects, no effect, shocks of units that wander: share of
    draws that reject at 5 % by the degrees of freedom of a dyadic t, as Markdown.
    """
    rows = []
    for by_unit, (n_units, n_treated), shock in product(
        (True, False), ((20, 4), (40, 5), (40, 10), (40, 20)), (1.0, 0.1)
    ):
        rng = np.random.default_rng([seed, by_unit, n_units, n_treated, int(10 * shock)])
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
    parser.add_argument("--draws", type=int, default=100)
    n_draws = parser.parse_args().draws
    print(size_by_degrees(4 * n_draws), tables(run(n_draws)), sep="\n\n")
