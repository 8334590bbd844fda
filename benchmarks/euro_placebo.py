"""How often each line of inference finds an effect of a euro that nobody adopted: `python -m benchmarks.euro_placebo --draws 500`.

Growth of countries is real, years of adoption are dealt out anew within regions, so nothing is there to be found.
"""

from __future__ import annotations

import argparse
import dataclasses

import numpy as np

from estimation import data
from estimation.fit import fit_panel
from estimation.inference.permutation.assignments import draw_relabellings
from estimation.kernels.compile_cache import use_compile_cache
from estimation.panel.pair_file import PairColumns, read_pairs

LINES = ("conventional", "dyadic", "city", "province_jackknife", "permutation")
LEVEL = 0.05
PERMUTATIONS = 199


def rejections(exposure: str, outcome: str, draws: int, seed: int) -> dict[str, float]:
    """Share of reassigned adoptions, in per cent, that each line rejects at 5 %; `default` takes each draw's own default line."""
    columns = PairColumns(outcome, ("iso_a", "iso_b"), "year", ("euro_a", "euro_b"), ("region_a", "region_b"), exposure=exposure)
    panel = read_pairs(data.euro("pyarrow"), columns).panel
    strata = np.unique(panel.province, return_inverse=True)[1].reshape(-1)
    labels = draw_relabellings(panel.city_cohort, strata, draws, seed)
    found: dict[str, list[bool]] = {name: [] for name in (*LINES, "default")}
    for draw, cohort in enumerate(labels):
        placebo = dataclasses.replace(panel, city_cohort=cohort, cohort=None)
        result = fit_panel(placebo, vcov=LINES, permutations=PERMUTATIONS, seed=draw)
        for estimate in result.estimates:
            if estimate.p_value is not None:
                found[estimate.vcov].append(estimate.p_value < LEVEL)
                if estimate.is_default:
                    found["default"].append(estimate.p_value < LEVEL)
    return {name: round(100 * float(np.mean(rejected)), 1) for name, rejected in found.items()}


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=500)
    options = parser.parse_args()
    use_compile_cache()
    print("| exposure | outcome |", " | ".join((*LINES, "default")), "|")
    print("| --- | --- |" + " --- |" * (len(LINES) + 1))
    for exposure in ("one", "both"):
        for outcome in ("cm", "neg_abs_gap"):
            shares = rejections(exposure, outcome, options.draws, seed=11)
            print(f"| {exposure} | `{outcome}` |", " | ".join(f"{shares[name]:.1f}" for name in (*LINES, "default")), "|", flush=True)


if __name__ == "__main__":
    main()
