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
    for n_units, shocks in product((20, 40), (0.0, 0.3)):
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


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=100)
    print(tables(run(parser.parse_args().draws)))
