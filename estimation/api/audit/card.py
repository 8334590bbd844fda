"""Show what an audit of a coefficient found, as text, HTML and picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...defaults import LEVEL
from ...panel.panel_error import plural
from ...table_formats import html_table
from ..plots import GREY, ORANGE, drawn
from ..text import Text, aligned, degrees, number, p_value, wrapped
from ..words import LINES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEADER = ("std. error", "df", "p", "p by randomization", "rejects at 5 %", "error")
CONDITION = (
    "This holds if which unit is which had nothing to do with the outcome. It says nothing about "
    "treatment of near, large or growing partners, whose outcomes differ anyhow."
)


@dataclass(frozen=True, repr=False)
class Audit:
    """A referee's card for one coefficient.

    Attributes
    ----------
    term, outcome, estimator : str
    estimate : float
    lines : frame
        One row for each error (index ``dyadic, unit, pair``): `std_error, df, p_value` of the fit;
        `p_randomization`, the share of exchanges with at least as large an abs(estimate / error),
        the real assignment counted; `rejects`, in what share of exchanges its p is below 0.05.
    smallest_rise, smallest_fall : float
        The smallest effects that the randomization by the dyadic error finds in 80 % of exchanges;
        infinite with fewer than 19.
    unit : Any
        Of the five with the largest influence, that whose removal moves the estimate most.
    estimate_without : float
        The estimate without it, fitted in full.
    n_rows, n_units, n_blocks, seed : int
    drawn : frame
        One row for each exchange: `estimate`, and the error by each line; blank where effects
        explain the treatment.
    """

    term: str
    outcome: str
    estimator: str
    estimate: float
    lines: pd.DataFrame
    smallest_rise: float
    smallest_fall: float
    unit: Any
    estimate_without: float
    n_rows: int
    n_units: int
    n_blocks: int
    seed: int
    drawn: pd.DataFrame = field(compare=False)

    def rows(self) -> list[tuple[str, ...]]:
        """Return a header, and a row for each error."""
        rows: list[tuple[str, ...]] = [HEADER]
        for line, found in self.lines.iterrows():
            p_values = (p_value(found["p_value"]), p_value(found["p_randomization"]))
            numbers = (number(found["std_error"]), degrees(found["df"]), *p_values)
            rows.append((*numbers, f"{100 * found['rejects']:.1f} %", LINES[str(line)]))
        return rows

    def facts(self) -> list[str]:
        """Return all else, as lines."""
        monte_carlo = 100 * np.sqrt(LEVEL * (1 - LEVEL) / len(self.drawn))
        within = ""
        if self.n_blocks > 1:
            within = f" within {self.n_blocks} blocks"
        smallest = "found in 80 % of cases: none that so few exchanges with an error can tell"
        if np.isfinite(self.smallest_rise):
            smallest = (
                f"found in 80 % of cases: a rise of {number(self.smallest_rise)}, a fall of "
                f"{number(self.smallest_fall)}"
            )
        return [
            f"{self.n_rows:,} rows, {self.n_units} units; {len(self.drawn)} "
            f"{plural(len(self.drawn), 'exchanges', 'exchange')} of their identities{within}, "
            f"seed {self.seed}",
            f"a right error rejects 5 %, with a Monte Carlo error of {monte_carlo:.1f} points",
            smallest,
            f"without {self.unit}: {number(self.estimate_without)}",
            *wrapped([CONDITION]),
        ]

    def summary(self) -> Text:
        """Return the card as a text."""
        return Text("\n".join([self._head, *aligned(self.rows()), *self.facts()]))

    def plot(self, *, ax: Axes | None = None, file: Any = None) -> Axes:
        """Draw estimates over their dyadic errors in all exchanges, and the real one.

        Parameters
        ----------
        ax : Axes, optional
        file : path, optional
            Written as well; the ending names the format.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        return drawn(self._draw, ax, file)

    def _draw(self, ax: Axes) -> None:
        found = (self.drawn["estimate"] / self.drawn["dyadic"]).dropna()
        ax.hist(found, bins=30, color=GREY, alpha=0.5, label=f"{len(found)} exchanges")
        real = self.estimate / self.lines.loc["dyadic", "std_error"]
        p = p_value(self.lines.loc["dyadic", "p_randomization"])
        ax.axvline(real, color=ORANGE, linewidth=2, label=f"the real one, p {p}")
        ax.locator_params(axis="y", integer=True)
        ax.set(xlabel="estimate over dyadic error", ylabel="exchanges", title=self._head)
        ax.legend(frameon=False, fontsize=8)

    @property
    def _head(self) -> str:
        return f"{self.outcome}: {self.estimator}, {self.term} {number(self.estimate)}"

    def __repr__(self) -> str:
        return str(self.summary())

    def _repr_html_(self) -> str:
        facts = escape("\n".join(self.facts()))
        return f"<p>{escape(self._head)}</p>{html_table(self.rows(), 1)}<pre>{facts}</pre>"
