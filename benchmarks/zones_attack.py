"""`python -m benchmarks.zones_attack PUBLICATION`: what `cs.data.zones()` gives away of growth.

The attacker knows which province and cohort each stand-in is of, two years of growth of each city,
the mean and variance of standardised growth in each year, how growth of the years goes together,
and on which side of the mean each value is. His guess is the median of draws from what he knows,
each moved to the nearest growth of all cities of a province that gives the file (randomized
maximum likelihood, as warehouse/publication/reconstruction/). Without the file he guesses in the
same way. Of the stand-ins he fits the means by province and cohort; all else in them is drawn. The
same numbers by city, which are not published, are attacked too. The two years are drawn for each
city, or are the same for all: each pair in turn (`--pairs`), or one.

One JSON object a choice of years and kind of attack; `cells_of_one` is over the cities that are
alone in their province and cohort, `passes` is the rule of docs/data-licences.md over all.
"""

from __future__ import annotations

import argparse
import json
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from estimation.primary.city_panel import CityPanel, build_panel
from estimation.study.city_periods import DIGITS, directions, least
from warehouse.publication.foreign import DATABASE, open_foreign
from warehouse.publication.reconstruction.attack import COST_OF_SIGN, KNOWN_YEARS, Attack
from warehouse.publication.reconstruction.routes import NEAR, ROUTE, row_of

STEPS = 40
# Times that the draws' own differences within a province and cohort are taken anew.
ROUNDS = 3
# Deviation with which a draw fits the file, in units of y.
FIT = 0.01
PANEL = """
select f.city_id, f.year, f.growth_official_pct as growth, c.province_id, c.treated_year
from marts.fct_city_year as f inner join marts.dim_city as c on f.city_id = c.city_id
where f.year between $1 and $2 and f.growth_official_pct is not null
order by f.city_id, f.year
"""
NEWEST = """
select first_year, last_year from estimates.primary
where spec_id = 'primary.cm_growth_official.newest'
"""


def city_panel(publication: Path) -> CityPanel:
    """Return the panel of the primary test, from the marts."""
    with open_foreign(publication / DATABASE) as con:
        window = con.execute(NEWEST).fetchone()
        rows = con.execute(PANEL, window).df()
    growth = rows.pivot(index="city_id", columns="year", values="growth").dropna()
    city = rows.drop_duplicates("city_id").set_index("city_id").loc[growth.index]
    cohort = city.treated_year.fillna(0).to_numpy(dtype=int)
    years = growth.columns.to_numpy(dtype=int)
    return build_panel(growth.to_numpy(dtype=float), years, cohort, city.province_id.to_numpy())


