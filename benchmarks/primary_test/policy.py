"""How often `cs.policy` finds a change on drawn economies: without an effect, with one, and how
often it flags a list that was chosen on past growth (docs/evidence/policy.md).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from benchmarks.page import markdown
from estimation.api.policy import PolicyFit, policy
from estimation.primary.city_panel import build_panel
from estimation.primary.detectable import impose

from .designs import Panel, draw_selected

SEED = 20261201
DRAWS, PERMUTATIONS = 400, 199
# Of which list, and when it starts, in a design of ten or fourteen years.
DESIGNS = {
    "provincial": "shocks shared and persistent, list at random, 10 years",
    "coast, 14 years": "shocks by distance, list on the coast, 14 years",
    "calmer, two factors, persistence 0.6, 14 years": (
        "large cities calmer and persistent, list by size, 14 years"
    ),
}
PAST_START = 2015


def _nothing(panel: Panel) -> Panel:
    return panel


def _calmer(panel: Panel) -> Panel:
    """Own shocks of the list lose 60 % of their variance after the start."""
    built = build_panel(panel.growth, panel.years, panel.cohort, panel.block)
    z, m, _ = built.measured(built.growth)
    treated = built.treated[built.label]
    return replace(panel, growth=impose(z, m, panel.years, treated, "S-60"))


def _past_winners(panel: Panel) -> Panel:
    """The list is the third of each block that grew most before 2015."""
    past = pd.Series(panel.growth[:, panel.years < PAST_START].mean(axis=1))
    place = past.groupby(panel.block).rank(ascending=False, pct=True)
    return replace(panel, cohort=np.where(place <= 1 / 3, PAST_START, 0))


KINDS: dict[str, Callable[[Panel], Panel]] = {
    "no effect": _nothing,
    "own variance 60 % less": _calmer,
    "chosen on past growth": _past_winners,
}


def evaluate(panel: Panel, seed: int) -> PolicyFit:
    """`cs.policy` on the panel as somebody hands it over: a frame, and a list."""
    ids = np.arange(len(panel.cohort))
    frame = pd.DataFrame(
        {
            "city_id": np.repeat(ids, len(panel.years)),
            "year": np.tile(panel.years, len(ids)),
            "growth": panel.growth.ravel(),
            "block_id": np.repeat(panel.block, len(panel.years)),
        }
    )
    listed = pd.DataFrame({"city": ids, "year": panel.cohort})[panel.cohort > 0]
    return policy(frame, listed, permutations=PERMUTATIONS, seed=seed)


def row_of(design: str, kind: str, number: int, n_draws: int) -> list[str]:
    """A row of the table: lists judged, refused, found and flagged."""
    found, flagged, refused = [], [], 0
    for draw in range(n_draws):
        rng = np.random.default_rng([SEED, number, draw])
        panel = KINDS[kind](draw_selected(design, rng))
        fit = evaluate(panel, int(rng.integers(2**31)))
        if fit.primary.result.p_value is None:
            refused += 1
            continue
        found.append(fit.primary.rejects)
        flagged.append(bool(fit.result.cautions))
    shares = [f"{100 * np.mean(values):.1f}" if values else "-" for values in (found, flagged)]
    return [DESIGNS[design], kind, str(len(found)), str(refused), *shares]


def main() -> None:
    """Print the table, a row as it is done."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--draws", type=int, default=DRAWS)
    n_draws = parser.parse_args().draws
    head = ["design", "list", "draws", "refused", "found, per cent", "flagged, per cent"]
    rows = [head]
    for number, design in enumerate(DESIGNS):
        for kind in KINDS:
            rows.append(row_of(design, kind, number, n_draws))
            print(" | ".join(rows[-1]), flush=True)
    print(markdown(rows))


if __name__ == "__main__":
    main()
