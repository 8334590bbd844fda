"""Find by how much a figure must change before a decision on its cell changes: check the cell again
with changed figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue

import duckdb

from warehouse.replay.cell import FIGURES
from warehouse.replay.replay import replay

#: Changes that are tried first, in each direction: of a level in logs, of a rate in its unit.
LEVEL_STEPS = (0.002, 0.01, 0.03, 0.1, 0.3, 1.0, 2.4, 5.0)
RATE_STEPS = (0.05, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
#: How often the interval between two tried changes is halved.
HALVINGS = 5
#: How many figures are tried at a time: one took 2.6 s of one processor, whatever the other did.
CONNECTIONS = 2
#: A decision that is none: no rule flags the figure, or no figure is current.
NONE = "none"
_DECISIONS = """
select rule, grade from int_observations_flagged where observation_id = $1
union
select rule, grade from int_observations_stitched where observation_id = $1
"""
_CURRENT = """
select source_id, observation_id from int_observations_graded
where observation_id in (select figure.observation_id from figure)
    and indicator_id = $1 and choice_rank = 1 and is_usable
"""


@dataclass(frozen=True)
class Flip:
    """A decision that turns: what it is now and then, and the figure from which on it has turned
    (within the precision of the search).
    """

    decision: str
    now: str
    then: str
    figure: float


@dataclass
class _Turn:
    """A decision that differs between two tried changes, the second farther from the figure."""

    decision: str
    low: float
    high: float

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2


def find_flips(
    con: duckdb.DuckDBPyConnection,
    where: tuple[int, int, str],
    *,
    observation_id: int,
    tried: Callable[[int, int], None],
) -> list[Flip]:
    """Return the nearest change of a figure, up and down, that turns each decision on its cell.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        After `explain` of the same cell.
    where : tuple
        City, year and indicator.
    observation_id : int
        Of the figure that is changed.
    tried : callable
        Receives how many figures were tried, and how many are at most to be tried.
    """
    value, is_rate, catalog = con.execute(
        "select checked.\"value\", limits.rule_kind = 'rate', current_database() "
        "from int_observations_graded as checked "
        "inner join int_indicator_limits as limits on checked.indicator_id = limits.indicator_id "
        "where checked.observation_id = $1",
        [observation_id],
    ).fetchall()[0]
    sizes = RATE_STEPS if is_rate else LEVEL_STEPS
    # the cell was checked as it is
    base = _decisions(con, where, observation_id)
    found = {0.0: base}
    n_most = 2 * len(sizes)
    idle: SimpleQueue[duckdb.DuckDBPyConnection] = SimpleQueue()
    for _ in range(CONNECTIONS):
        cursor = con.cursor()
        cursor.execute(f"use {catalog}")
        idle.put(cursor)

    def moved(step: float) -> float:
        if is_rate:
            return value + step
        return value * math.exp(step)

    def decisions(step: float) -> dict[str, str]:
        cursor = idle.get()
        replay(cursor, where, changed=observation_id, to=moved(step))
        cursor.execute(FIGURES, [where[0], where[1]])
        there = _decisions(cursor, where, observation_id)
        idle.put(cursor)
        return there

    def try_steps(steps: list[float]) -> None:
        new = [step for step in dict.fromkeys(steps) if step not in found]
        for step, there in zip(new, pool.map(decisions, new), strict=True):
            found[step] = there
            tried(len(found) - 1, n_most)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        try_steps([sign * size for sign in (1, -1) for size in sizes])
        turns = []
        for sign in (1, -1):
            before = 0.0
            seen: set[str] = set()
            for size in sizes:
                now = found[sign * size]
                for name in sorted({*base, *now} - seen):
                    if base.get(name) != now.get(name):
                        seen.add(name)
                        turns.append(_Turn(name, before, sign * size))
                before = sign * size
        n_most += HALVINGS * len(turns)
        for _ in range(HALVINGS):
            try_steps([turn.middle for turn in turns])
            for turn in turns:
                if found[turn.middle].get(turn.decision) == base.get(turn.decision):
                    turn.low = turn.middle
                else:
                    turn.high = turn.middle
    flips = []
    for turn in turns:
        name, there = turn.decision, found[turn.high]
        flips.append(Flip(name, base.get(name, NONE), there.get(name, NONE), moved(turn.high)))
    return flips


def _decisions(
    con: duckdb.DuckDBPyConnection, where: tuple[int, int, str], observation_id: int
) -> dict[str, str]:
    """Return the grade of each rule that flags the figure, and the source whose figure is
    current.
    """
    found = dict(con.execute(_DECISIONS, [observation_id]).fetchall())
    for source_id, current in con.execute(_CURRENT, [where[2]]).fetchall():
        found["current"] = source_id
        if current == observation_id:
            found["current"] += " (this figure)"
    return found
