"""`python -m benchmarks.primary_test.coverage --panel DB`: mean truth and how many intervals of the
primary test hold the truth of their own draw, and the mean truth, on pseudo-admissions with imposed
effects, as rows of a table; and how far p moves if the reference is taken anew in each draw.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from estimation.primary.contrast import treatment_contrast
from estimation.primary.interval import find_interval, rank_p
from estimation.primary.redeal import deal, draw_statistics

from .race import PERMUTATIONS, Cell, cells_of, changed_panel, drawn_panel

# named with blanks between, one after the other
MECHANISMS = ("", "S-60", "S-30", "S+60", "L+50", "L-50", "C+50", "S-60 L+50")
DESIGNS = ("layout 2010-2023", "layout 2010-2021")


def coverage(cell: Cell, imposed: str, draws: range, seed: int) -> np.ndarray:
    """Mean truth, and shares of intervals that hold the truth of their own draw, the estimator of
    y(1) - y(0), and the mean truth over draws; in growth and in the cycle (2, 3).
    """
    found = np.zeros((len(draws), 2, 3))
    for place, draw in enumerate(draws):
        bare = drawn_panel(cell, draw, seed)
        panel = changed_panel(bare, imposed)
        contrast = treatment_contrast(panel)
        dealt = deal(panel.block, PERMUTATIONS, [seed, cell.number, draw, 1])
        design = (contrast, panel.label, panel.block)
        for s, pair in enumerate(zip(panel.series, bare.series, strict=True)):
            with_effect, without = (panel.measured(values)[2] for values in pair)
            one = draw_statistics(with_effect, *design, dealt)
            truth = one.estimate[0] - draw_statistics(without, *design, dealt[:1]).estimate[0]
            low, high, _ = find_interval(one)
            found[place, s] = (
                truth,
                -np.inf if low is None else low,
                np.inf if high is None else high,
            )
    truth, low, high = np.moveaxis(found, 2, 0)
    mean = truth.mean(axis=0)
    holds = [((low <= one) & (one <= high)).mean(axis=0) for one in (truth, mean)]
    return np.stack([mean, *holds], axis=1)


def reference_anew(cell: Cell, draws: range, seed: int) -> np.ndarray:
    """p of growth and of the cycle, with the reference of the pseudo-admissions held and with that
    of the never-pilots of each draw (draws, 2, 2).
    """
    found = np.zeros((len(draws), 2, 2))
    for place, draw in enumerate(draws):
        panel = drawn_panel(cell, draw, seed)
        dealt = deal(panel.block, PERMUTATIONS, [seed, cell.number, draw, 1])
        contrast, own = treatment_contrast(panel), np.arange(len(panel.label))[None]
        for s, values in enumerate(panel.series):
            y = panel.measured(values)[2]
            held = draw_statistics(y, contrast, panel.label, panel.block, dealt).statistic()
            anew = np.zeros(len(dealt))
            for number, cities in enumerate(dealt):
                again = replace(panel, label=panel.label[cities])
                y = again.measured(values)[2]
                one = draw_statistics(y, contrast, again.label, panel.block, own)
                anew[number] = one.statistic()[0]
            found[place, s] = rank_p(held), rank_p(anew)
    return found


def main() -> None:
    """Parse the command line, run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.primary_test.coverage")
    parser.add_argument("--panel", type=Path, required=True, help="published warehouse")
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--only", default="", help="designs whose name holds this")
    chosen = parser.parse_args()
    by_name = cells_of(chosen.panel)
    for design in (name for name in DESIGNS if chosen.only in name):
        for imposed in MECHANISMS:
            found = coverage(by_name[design], imposed, range(chosen.draws), chosen.seed)
            shown = " | ".join(
                f"{truth:+.3f} | {100 * own:.1f}, {100 * mean:.1f}" for truth, own, mean in found
            )
            print(f"| {design} | {imposed} | {shown} |", flush=True)
        p = reference_anew(by_name[design], range(chosen.draws // 5), chosen.seed)
        gap = np.abs(p[:, :, 0] - p[:, :, 1])
        print(
            f"| {design} | reference anew: p moves by {gap.mean():.4f}, at most {gap.max():.3f} |"
        )


if __name__ == "__main__":
    main()
