"""`python -m benchmarks.primary_test.coverage --panel DB`: mean truth and how many intervals of the
primary test hold the truth of their own draw, and the mean truth, on pseudo-admissions with imposed
effects, as rows of a table.
"""

from __future__ import annotations

import numpy as np

from benchmarks.draws import options_on_panel
from estimation.primary.contrast import treatment_contrast
from estimation.primary.interval import find_interval
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


def main() -> None:
    """Parse the command line, run and print."""
    chosen = options_on_panel(__doc__, draws=400, seed=5)
    by_name = cells_of(chosen.panel)
    for design in DESIGNS:
        for imposed in MECHANISMS:
            found = coverage(by_name[design], imposed, range(chosen.draws), chosen.seed)
            shown = " | ".join(
                f"{truth:+.3f} | {100 * own:.1f}, {100 * mean:.1f}" for truth, own, mean in found
            )
            print(f"| {design} | {imposed} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