class Knowledge:
    """What the attacker knows, and growth that fits it.

    Parameters
    ----------
    panel : CityPanel
    known : (N, T) bool array
        Years that he knows.
    draws : int
    """

    def __init__(self, panel: CityPanel, known: np.ndarray, draws: int) -> None:
        self.panel = panel
        self.known = known
        z, self.m, y = panel.measured(panel.growth)
        self.v = 2 * (1 - y) - np.square(z - self.m)
        self.side = np.sign(z - self.m)
        whole = least(panel, y)
        self.there = (panel.counts > 0).sum(axis=1)[panel.block] > 1
        self.in_block = np.zeros((len(panel.counts), len(panel.block)))
        self.in_block[panel.block, np.arange(len(panel.block))] = 1
        spans = [directions(panel, block) for block in range(len(panel.counts))]
        self.span = np.zeros((len(panel.block), max(map(len, spans)), len(panel.years)))
        for i, block in enumerate(panel.block):
            self.span[i, : len(spans[block])] = spans[block]
        # the file has their means by block and cohort
        told = whole.round(DIGITS)
        self.told = np.einsum("npt,nt->np", self.span, told)
        self.common = Attack(panel.growth)
        self.root = np.linalg.inv(np.linalg.cholesky(self.common.covariance))
        self.anchor = self.common.drawn(known, draws)
        self.alone = self.fitted(None)

    @property
    def cells(self) -> list[np.ndarray]:
        """Cities of each block and cohort."""
        cells = pd.DataFrame({"block": self.panel.block, "label": self.panel.label})
        groups = cells[self.there].groupby(["block", "label"]).groups
        return [np.asarray(places) for places in groups.values()]

    def by_block(self, values: np.ndarray) -> np.ndarray:
        """Return sums (B, ...) of values (N, ...) over the cities of each block."""
        sums = self.in_block @ values.reshape(len(values), -1)
        return sums.reshape(len(sums), *values.shape[1:])

    def targets(self, growth: np.ndarray) -> np.ndarray:
        """Return for each draw the nearest numbers of the cities that have the file's means by
        block and cohort (N, draws, K): with the draw's own differences within.
        """
        own = self.used(growth)[0]
        aim = np.repeat(self.told[:, None], own.shape[1], axis=1)
        for members in self.cells:
            away = own[members] - own[members].mean(axis=0)
            aim[members] = self.told[members].mean(axis=0) + away
        return aim

    def used(self, growth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return of draws the part of y that the file is about (N, draws, K), the distance of z
        from m, and the slopes of z (N, draws, T, T).
        """
        t = growth.shape[-1]
        centred = growth - growth.mean(axis=-1, keepdims=True)
        deviation = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + 1e-12)
        z = centred / deviation
        distance = z - self.m[:, None]
        y = 1 - (np.square(distance) + self.v[:, None]) / 2
        turn = np.eye(t) - 1 / t - z[..., :, None] * z[..., None, :] / t
        return y @ np.swapaxes(self.span, 1, 2), distance, turn / deviation[..., None]

    def fitted(self, aim: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Return the draws moved to where they fit what is known, Levenberg and Marquardt's steps,
        and how badly each still fits.

        The mean over a block of the numbers that the file is about is not in it, and is found with
        the growth of all cities of the block.
        """
        path = self.anchor.copy()
        free = ~self.known[:, None]
        block = self.panel.block
        size = self.in_block.sum(axis=1)[:, None, None]
        k = self.span.shape[1]
        has_file = aim is not None
        target = np.zeros((*path.shape[:2], k)) if aim is None else aim
        in_file = (np.abs(self.span).sum(axis=2) > 0)[:, None] * float(has_file)
        mean = self.by_block(self.used(path)[0] - target) / size
        damping = np.full((len(size), path.shape[1]), 1e-2)

        def gaps(growth: np.ndarray, shift: np.ndarray, width: float) -> tuple[np.ndarray, ...]:
            numbers, distance, turn = self.used(growth)
            wrong = self.side[:, None] * distance < 0
            gap = (numbers - target - shift[block]) / width * in_file
            return gap, COST_OF_SIGN * np.where(wrong, distance, 0.0), distance, wrong, turn

        def cost(growth: np.ndarray, gap: np.ndarray, side: np.ndarray) -> np.ndarray:
            away = (growth - self.anchor) @ self.root.T
            parts = [np.square(part).sum(axis=-1) for part in (gap, side, away)]
            return self.in_block @ sum(parts)

        for step in range(STEPS):
            width = FIT * max(1.0, 30.0 ** (1 - step / (0.7 * STEPS)))
            gap, side, distance, wrong, turn = gaps(path, mean, width)
            slope = -(self.span[:, None] * distance[:, :, None]) @ turn / width
            slope = slope * in_file[..., None] * free[:, :, None]
            of_side = COST_OF_SIGN * wrong[..., None] * turn * free[:, :, None]
            away = (path - self.anchor) @ self.root.T
            hessian = (self.root.T @ self.root) * (free[..., :, None] & free[..., None, :])
            hessian = hessian + np.swapaxes(slope, 2, 3) @ slope
            hessian = hessian + np.swapaxes(of_side, 2, 3) @ of_side
            pull = (away @ self.root) * free
            pull += (np.swapaxes(slope, 2, 3) @ gap[..., None])[..., 0]
            pull += (np.swapaxes(of_side, 2, 3) @ side[..., None])[..., 0]
            ridge = damping[block][..., None] * np.einsum("nkss->nks", hessian) + ~free
            hessian = hessian + ridge[..., None] * np.eye(path.shape[2])
            right = np.concatenate([np.swapaxes(slope, 2, 3), pull[..., None]], axis=3)
            solved = np.linalg.solve(hessian, right)
            # the block's mean, with growth eliminated
            schur = (np.eye(k) - slope @ solved[..., :k]) / width**2
            schur = self.by_block(schur * in_file[..., None])
            lean = (-gap + (slope @ solved[..., k:])[..., 0]) / width
            lean = self.by_block(lean * in_file)
            load = damping[..., None] * np.einsum("bkpp->bkp", schur) + 1e-9
            schur = schur + load[..., None] * np.eye(k)
            move = -np.linalg.solve(schur, lean[..., None])[..., 0]
            carried = (solved[..., :k] @ (move[block] / width)[..., None])[..., 0]
            proposed = path - solved[..., k] + carried
            shifted = mean + move
            new_gap, new_side, *_ = gaps(proposed, shifted, width)
            better = cost(proposed, new_gap, new_side) < cost(path, gap, side)
            path = np.where(better[block][..., None], proposed, path)
            mean = np.where(better[..., None], shifted, mean)
            damping = np.clip(np.where(better, damping / 3, damping * 4), 1e-9, 1e6)
        gap, side, *_ = gaps(path, mean, FIT)
        return path, np.square(gap).sum(axis=-1) + np.square(side).sum(axis=-1)

    def miss(self, draws: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """Return the error of the median of draws (N, T), nan where the value is known."""
        return self.common.miss_of(*draws, self.known)


def compared(kind: str, miss: np.ndarray, without: np.ndarray) -> dict[str, float]:
    """Return medians of errors and shares of near guesses, with and without the file."""
    row = row_of(kind, (), miss, without)
    return {name: round(row[name], 3) for name in ROUTE[3:]}


def attacked(
    panel: CityPanel, known: np.ndarray, *, draws: int, years: str
) -> list[dict[str, Any]]:
    """Return one row a kind of attack: which years are known, and what is guessed how well."""
    knowledge = Knowledge(panel, known, draws)
    without = knowledge.miss(knowledge.alone)
    ones = np.concatenate([members for members in knowledge.cells if len(members) == 1])
    of_stand_ins = knowledge.alone
    for _ in range(ROUNDS):
        of_stand_ins = knowledge.fitted(knowledge.targets(of_stand_ins[0]))
    by_city = knowledge.fitted(np.repeat(knowledge.told[:, None], draws, axis=1))
    rows = []
    for kind, found in (("stand-ins", of_stand_ins), ("by city, not published", by_city)):
        miss = knowledge.miss(found)
        row = compared(kind, miss[knowledge.there], without[knowledge.there])
        far = row["median_miss"] >= max(NEAR, 0.9 * row["median_miss_without"])
        rare = row["share_near"] <= 1.25 * row["share_near_without"]
        of_one = compared(kind, miss[ones], without[ones])
        rows.append(
            {"known": years, "attack": kind, **row, "cells_of_one": of_one, "passes": far and rare}
        )
    return rows


def main() -> None:
    """Print what the data set gives away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("publication", type=Path)
    parser.add_argument("--pairs", action="store_true", help="each pair of years, for all cities")
    parser.add_argument("--years", type=int, nargs=2, help="the same two years of all cities")
    parser.add_argument("--draws", type=int, default=32)
    asked = parser.parse_args()
    panel = city_panel(asked.publication)
    choices = {"drawn": Attack(panel.growth).known}
    if asked.years or asked.pairs:
        pairs = [asked.years] if asked.years else combinations(panel.years.tolist(), KNOWN_YEARS)
        choices = {}
        for pair in pairs:
            of_city = np.isin(panel.years, pair)
            choices[str(list(pair))] = np.tile(of_city, (len(panel.growth), 1))
    for years, known in choices.items():
        for row in attacked(panel, known, draws=asked.draws, years=years):
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
