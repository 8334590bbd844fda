"""Put sentences about cities, provinces and pilots into the words of a panel of other units."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, get_args

from ..defaults import LEVEL
from ..inference.variances import t_interval
from ..panel.panel_error import PanelError, refused, require_number
from ..results import Estimate, NotEstimable

Line = Literal["pair", "dyadic", "unit", "block_jackknife", "permutation"]
VARIANCE_ESTIMATORS: tuple[Line, ...] = get_args(Line)
# of `cs.vcov`
SharedLine = Literal["dyadic", "unit", "pair"]
# an inference method, and its name in published tables and in the JSON of the command line
PUBLISHED = {
    "pair": "conventional",
    "dyadic": "dyadic",
    "unit": "city",
    "block_jackknife": "province_jackknife",
    "permutation": "permutation",
}
OWN = {published: own for own, published in PUBLISHED.items()}
# the term of effects of one cohort in one period
GROUP_TIME = "group_time"
# columns of a table of maketables
COLUMNS = {
    "b": "estimate",
    "se": "std_error",
    "p": "p_value",
    "ci95l": "ci_low",
    "ci95u": "ci_high",
}
# what inference methods are called where there is room
LINES = {
    "pair": "clustered by pair (contrast only)",
    "dyadic": "dyadic",
    "unit": "by unit",
    "block_jackknife": "jackknife over blocks",
    "permutation": "permutation",
}
WORDS = {
    "province_jackknife": "block_jackknife",
    "Pilots": "Treated units",
    "pilots": "treated units",
    "pilot": "treated unit",
    "cities": "units",
    "city": "unit",
    "provinces": "blocks",
    "province": "block",
    "Province": "Block",
    "pseudo-pilot": "pseudo-treated unit",
    "national cycle": "common cycle",
    "admissions": "treatments",
    "admitted": "treated",
    "cohort_year": "first treated period",
    "admission": "treatment",
    "year effects": "period effects",
    "no year before": "no period before",
    "controls or chosen partners": "controls",
}
PATTERN = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, WORDS))})(?!\w)")


def of_units(sentences: Iterable[str]) -> tuple[str, ...]:
    """Return the sentences with the words for units of any kind."""
    return tuple(PATTERN.sub(lambda match: WORDS[match[1]], text) for text in sentences)


def of_units_in_name(name: str) -> str:
    """Return the name of a diagnostic with the same words."""
    return of_units([name.replace("_", " ")])[0].replace(" ", "_")


@contextmanager
def faults_of_units() -> Iterator[None]:
    """Errors of the block in these words as well; what was found stays as it is: it may quote the
    panel.
    """
    try:
        yield
    except PanelError as error:
        expected, remedy = of_units((error.expected, error.remedy))
        raise PanelError(
            error.source, error.row, error.column, expected, error.found, remedy, error.place
        ) from error
    except NotEstimable as error:
        raise NotEstimable(*of_units([str(error)])) from error


def line_of(rows: Sequence[Estimate], vcov: str | None = None) -> Estimate:
    """Of one coefficient's rows that of an inference method; where it has none of that name its
    default, else the first with an error (by pair only if no other has one), else with an interval.
    """
    wanted = None if vcov is None else OWN.get(vcov, vcov)
    ranks = [
        (
            e.vcov == wanted,
            e.is_default,
            e.std_error is not None,
            e.ci_low is not None,
            e.vcov != "pair",
        )
        for e in rows
    ]
    return rows[ranks.index(max(ranks))]


def permutation_p(rows: Sequence[Estimate]) -> float | None:
    """Return the p of the permutation among one coefficient's rows, if there is one."""
    return next((e.p_value for e in rows if e.vcov == "permutation"), None)


def interval_at(estimate: Estimate, level: float) -> tuple[float | None, float | None]:
    """Return both ends of an estimate's interval at a level.

    Raises
    ------
    PanelError
        If the level is none, or the interval comes from draws and another level is asked for.
    """
    require_number(level, "level", 1)
    if level == 1 - LEVEL:
        return estimate.ci_low, estimate.ci_high
    if estimate.std_error is None or estimate.df is None:
        if estimate.ci_low is None:
            return None, None
        expected = f"{1 - LEVEL:g}, that of the draws of {estimate.vcov}"
        raise refused("level", expected, level, "give vcov= another method")
    found = t_interval(estimate.estimate, estimate.std_error**2, estimate.df, level)
    return found.ci_low, found.ci_high


def require_line(vcov: Any, there: Iterable[str]) -> str:
    """Return the own name of an inference method that is among those of a fit.

    Raises
    ------
    PanelError
        If it is none of them.
    """
    lines = dict.fromkeys(there)
    own = OWN.get(vcov, vcov) if isinstance(vcov, str) else None
    if own not in lines:
        expected = f"one of {', '.join(lines) or 'none'}, which this fit has"
        raise refused("vcov", expected, vcov, "fit again with vcov= for others")
    return own


class ForMaketables:
    """What `maketables.ETable` asks of a result."""

    outcome: str
    r2: float | None
    n_obs: Any

    def _shown(self) -> list[Estimate]:
        """Each coefficient under the inference method that a table shows."""
        raise NotImplementedError

    @property
    def __maketables_coef_table__(self) -> Any:
        import pandas as pd

        shown = self._shown()
        values = {name: [getattr(e, field) for e in shown] for name, field in COLUMNS.items()}
        index = pd.Index([label_of(e) for e in shown], name="Coefficient")
        return pd.DataFrame(values, index=index, dtype=float)

    @property
    def __maketables_depvar__(self) -> str:
        return self.outcome

    @property
    def __maketables_vcov_info__(self) -> dict[str, str]:
        return {"se_type": self._shown()[0].vcov}

    def __maketables_stat__(self, key: str) -> Any:
        return {"N": self.n_obs, "r2": self.r2, "se_type": self._shown()[0].vcov}.get(key)


def label_of(estimate: Estimate) -> str:
    """Return the name of a coefficient: `treated`, `event[-2]`, `group_time[2015, 0]`."""
    place = [str(part) for part in (estimate.cohort_year, estimate.event_time) if part is not None]
    return f"{estimate.term}[{', '.join(place)}]" if place else estimate.term
