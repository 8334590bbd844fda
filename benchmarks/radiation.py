"""Size and power of what reaches beyond a pilot: rings and ties on a published warehouse.

`python -m benchmarks.radiation --panel <published warehouse>` prints the table of
docs/evidence/radiation.md. The real admissions are read for how many cities of a province were
admitted in each year alone: each draw deals them anew within provinces, and the test is the
product's own call.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np

from benchmarks.draws import options_on_panel
from benchmarks.primary_test.race import deal_like_the_list
from estimation.analyses.rules import EXPOSURE_RULES
from estimation.primary.exposure import Admitted, fit_exposure
from estimation.primary.measure import reference, standardise, synchronization
from estimation.primary.within_block import fit_within_block
from estimation.sample.exposure import exposed_years, exposure_of
from estimation.sample.marts import Marts, read_marts
from estimation.sample.outcomes import build_series

PERMUTATIONS, LEVEL = 199, 0.05
WINDOWS = ((2010, 2019), (2010, 2023))
# design: outcome, points that exposure adds to growth
DESIGNS = {
    "growth, nothing": ("growth", 0.0),
    "synchronization, nothing": ("synchronization", 0.0),
    "growth, exposed +0.5 points": ("growth", 0.5),
}
LABELS = "growth, nothing; labels of exposure dealt"


def study(
    marts: Marts, design: str, window: tuple[int, int], rules: list[str], draws: int, seed: int
) -> Iterator[tuple[str, str, float, float, int]]:
    """Rule, design, share rejected, mean estimate and draws with a verdict, for each rule."""
    outcome, gain = DESIGNS.get(design, DESIGNS["growth, nothing"])
    series = build_series(marts.city_years, "growth_official", window)
    for rule in rules:
        admitted, reach = exposure_of(marts.cities, marts.pairs, rule, series.city_ids, window[1])
        block = np.unique(admitted.block, return_inverse=True)[1]
        rng = np.random.default_rng([seed, window[1]])
        p_values, estimates = [], []
        for _ in range(draws):
            cohort = deal_like_the_list(admitted.cohort, block, rng)
            dealt = Admitted(cohort, admitted.block, admitted.own)
            settings = {"permutations": PERMUTATIONS, "seed": int(rng.integers(2**31))}
            first = exposed_years(reach, cohort, admitted.own)
            own = cohort[admitted.own]
            growth = series.d + gain * ((first > 0)[:, None] & (first[:, None] <= series.years))
            if outcome == "synchronization":
                z = standardise(growth)
                m, v = reference(z, own == 0, block[admitted.own])
                growth = synchronization(z, m, v)
            if design == LABELS:
                kept = first >= 0
                province = admitted.block[admitted.own]
                found = fit_within_block(
                    growth[kept], series.years, first[kept], province[kept], **settings
                )
            else:
                found, _ = fit_exposure(growth, series.years, dealt, reach, **settings)
            if found.p_value is not None:
                p_values.append(found.p_value)
                estimates.append(found.estimate)
        rejected = float(np.mean(np.array(p_values) <= LEVEL)) if p_values else np.nan
        yield rule, design, rejected, float(np.mean(estimates or [np.nan])), len(p_values)


def main() -> None:
    """Print a row of the table for each window, design and rule."""
    given = options_on_panel(__doc__, draws=2000, seed=20261127)
    with duckdb.connect(str(given.panel), read_only=True) as con:
        marts = read_marts(con, (), pair_years=False)
    print("| window | design | rule | rejects | mean estimate | draws |", flush=True)
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    for window in WINDOWS:
        for design in (*DESIGNS, LABELS):
            for rule, name, share, mean, count in study(
                marts, design, window, list(EXPOSURE_RULES), given.draws, given.seed
            ):
                shown = f"{window[0]}-{window[1]} | {name} | {rule} | {share:.1%} | {mean:+.3f}"
                print(f"| {shown} | {count} |", flush=True)


if __name__ == "__main__":
    main()
