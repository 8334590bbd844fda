"""The designs as cells, and p of the test and its channels in each draw, in growth and cycle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np

from estimation.primary.channels import channel_draws
from estimation.primary.city_panel import CityPanel, build_panel, lacking
from estimation.primary.contrast import treatment_contrast
from estimation.primary.detectable import IMPOSED, impose
from estimation.primary.interval import rank_p
from estimation.primary.redeal import deal, draw_statistics

from .designs import SELECTION, Panel, admit, choose, draw_selected
from .layout import read_delivered

SERIES = ("growth", "cycle")
TEST, CHANNELS = "test", ("own variance", "loading")
# draws of each design, and of each in which nothing happens, of the test alone, with their seeds
DRAWS, SEED, SIZE_DRAWS, SIZE_SEED = 2000, 20261127, 4000, 30
NEWEST, STUDY, SECOND = (2010, 2023), (2010, 2019), (2010, 2021)
EARLY = (2003, 2004, 2005)
# Own variance of pilots moves before admission: what is found there is no error of size.
DRIFTS = ("calming_earlier", "calming_strongly", "own deviation falls")
# With 199 draws and a p of at most 0.05 the level is 5 % exactly.
PERMUTATIONS = 199


@dataclass(frozen=True)
class Cell:
    """One design with or without an imposed effect.

    Attributes
    ----------
    design, imposed : str
    number : int
        Cells of one design share it, so that they share their draws.
    draw : callable
    """

    design: str
    imposed: str
    number: int
    draw: Callable[[np.random.Generator], Panel]

    @property
    def name(self) -> str:
        """Row of the table."""
        return f"{self.design} {self.imposed}".strip()

    @property
    def is_size(self) -> bool:
        """Whether nothing happens to pilots that does not happen to others."""
        return not self.imposed and not self.design.startswith(DRIFTS)


def cells(database: Path | None) -> Iterator[Cell]:
    """Designs on delivered growth (where there is a database), then the simulated ones, which draw
    the same with and without it.
    """
    drawers: list[tuple[str, Callable, tuple[str, ...]]] = []
    on_delivered = 6 + len(EARLY)
    if database is not None:
        study = read_delivered(database, *STUDY)
        drawers = [
            ("layout 2010-2023", _layout(read_delivered(database, *NEWEST)), ("", *IMPOSED)),
            ("layout 2010-2021", _layout(read_delivered(database, *SECOND)), ("",)),
            ("layout 2010-2019", _layout(study), ("",)),
            ("anywhere 2010-2019", lambda rng: _anywhere(study, rng), ("",)),
        ]
        for window in (STUDY, SECOND):
            deflated = read_delivered(database, *window, "growth_deflated_pct")
            drawers.append((f"layout {window[0]}-{window[1]}, deflated", _layout(deflated), ("",)))
        for first in EARLY:
            early = read_delivered(database, first, first + 9)
            drawers.append((f"by GDP {first}-{first + 9}", _early(early, 2010 - first), ("",)))
    drawers += [(name, partial(draw_selected, name), ("",)) for name in SELECTION]
    for number, (design, draw, kinds) in enumerate(
        drawers, start=0 if database is not None else on_delivered
    ):
        for kind in kinds:
            yield Cell(design, kind, number, draw)


@cache
def cells_of(database: Path | None) -> dict[str, Cell]:
    """Cells by name."""
    return {cell.name: cell for cell in cells(database)}


def _layout(window: Panel) -> Callable[[np.random.Generator], Panel]:
    return lambda rng: replace(window, cohort=deal_like_the_list(window.cohort, window.block, rng))


def deal_like_the_list(
    cohort: np.ndarray, block: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """First treated years (N,), dealt again among the cities of each block (N,), from 0."""
    dealt = cohort.copy()
    for name in range(int(block.max()) + 1):
        members = block == name
        dealt[members] = rng.permutation(dealt[members])
    return dealt


def _anywhere(window: Panel, rng: np.random.Generator) -> Panel:
    n_cities = len(window.growth)
    return replace(window, cohort=admit(choose(np.zeros(n_cities), rng), n_cities, rng))


def _early(window: Panel, back: int) -> Callable[[np.random.Generator], Panel]:
    return lambda rng: replace(
        window, cohort=admit(choose(2 * window.size, rng), len(window.growth), rng, back)
    )


def drawn_panel(cell: Cell, draw: int, seed: int) -> CityPanel:
    """The panel of one draw, without an effect."""
    drawn = cell.draw(np.random.default_rng([seed, cell.number, draw]))
    return build_panel(drawn.growth, drawn.years, drawn.cohort, drawn.block)


def changed_panel(panel: CityPanel, imposed: str) -> CityPanel:
    """The panel with an effect; as it is where none is named."""
    if not imposed:
        return panel
    z, m, _ = panel.measured(panel.growth)
    treated = panel.treated[panel.label]
    return replace(panel, growth=impose(z, m, panel.years, treated, imposed))


def draw_chunk(
    database: Path | None, name: str, names: tuple[str, ...], seed: int, draws: range
) -> list[dict]:
    """One row a draw of a design: p of the test, and of the channels where they are named, by
    ``<series>, <name>``; none where there is no verdict.
    """
    cell, rows = cells_of(database)[name], []
    for draw in draws:
        bare, row = drawn_panel(cell, draw, seed), {"draw": draw}
        if not lacking(bare):
            panel = changed_panel(bare, cell.imposed)
            dealt = deal(panel.block, PERMUTATIONS, [seed, cell.number, draw, 1])
            found = statistics(panel, dealt, names)
            row |= {what: rank_p(drawn) for what, drawn in found.items()}
        rows.append(row)
    return rows


def statistics(
    panel: CityPanel, dealt: np.ndarray, names: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Studentised coefficients of the test, and of the channels where they are named, on both
    series of a panel: arrays (J,), the real admissions first.
    """
    found, contrast = {}, treatment_contrast(panel)
    for series, values in zip(SERIES, panel.series, strict=True):
        z, m, y = panel.measured(values)
        drawn = draw_statistics(y, contrast, panel.label, panel.block, dealt)
        found[f"{series}, {TEST}"] = drawn.statistic()
        if set(names) & set(CHANNELS):
            for name, (draws, _) in channel_draws(panel, z, m, contrast, dealt).items():
                found[f"{series}, {name.replace('_', ' ')}"] = draws.statistic()
    return found
