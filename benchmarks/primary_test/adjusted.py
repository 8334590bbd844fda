"""The race of the adjusted statistic (docs/methods, 18.12): candidates on pseudo-admissions.

Draws of a cell are appended to a file of its own as they are made, so that a race that is stopped
goes on where it was. `--summary` prints the table of what there is.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from benchmarks.page import markdown, write_between
from estimation.defaults import LEVEL
from estimation.primary.adjusted import Tables, net_of, within_block_basis
from estimation.primary.city_panel import CityPanel, build_panel, lacking
from estimation.primary.detectable import IMPOSED, impose
from estimation.primary.fitted_order import deal_in_order, fit_order
from estimation.primary.measure import own_shock, standardise

from .adjusted_loops import decide
from .designs import LONG_SELECTION, SELECTION, Panel, draw_selected
from .layout import order_score, read_before, read_delivered, read_export_share
from .race import DRIFTS, NEWEST, PERMUTATIONS, SERIES, designs

SEED, CHUNK = 20261130, 50
# Rounds: every cell gets so many draws before any gets more.
ROUNDS = (200, 500, 1000, 2000, 4000)
POWER_DRAWS, DRIFT_DRAWS = 2000, 1000
# Log-weight of admission within provinces per standard deviation of what selects.
PULL = 2.0
LARGEST_BLOCKS = 8
# Correlation of the covariates that are seen with those that select, where they are noisy.
SEEN = 0.7
NOISY = "X seen at 0.7"
HALF, FADING = "S-60 of half the zones", "own variance 12 % less a year"
# Designs whose admissions depend on size or coast.
SELECTED = (
    *("by GDP", "layout 2010-2023, by", "layout 2010-2023, in the fitted order", "coast"),
    *LONG_SELECTION,
    *(name for name, (_, pull) in SELECTION.items() if pull > 0),
)
MEASURES, TAKEN, DEALINGS = ("plain", "larger"), ("no X", "X"), ("uniform", "fitted")
CANDIDATES = tuple(
    (measure, taken, dealing) for taken in TAKEN for dealing in DEALINGS for measure in MEASURES
)
COMMITTED = ("plain", "no X", "uniform")
# What decides between candidates that qualify (18.8), under admissions in the fitted order.
DECIDES = (
    *((f"fitted order {kind}", "growth") for kind in ("S-30", "S+60", "L+50", "L-50")),
    *((f"fitted order {kind}", "cycle") for kind in ("S-30", "S+60", "L-50")),
)


@dataclass(frozen=True)
class Cell:
    """One design, with or without an imposed effect.

    Attributes
    ----------
    name, imposed : str
    number : int
        Seeds its draws.
    draw : callable
    kind : str
        ``null``, ``drift`` or ``power``.
    is_selected : bool
        Whether it is run with noisy covariates, too.
    """

    name: str
    imposed: str
    number: int
    draw: Callable[[np.random.Generator], Panel]
    kind: str
    is_selected: bool = False

    @property
    def n_draws(self) -> int:
        """Draws of a whole race."""
        return {"null": ROUNDS[-1], "drift": DRIFT_DRAWS, "power": POWER_DRAWS}[self.kind]


def race_cells(database: Path) -> Iterator[Cell]:
    """All designs of the race of 18.8 without an effect, those of section 18.12, and power."""
    number = 0
    for name, draw in designs(database):
        kind = "drift" if name.startswith(DRIFTS) else "null"
        is_selected = kind == "null" and _is_selected(name)
        yield Cell(name, "", number, draw, kind, is_selected)
        number += 1
    window = read_delivered(database, *NEWEST)
    score = {
        "by size": PULL * window.size,
        "by growth before": PULL * read_before(database, *NEWEST),
        "by export share": PULL * read_export_share(database, *NEWEST),
        "in the fitted order": order_score(database, *NEWEST),
    }
    draws: dict[str, Callable[[np.random.Generator], Panel]] = {
        f"layout 2010-2023, {name}": _in_order(window, value) for name, value in score.items()
    }
    largest = _of_largest_blocks(window)
    draws["layout 2010-2023, few blocks"] = _in_order(largest, np.zeros(len(largest.growth)))
    for name in LONG_SELECTION:
        draws[name] = _selected(name)
    for name, draw in draws.items():
        yield Cell(name, "", number, draw, "null", _is_selected(name))
        number += 1
    fitted = _in_order(window, score["in the fitted order"])
    for imposed in (*IMPOSED, HALF, FADING):
        yield Cell(f"fitted order {imposed}", imposed, number, fitted, "power")
    by_size = _in_order(window, score["by size"])
    yield Cell("by size S-30", "S-30", number + 1, by_size, "power")
    uniform = _in_order(window, np.zeros(len(window.growth)))
    yield Cell("as laid out S-30", "S-30", number + 2, uniform, "power")


def _is_selected(name: str) -> bool:
    return name.startswith(SELECTED)


def _selected(name: str) -> Callable[[np.random.Generator], Panel]:
    return lambda rng: draw_selected(name, rng)


def _in_order(window: Panel, score: np.ndarray) -> Callable[[np.random.Generator], Panel]:
    """Admissions of a window dealt again inside provinces, in an order that `score` pulls."""
    panel = build_panel(window.growth, window.years, window.cohort, window.block)

    def draw(rng: np.random.Generator) -> Panel:
        dealt = deal_in_order(panel, score, 1, int(rng.integers(2**62)))[1]
        return replace(window, cohort=window.cohort[dealt])

    return draw


def _of_largest_blocks(window: Panel) -> Panel:
    sizes = np.bincount(window.block)
    kept = np.isin(window.block, np.argsort(-sizes, kind="stable")[:LARGEST_BLOCKS])
    return Panel(
        window.growth[kept],
        window.years,
        window.cohort[kept],
        np.unique(window.block[kept], return_inverse=True)[1],
        window.size[kept],
        window.coastal[kept],
    )


def covariates_of(size: np.ndarray, coastal: np.ndarray) -> np.ndarray:
    """X = (s, s^2, coast), (N, 3)."""
    return np.column_stack([size, size**2, coastal])


def noisy(drawn: Panel, rng: np.random.Generator) -> np.ndarray:
    """X as somebody sees it whose size and coast correlate with the true ones at `SEEN`."""
    size = SEEN * drawn.size + np.sqrt(1 - SEEN**2) * rng.normal(size=len(drawn.size))
    of_other = rng.permutation(drawn.coastal)
    coastal = np.where(rng.uniform(size=len(size)) < SEEN, drawn.coastal, of_other)
    return covariates_of(size, coastal)


def impose_on(panel: CityPanel, imposed: str, rng: np.random.Generator) -> CityPanel:
    """The panel with an effect on its treated cells; kinds as of `detectable.impose`, and two
    more: on a random half of the treated cities, and one that grows by the year.
    """
    if not imposed:
        return panel
    z, m, _ = panel.measured(panel.growth)
    treated = panel.treated[panel.label]
    if imposed == FADING:
        shock = own_shock(z, m, 1 - treated)
        share = 0.88 ** (np.cumsum(treated, axis=1) / 2)
        growth = standardise(z + (share - 1) * shock * treated)
    elif imposed == HALF:
        half = rng.uniform(size=len(z)) < 0.5
        growth = impose(z, m, panel.years, treated * half[:, None], "S-60")
    else:
        growth = impose(z, m, panel.years, treated, imposed)
    return replace(panel, growth=growth)


def draw_row(cell: Cell, draw: int) -> dict[str, int]:
    """1 where a candidate rejects a series in a draw, else 0; empty where there is no verdict."""
    seed = [SEED, cell.number, draw]
    drawn = cell.draw(np.random.default_rng(seed))
    others = np.random.default_rng([*seed, 1])
    covariates = covariates_of(drawn.size, drawn.coastal)
    seen = noisy(drawn, others)
    complete = np.isfinite(drawn.growth).all(axis=1)
    bare = build_panel(
        drawn.growth[complete], drawn.years, drawn.cohort[complete], drawn.block[complete]
    )
    if lacking(bare):
        return {}
    panel = impose_on(bare, cell.imposed, others)
    measures = []
    for series in panel.series:
        for is_capped in (False, True):
            measures.append(panel.measured(series, capped=is_capped)[2])
    given = {"": covariates[complete], NOISY: seen[complete]}
    noises = {noise for noise, *_ in _ways(cell)}
    ordered = {noise: fit_order(panel, given[noise]) for noise in noises}
    row = {}
    for noise, taken, dealing in _ways(cell):
        x = given[noise]
        basis, score = np.zeros((len(x), 0)), np.zeros(len(x))
        if taken == "X":
            basis = within_block_basis(x, panel.block)
        if dealing == "fitted":
            score = ordered[noise]
        rejects = decided(panel, measures, basis, score, int(others.integers(2**31)))
        columns = _columns(noise, taken, dealing)
        row |= dict(zip(columns, rejects.astype(int).tolist(), strict=True))
    return row


def columns_of(cell: Cell) -> list[str]:
    """Columns of the rows of a cell, but `draw`."""
    return [name for way in _ways(cell) for name in _columns(*way)]


def _ways(cell: Cell) -> list[tuple[str, str, str]]:
    """Noise, whether covariates are taken out, and dealing; without both nothing is noisy."""
    ways = [("", taken, dealing) for taken in TAKEN for dealing in DEALINGS]
    if cell.is_selected:
        ways += [(NOISY, *way[1:]) for way in ways[1:]]
    return ways


def _columns(noise: str, taken: str, dealing: str) -> list[str]:
    """Names of what `decide` returns."""
    return [
        "|".join([measure, taken, dealing, noise, series])
        for series in SERIES
        for measure in MEASURES
    ]


def decided(
    panel: CityPanel, measures: list[np.ndarray], basis: np.ndarray, score: np.ndarray, seed: int
) -> np.ndarray:
    """Whether the plain and the larger statistic reject, for each pair of measures, (M,) bools."""
    order = np.argsort(panel.block, kind="stable")
    block, label = panel.block[order], panel.label[order]
    starts = np.concatenate([np.flatnonzero(np.diff(block, prepend=-1)), [len(block)]])
    paths = panel.treated - panel.treated.mean(axis=1, keepdims=True)
    net = np.stack([net_of(one[order], block, basis[order]) for one in measures])
    tables = Tables(panel, block, basis[order], paths, net)
    shape = (len(net), len(block), len(paths))
    never_last = np.where(label == 0, len(panel.cohorts) + 1, label)
    slots = label[np.lexsort((never_last, block))]
    return decide(
        label,
        starts,
        np.ascontiguousarray(basis[order]),
        np.ascontiguousarray(tables.with_path.reshape(shape).transpose(1, 2, 0)),
        np.ascontiguousarray(tables.net_path.reshape(shape).transpose(1, 2, 0)),
        tables.squares.reshape(shape[1:]),
        np.ascontiguousarray(tables.with_mean),
        tables.gram,
        score[order],
        slots,
        PERMUTATIONS,
        round(LEVEL * (1 + PERMUTATIONS)),
        seed,
    )


def run(database: Path, folder: Path) -> None:
    """Draw in rounds, every cell as many as the round says, and append to its file."""
    folder.mkdir(parents=True, exist_ok=True)
    all_cells = list(race_cells(database))
    for target in ROUNDS:
        for cell in all_cells:
            path = folder / f"{cell.name}.csv"
            done = len(pd.read_csv(path)) if path.exists() else 0
            for start in range(done, min(target, cell.n_draws), CHUNK):
                stop = min(start + CHUNK, target, cell.n_draws)
                rows = [{"draw": k, **draw_row(cell, k)} for k in range(start, stop)]
                frame = pd.DataFrame(rows, columns=["draw", *columns_of(cell)])
                frame.to_csv(path, mode="a", header=not path.exists(), index=False)
        print(f"{target} draws of every cell", flush=True)


def shares(database: Path, folder: Path) -> pd.DataFrame:
    """One row for each cell, noise, candidate and series: per cent rejected and its draws."""
    rows = []
    for cell in race_cells(database):
        path = folder / f"{cell.name}.csv"
        if not path.exists():
            continue
        drawn = pd.read_csv(path).drop(columns="draw")
        for column in drawn:
            measure, taken, dealing, noise, series = column.split("|")
            count, n = int(drawn[column].sum()), int(drawn[column].count())
            named = {"cell": cell.name, "kind": cell.kind, "noise": noise, "series": series}
            candidate = (measure, taken, dealing)
            rows.append({**named, "candidate": candidate, "count": count, "n": n})
    found = pd.DataFrame(rows)
    found["share"] = 100 * found["count"] / found["n"]
    return found


def sizes_rejected(of_candidate: pd.DataFrame) -> set[tuple[str, str, str]]:
    """Cell, noise and series of each null cell of a candidate that is rejected as 5 % by exact
    binomial tests, Holm over cells and series.
    """
    tested = of_candidate[of_candidate["kind"] == "null"].copy()
    tested["p"] = [
        binomtest(int(count), int(n), LEVEL).pvalue
        for count, n in zip(tested["count"], tested["n"], strict=True)
    ]
    tested = tested.sort_values("p", ignore_index=True)
    left = len(tested) - np.arange(len(tested))
    holm = np.maximum.accumulate(np.minimum(1.0, tested["p"] * left))
    rejected = tested[holm < LEVEL]
    return set(zip(rejected["cell"], rejected["noise"], rejected["series"], strict=True))


def summary(found: pd.DataFrame) -> str:
    """Return the tables of the page and the candidate that the rule of choice takes.

    Of designs without an effect only those are shown in which the taken candidate is rejected as
    5 %; `write_all` writes the others.
    """
    rejected = {one: sizes_rejected(found[found["candidate"] == one]) for one in CANDIDATES}
    largest, means = {}, {}
    designs_rejected = "designs rejected (with X as it is)"
    judged = [["candidate", "sizes rejected", designs_rejected, "largest size", "mean found"]]
    for candidate in CANDIDATES:
        own = found[found["candidate"] == candidate]
        null = own[own["kind"] == "null"]
        largest[candidate] = null["share"].max()
        power = own.set_index(["cell", "series"])["share"]
        means[candidate] = float(np.mean([power.get(key, np.nan) for key in DECIDES]))
        designs = {(cell, noise) for cell, noise, _ in rejected[candidate]}
        exact = sum(noise == "" for _, noise in designs)
        judged.append(
            [
                _named(candidate),
                f"{len(rejected[candidate])} of {len(null)}",
                f"{len(designs)} ({exact})",
                f"{largest[candidate]:.2f}",
                f"{means[candidate]:.2f}",
            ]
        )
    qualify = [one for one in CANDIDATES if not rejected[one]]
    if qualify:
        taken = max(qualify, key=lambda one: means[one])
        reason = f"{len(qualify)} of {len(CANDIDATES)} qualify, and it finds most of these"
    else:
        taken = min(CANDIDATES, key=lambda one: largest[one])
        reason = "none qualifies, and its largest size is the smallest"
    designs_shown = _designs_of_two(found, rejected, taken)
    return f"{markdown(judged)}\n\nThe rule takes '{_named(taken)}': {reason}.\n\n{designs_shown}"


def _designs_of_two(
    found: pd.DataFrame,
    rejected: dict[tuple[str, str, str], set[tuple[str, str, str]]],
    taken: tuple[str, str, str],
) -> str:
    """Designs of the committed and the taken candidate; of those without an effect in which the
    taken one is not rejected the range of what it rejects.
    """
    rows, others = [["design", _named(COMMITTED), _named(taken)]], []
    of_both = found[found["candidate"].isin((COMMITTED, taken))]
    for (cell, noise), of_cell in of_both.groupby(["cell", "noise"], sort=False):
        row = [cell]
        if noise:
            row = [f"{cell}, {noise}"]
        for candidate in (COMMITTED, taken):
            own = of_cell[of_cell["candidate"] == candidate].set_index("series")["share"]
            shown = []
            for series, share in own.items():
                text = f"{share:.1f}"
                if (cell, noise, series) in rejected[candidate]:
                    text = f"**{text}**"
                shown.append(text)
            row.append("/".join(shown))
        if of_cell["kind"].iloc[0] == "null" and "**" not in row[-1]:
            others.append(own)
        else:
            rows.append(row)
    rest = pd.concat(others)
    return (
        f"{markdown(rows)}\n\nIn the other {len(others)} designs without an effect "
        f"'{_named(taken)}' rejects in {rest.min():.1f} to {rest.max():.1f} %."
    )


def write_all(found: pd.DataFrame, path: Path) -> None:
    """Write every design, candidate and series to a CSV file, per cent rejected."""
    rejected = {one: sizes_rejected(found[found["candidate"] == one]) for one in CANDIDATES}
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(
            ["design", "covariates_seen_at", "candidate", "series", "draws", "percent", "is_bold"]
        )
        for row in found.itertuples():
            seen = SEEN if row.noise else 1
            is_bold = (row.cell, row.noise, row.series) in rejected[row.candidate]
            name = _named(row.candidate)
            share = f"{row.share:.1f}"
            rows.writerow([row.cell, seen, name, row.series, row.n, share, is_bold])


def _named(candidate: tuple[str, str, str]) -> str:
    """A candidate as the page names it: X where covariates are taken out."""
    measure, taken, dealing = candidate
    parts = [measure, dealing]
    if taken == "X":
        parts.insert(0, taken)
    return ", ".join(parts)


def main() -> None:
    """Run the race on a publication, or print the table of its draws."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "--panel", type=Path, required=True, help="citysync.duckdb of a publication"
    )
    parser.add_argument("--output", type=Path, required=True, help="folder of the draws")
    parser.add_argument("--summary", action="store_true", help="print the table of what there is")
    parser.add_argument(
        "--docs", type=Path, help="page whose tables are written instead, with a CSV file beside it"
    )
    chosen = parser.parse_args()
    if chosen.docs is not None:
        found = shares(chosen.panel, chosen.output)
        write_between(chosen.docs, "race", summary(found))
        write_all(found, chosen.docs.with_name("adjusted-race.csv"))
    elif chosen.summary:
        print(summary(shares(chosen.panel, chosen.output)))
    else:
        run(chosen.panel, chosen.output)


if __name__ == "__main__":
    main()
