"""Find by how much a figure must change before a decision on its cell changes: check the cell again
with changed figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import duckdb

from warehouse.replay.cell import FIGURES
from warehouse.replay.replay import replay

#: Changes that are tried first, in each direction: of a level in logs, of a rate in its unit.
LEVEL_STEPS = (0.002, 0.01, 0.03, 0.1, 0.3, 1.0, 2.4, 5.0)
RATE_STEPS = (0.05, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
#: How often the interval between two tried changes is halved.
HALVINGS = 5
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


@dataclass(frozen=True)
class _Turn:
    """A decision that differs between two tried changes, the second farther from the figure."""

    decision: str
    low: float
    high: float


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
    value, is_rate = con.execute(
        "select checked.\"value\", limits.rule_kind = 'rate' "
        "from int_observations_graded as checked "
        "inner join int_indicator_limits as limits on checked.indicator_id = limits.indicator_id "
        "where checked.observation_id = $1",
        [observation_id],
    ).fetchall()[0]
    sizes = RATE_STEPS if is_rate else LEVEL_STEPS
    # the cell was checked as it is
    found = {0.0: _decisions(con, where, observation_id)}
    n_most = 2 * len(sizes)

    def moved(step: float) -> float:
        if is_rate:
            return value + step
        return value * math.exp(step)

    def decisions(step: float) -> dict[str, str]:
        if step not in found:
            replay(con, where, changed=observation_id, to=moved(step))
            con.execute(FIGURES, [where[0], where[1]])
            found[step] = _decisions(con, where, observation_id)
            tried(len(found) - 1, n_most)
        return found[step]

    base = found[0.0]
    turns = []
    for sign in (1, -1):
        before = 0.0
        seen: set[str] = set()
        for size in sizes:
            step = sign * size
            now = decisions(step)
            for name in sorted({*base, *now} - seen):
                if base.get(name) != now.get(name):
                    seen.add(name)
                    turns.append(_Turn(name, before, step))
            before = step
    n_most += HALVINGS * len(turns)
    flips = []
    for turn in turns:
        name, low, high = turn.decision, turn.low, turn.high
        turned = decisions(high).get(name)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            there = decisions(middle).get(name)
            if there == base.get(name):
                low = middle
            else:
                high = middle
                turned = there
        flips.append(Flip(name, base.get(name, NONE), turned or NONE, moved(high)))
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
