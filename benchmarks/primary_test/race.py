"""The designs of the race of 18.8 in which no effect is imposed, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from .designs import SELECTION, Panel, admit, choose, draw_selected
from .layout import read_delivered

SERIES = ("growth", "cycle")
NEWEST, STUDY, SECOND = (2010, 2023), (2010, 2019), (2010, 2021)
EARLY = (2003, 2004, 2005)
# Own variance of pilots moves before admission: what is found there is no error of size.
DRIFTS = ("calming_earlier", "calming_strongly", "own deviation falls")
# With 199 draws and a p of at most 0.05 the level is 5 % exactly.
PERMUTATIONS = 199

Draw = Callable[[np.random.Generator], Panel]


def designs(database: Path) -> Iterator[tuple[str, Draw]]:
    """Yield the designs on delivered growth, then the simulated ones."""
    study = read_delivered(database, *STUDY)
    for window in (NEWEST, SECOND):
        yield f"layout {_years(window)}", _layout(read_delivered(database, *window))
    yield f"layout {_years(STUDY)}", _layout(study)
    yield f"anywhere {_years(STUDY)}", partial(_anywhere, study)
    for window in (STUDY, SECOND):
        deflated = read_delivered(database, *window, "growth_deflated_pct")
        yield f"layout {_years(window)}, deflated", _layout(deflated)
    for first in EARLY:
        window = (first, first + 9)
        early = read_delivered(database, *window)
        yield f"by GDP {_years(window)}", partial(_early, early, STUDY[0] - first)
    for name in SELECTION:
        yield name, partial(draw_selected, name)


def _years(window: tuple[int, int]) -> str:
    return f"{window[0]}-{window[1]}"


def _layout(window: Panel) -> Draw:
    """Admissions of a window permuted inside provinces."""

    def draw(rng: np.random.Generator) -> Panel:
        cohort = window.cohort.copy()
        for name in range(int(window.block.max()) + 1):
            members = window.block == name
            cohort[members] = rng.permutation(cohort[members])
        return replace(window, cohort=cohort)

    return draw


def _anywhere(window: Panel, rng: np.random.Generator) -> Panel:
    n_cities = len(window.growth)
    return replace(window, cohort=admit(choose(np.zeros(n_cities), rng), n_cities, rng))


def _early(window: Panel, back: int, rng: np.random.Generator) -> Panel:
    pilots = choose(2 * window.size, rng)
    return replace(window, cohort=admit(pilots, len(window.growth), rng, back))
