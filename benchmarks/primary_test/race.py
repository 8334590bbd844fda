"""Run the designs: shares of draws in which each candidate rejects at 5 %."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .candidates import p_values
from .designs import SELECTION, Panel, admit, admit_layout, choose, draw_selected, impose
from .layout import Delivered, read_delivered, read_layout, simulated_cities

LEVEL = 0.05
IMPOSED = ("", "S-60", "W-60", "S-30", "W-30", "L-50")
EARLY = (2003, 2004, 2005)


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
        """Column of the table."""
        return f"{self.design} {self.imposed}".strip()


def cells(database: Path | None) -> Iterator[Cell]:
    """Designs on delivered growth (where there is a database), then the simulated ones, which draw
    the same with and without it.
    """
    drawers: list[tuple[str, Callable, tuple[str, ...]]] = []
    on_delivered = 2 + len(EARLY)
    if database is not None:
        window, counts = read_delivered(database, 2010, 2019), read_layout()
        drawers.append(("layout", _layout(window, counts), IMPOSED))
        drawers.append(("anywhere", lambda rng: _anywhere(window, rng), IMPOSED))
        drawers += [
            (
                f"by GDP {first}-{first + 9}",
                _early(read_delivered(database, first, first + 9), 2010 - first),
                ("",),
            )
            for first in EARLY
        ]
    cities = simulated_cities()
    drawers += [
        (name, lambda rng, name=name: draw_selected(name, cities, rng), ("",)) for name in SELECTION
    ]
    if database is not None:
        longer, deflated = (
            read_delivered(database, 2010, 2021),
            read_delivered(database, 2010, 2019, "growth_deflated_pct"),
        )
        for name, other in (("layout 2010-2021", longer), ("layout, deflated growth", deflated)):
            drawers.append((name, _layout(other, counts), ("", "S-60", "S-30", "L-50")))
    for number, (design, draw, kinds) in enumerate(
        drawers, start=0 if database is not None else on_delivered
    ):
        for kind in kinds:
            yield Cell(design, kind, number, draw)


def _delivered(window: Delivered, cohort: np.ndarray) -> Panel:
    return Panel(window.growth, window.years, cohort, window.province_id, window.size)


def _layout(
    window: Delivered, counts: dict[tuple[int, int], int]
) -> Callable[[np.random.Generator], Panel]:
    last = int(window.years[-1])
    return lambda rng: _delivered(window, admit_layout(window.province_id, counts, last, rng))


def _anywhere(window: Delivered, rng: np.random.Generator) -> Panel:
    n_cities = len(window.growth)
    return _delivered(window, admit(choose(np.zeros(n_cities), rng), n_cities, rng))


def _early(window: Delivered, back: int) -> Callable[[np.random.Generator], Panel]:
    return lambda rng: _delivered(
        window, admit(choose(2 * window.size, rng), len(window.growth), rng, back)
    )


def rejections(
    cell: Cell,
    draws: int,
    permutations: int,
    seed: int,
    *,
    every: bool = True,
    levels: dict[str, float] | None = None,
) -> dict[str, float]:
    """Share of draws in which each candidate rejects at 5 %, or at its own level; a draw without
    verdict is no rejection.
    """
    counts: dict[str, int] = {}
    for draw in range(draws):
        rng = np.random.default_rng([seed, cell.number, draw])
        panel = cell.draw(rng)
        panel = impose(panel, cell.imposed) if cell.imposed else panel
        for name, p in p_values(panel, permutations, rng, every).items():
            counts[name] = counts.get(name, 0) + (
                p <= (levels or {}).get(name.split(",")[0], LEVEL)
            )
    return {name: count / draws for name, count in counts.items()}
