"""What all permutations share: their draws, the p value and critical value that draws give, and
running draws in threads.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...defaults import LEVEL
from ...engines.compile_cache import is_compiled, use_compile_cache

try:
    from tqdm import tqdm
except ImportError:  # the library runs without it, and shows no bar then
    tqdm = None

# draws that a thread runs in one go; results do not depend on it
CHUNK = 250
# whether draws show a bar; None: where someone watches
SHOWN: ContextVar[bool | None] = ContextVar("SHOWN", default=None)
# statistics closer than this count as equal, so that rounding does not decide whether the real
# assignment equals itself
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Draws:
    """Estimates under reassigned admissions, for one design and outcome.

    Attributes
    ----------
    coefficient, statistic : (B, L) float arrays
        Estimate and abs(estimate) over the square root of the summed squared city scores; NaN where
        a draw does not identify it.
    tests : dict of str to (B,) float arrays
        F of each joint test with the jackknife covariance of the draw; NaN where there is none.
    is_enumeration : bool
        Every relabelling once, the real one among them, instead of random draws.
    made : (L,) int array
        Draws of each term; what stands behind them does not count.
    """

    coefficient: np.ndarray
    statistic: np.ndarray
    tests: dict[str, np.ndarray]
    is_enumeration: bool
    made: np.ndarray

    @classmethod
    def empty(cls, n_draws: int, n_terms: int, tests: Iterable[str], is_enumeration: bool) -> Draws:
        """Room for draws."""
        return cls(
            np.full((n_draws, n_terms), np.nan),
            np.full((n_draws, n_terms), np.nan),
            {name: np.full(n_draws, np.nan) for name in tests},
            is_enumeration,
            np.zeros(n_terms, dtype=np.int64),
        )

    def of(self, term: int) -> tuple[np.ndarray, np.ndarray]:
        """Return coefficients and statistics of the draws of a term."""
        made = int(self.made[term])
        return self.coefficient[:made, term], self.statistic[:made, term]


def is_extreme(drawn: np.ndarray, observed: float) -> np.ndarray:
    """Return whether statistics are at least as extreme as the observed one; undefined ones are."""
    return ~(drawn < observed - TOLERANCE)


def enough_after(observed: float, drawn: np.ndarray, enough: int | None) -> float:
    """Return how many draws end with the one that is the so many-th at least as extreme as the
    observed statistic: exactly where it is among these (B,), else by their share; infinite for
    None.
    """
    if enough is None:
        return math.inf
    extreme = np.flatnonzero(is_extreme(drawn, observed))
    if len(extreme) >= enough:
        return int(extreme[enough - 1]) + 1 if enough else len(drawn)
    return len(drawn) * enough / len(extreme) if len(extreme) else math.inf


def permutation_p_value(observed: float, drawn: np.ndarray, is_enumeration: bool) -> float:
    """Return the share of assignments at least as extreme as the real one; undefined draws count as
    more extreme.

    Parameters
    ----------
    observed : float
    drawn : (B,) float array
    is_enumeration : bool
        p = #/total instead of (1 + #)/(1 + B).
    """
    extreme = int(is_extreme(drawn, observed).sum())
    return extreme / len(drawn) if is_enumeration else (1 + extreme) / (1 + len(drawn))


def critical_value(drawn: np.ndarray, is_enumeration: bool) -> float:
    """Return the ceil(0.95 (B + 1))-th smallest statistic (of the enumeration: ceil(0.95
    total)-th); infinite with fewer than 19 draws, or an enumeration of fewer than 20: no p is as
    low as 5 %.

    Parameters
    ----------
    drawn : (B,) float array
        Undefined draws count as infinite.
    is_enumeration : bool
    """
    count = len(drawn) if is_enumeration else len(drawn) + 1
    if LEVEL * count < 1 - TOLERANCE:
        return math.inf
    position = math.ceil((1 - LEVEL) * count - TOLERANCE)
    ordered = np.sort(np.where(np.isnan(drawn), np.inf, drawn))
    return float(ordered[position - 1]) if position <= len(ordered) else math.inf


def run_in_chunks(n_draws: int, run: Callable[[slice], None]) -> None:
    """Run blocks of draws in threads, with a progress bar where someone watches.

    Parameters
    ----------
    n_draws : int
    run : callable
        Does the draws of one slice; each must depend on its own position only.
    """
    parts = [slice(start, min(start + CHUNK, n_draws)) for start in range(0, n_draws, CHUNK)]
    with ThreadPoolExecutor(_n_threads()) as pool, bar(n_draws) as progress:
        for part, _ in zip(parts, pool.map(run, parts), strict=True):
            if progress is not None:
                progress.update(part.stop - part.start)


def bar(n_draws: int) -> AbstractContextManager[Any]:
    """Return a progress bar of draws, or None, to be entered: where someone watches."""
    shown = SHOWN.get()
    # a bar that is not shown would make its lock all the same
    if tqdm is None or shown is False:
        return nullcontext()
    disable = None if shown is None else False
    delay = 0 if shown else 2
    return tqdm(
        total=n_draws,
        desc="permutations",
        unit="draw",
        delay=delay,
        file=sys.stderr,
        leave=False,
        disable=disable,
    )


def say_that_loops_compile() -> None:
    """One line before the first permutation on a machine, where bars are shown: numba compiles the
    loops for a few seconds.
    """
    use_compile_cache()
    shown = sys.stderr.isatty() if SHOWN.get() is None else SHOWN.get()
    if shown and not is_compiled():
        print(
            "citysync: compiling the loops of the permutation; this happens once on a machine",
            file=sys.stderr,
            flush=True,
        )


@contextmanager
def show_progress(shown: bool | None) -> Iterator[None]:
    """Bars of the draws inside: always, never, or (None) on a terminal after two seconds."""
    token = SHOWN.set(shown)
    try:
        yield
    finally:
        SHOWN.reset(token)


def _n_threads() -> int:
    """CITYSYNC_THREADS, else OMP_NUM_THREADS, else the processors of the machine.

    A refresh sets OMP_NUM_THREADS to 1 to keep sums of BLAS in one order; draws are independent of
    one another and may use every core.
    """
    for name in ("CITYSYNC_THREADS", "OMP_NUM_THREADS"):
        named = os.environ.get(name, "")
        if named.isdecimal() and int(named) > 0:
            return int(named)
    return os.cpu_count() or 1
