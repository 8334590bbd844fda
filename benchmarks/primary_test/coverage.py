"""`python -m benchmarks.primary_test.coverage --panel DB`: mean estimate and coverage of both
channels, printed as rows of a table.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from estimation.primary.channels import estimate_channels
from estimation.primary.city_panel import build_panel
from estimation.primary.interval import make_ready

from .designs import Panel, admit_layout, impose
from .layout import read_delivered, read_layout

# effects one after the other, and what they do to own variance and to the loading of a city that
# loads like never-pilots
IMPOSED = {
    "S-60": (("S-60",), -0.6, 0.0),
    "W-60": (("W-60",), -0.6, 0.0),
    "S-30": (("S-30",), -0.3, 0.0),
    "L-50": (("L-50",), 0.0, 0.5),
    "S-60 and L-50": (("S-60", "L-50"), -0.6, 0.5),
}


def cover(
    panel: Panel, truths: tuple[float, float], permutations: int, seed: int
) -> list[tuple[float, bool]]:
    """Estimate of each channel, and whether its interval holds the truth."""
    cities = build_panel(panel.growth, panel.years, panel.cohort, panel.block)
    channels = estimate_channels(make_ready(cities, permutations, np.random.default_rng([seed, 1])))
    return [
        (c.estimate, c.ci_low <= truth <= c.ci_high)
        for c, truth in zip(channels, truths, strict=True)
    ]


def main() -> None:
    """Parse the command line, run and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.primary_test.coverage", description=__doc__
    )
    parser.add_argument(
        "--panel", type=Path, required=True, help="published warehouse of delivered files"
    )
    parser.add_argument(
        "--draws", type=int, default=200, help="pseudo-admissions laid out like the list"
    )
    parser.add_argument("--permutations", type=int, default=199)
    chosen = parser.parse_args()
    window, counts = read_delivered(chosen.panel, 2010, 2019), read_layout()
    print("| imposed | own variance, mean (covers) | loading, mean (covers) |\n| --- | --- | --- |")
    for name, (effects, *truths) in IMPOSED.items():
        found = []
        for seed in range(chosen.draws):
            cohort = admit_layout(
                window.province_id, counts, int(window.years[-1]), np.random.default_rng([seed, 0])
            )
            panel = Panel(window.growth, window.years, cohort, window.province_id, window.size)
            for effect in effects:
                panel = impose(panel, effect)
            found.append(cover(panel, tuple(truths), chosen.permutations, seed))
        means = np.array(found, dtype=float).mean(axis=0)
        print(
            f"| {name} | "
            + " | ".join(f"{mean:+.2f} ({share:.1%})" for mean, share in means)
            + " |",
            flush=True,
        )


if __name__ == "__main__":
    main()
