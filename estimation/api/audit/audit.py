"""`cs.audit`: check a coefficient of any regression on pairs, and report it on one card as for a
referee.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np
import pandas as pd

from ...defaults import LEVEL
from ...inference.permutation.draws import bar, critical_value, permutation_p_value
from ...panel.panel_error import PanelError, refused, require_count, require_pair
from ...panel.panel_table import listed
from ..foreign import Scores, read_scores
from ..vcov import LINES, vcov
from .card import Audit
from .treatment import Treatment, read_treatment

EXCHANGED = "units of different treatment that trade places within their block"
# units with the largest influence, without which the fit is made again
WITHOUT = 5
POWER = 0.8
# how far the fit may come out otherwise when it is made again, in standard errors
SAME = 1e-3


def audit(
    fit: Any,
    treatment: str,
    unit: tuple[str, str],
    *,
    time: str | None = None,
    block: Any = None,
    draws: int = 199,
    seed: int = 1,
    data: Any = None,
) -> Audit:
    """Measure how often each error of a coefficient rejects if units exchange their identities.

    In each exchange unit i takes the place of another one, pi(i), and the pair (i, j) in period t
    has the treatment of pi(i) and pi(j) in t. Outcomes, other regressors and missing rows stay
    where they are, and the whole model is fitted again.

    Parameters
    ----------
    fit : fit of pyfixest
        ``feols``, ``fepois`` or ``feglm``, without instruments; it keeps its data.
    treatment : str
        Column of the treatment, and name of its coefficient. It may belong to a pair or a unit.
    unit : (str, str)
        Columns of the two units of a pair.
    time : str, optional
        Column of the period, if the treatment of a pair changes.
    block : mapping, series or frame, optional
        Block of each unit; units trade places within it alone. Units of two kinds, such as banks
        and firms, need blocks of their own.
    draws : int
        Exchanges; each is a full fit.
    seed : int
    data : frame, optional
        Where the treatment of all pairs in all periods is known, if the rows of the fit lack some
        (flows of zero in logarithms, rows that are separated).

    Returns
    -------
    Audit
        It prints itself; `plot` draws it, and `drawn` has every exchange.

    Raises
    ------
    PanelError
        If a column is missing, or the treatment of a pair is; if the fit cannot be made again, has
        no coefficient of that name, or comes out otherwise when it is made again; if there are no
        draws, or none changes the treatment.

    Notes
    -----
    The p ranks abs(estimate / error): it is exact if every exchange was as likely as the real
    identities. What the card does not see is measured in docs/library/audit.md.

    Examples
    --------
    >>> import pyfixest as pf
    >>> pairs = cs.data.euro().query("year in (1995, 2005)")
    >>> joined = pairs["euro_a"].le(2005) & pairs["euro_b"].le(2005)
    >>> pairs["euro"] = (joined.fillna(False) & (pairs["year"] == 2005)).astype(float)
    >>> fit = pf.feols("cm ~ euro | iso_a^iso_b + year", pairs)
    >>> card = cs.audit(fit, "euro", unit=("iso_a", "iso_b"), time="year", draws=19)
    >>> card.lines["p_randomization"].round(2).to_dict()
    {'dyadic': 0.45, 'unit': 0.45, 'pair': 0.2}
    """
    scores = read_scores(fit)
    if not hasattr(fit, "prepare_model_matrix") or getattr(fit, "_data", None) is None:
        expected = "a fit of pyfixest (feols, fepois, feglm) that keeps its data"
        remedy = "fit it with pyfixest, and without store_data=False"
        raise PanelError("fit", None, None, expected, type(fit).__name__, remedy)
    if fit._is_iv:
        expected, remedy = "one without instruments", "audit the regression on the instrument"
        raise PanelError("fit", None, None, expected, "a fit with instruments", remedy)
    draws = require_count(draws, "draws", 1)
    seed = require_count(seed, "seed")
    unit = require_pair(unit)
    frame = fit._data.reset_index(drop=True)
    own = frame.columns.intersection(scores.terms).tolist()
    if treatment not in own:
        named = "there is none"
        if own:
            named = listed(own)
        expected = f"a coefficient that is a column by itself ({named})"
        remedy = "fit again with the treatment as such a column, without i() or a function of it"
        raise refused("treatment", expected, treatment, remedy)
    pairs = read_treatment(frame, data, treatment, unit, time, block)
    lines = _errors(fit, unit, treatment)
    estimate = lines["estimate"].iloc[0]
    again = _errors(_refit(fit, frame), unit, treatment)["estimate"].iloc[0]
    if not abs(again - estimate) < SAME * lines["std_error"].min():
        expected = f"the estimate {estimate:.6g} of {treatment} when it is fitted again"
        raise PanelError("fit", None, None, expected, f"{again:.6g}", "fit again, then audit")
    # what may fail does so before the exchanges
    moved, without = _most_influential(fit, frame, pairs, scores, treatment)
    rng = np.random.default_rng(seed)
    made = []
    with bar(draws) as progress:
        for _ in range(draws):
            changed = frame.assign(**{treatment: pairs.exchanged(rng)})
            made.append(_errors(_refit(fit, changed), unit, treatment))
            if progress is not None:
                progress.update(1)
    found = pd.concat(made, keys=range(draws)).unstack()
    drawn = found["std_error"].assign(estimate=found["estimate"]["dyadic"])
    if np.allclose(drawn["estimate"], again):
        raise refused("block", EXCHANGED, "the real treatment in every exchange", "give wider ones")
    statistics = {line: (drawn["estimate"].abs() / drawn[line]).to_numpy() for line in LINES}
    for line, of_line in statistics.items():
        observed = abs(estimate) / lines.loc[line, "std_error"]
        lines.loc[line, "p_randomization"] = permutation_p_value(observed, of_line, False)
        lines.loc[line, "rejects"] = (found["p_value"][line] < LEVEL).mean()
    critical = critical_value(statistics["dyadic"], False)
    smallest = [np.inf, np.inf]
    if np.isfinite(critical):
        least = critical * drawn["dyadic"]
        smallest = [(least + sign * drawn["estimate"]).quantile(POWER) for sign in (-1, 1)]
    return Audit(
        term=treatment,
        outcome=scores.outcome,
        estimator=scores.estimator,
        estimate=estimate,
        lines=lines.drop(columns="estimate"),
        smallest_rise=smallest[0],
        smallest_fall=smallest[1],
        unit=moved,
        estimate_without=without,
        n_rows=len(frame),
        n_units=len(pairs.ids),
        n_blocks=len(pairs.blocks),
        seed=seed,
        drawn=drawn,
    )


def _refit(fit: Any, frame: pd.DataFrame) -> Any:
    """Do what pyfixest does with a model that it has just made, with the settings of the fit; None
    where effects explain all regressors.
    """
    again = copy(fit)
    again._data = frame.copy()
    again.na_index = np.array([])
    if hasattr(again, "convergence"):
        # it is set, but never taken back
        again.convergence = False
    again._lookup_demeaned_data = {}
    again.prepare_model_matrix()
    try:
        again.get_fit()
    except ValueError as error:
        # effects explain the only regressor; of several, pyfixest drops the one that they explain
        if "All variables are collinear" in str(error):
            return None
        expected, remedy = "a model that can be fitted again", "fit it with other settings"
        raise PanelError("fit", None, None, expected, str(error).strip(), remedy) from error
    return again


def _errors(fit: Any, unit: Sequence[str], name: str) -> pd.DataFrame:
    """Return estimate, error, df and p of one coefficient by each line; blank if it was dropped."""
    shown = ["estimate", "std_error", "df", "p_value"]
    if fit is None:
        return pd.DataFrame(np.nan, LINES, shown)
    errors = vcov(fit, [fit._data[side].to_numpy() for side in unit])
    own = errors[errors["term"] == name].set_index("vcov")
    return own.reindex(LINES)[shown].astype(float)


def _most_influential(
    fit: Any, frame: pd.DataFrame, pairs: Treatment, scores: Scores, name: str
) -> tuple[Any, float]:
    """Return the unit whose removal moves the estimate most, and the estimate without it."""
    term = scores.terms.index(name)
    moved = scores.scores @ scores.bread[term]
    size = np.bincount(pairs.first, moved, len(pairs.ids))
    size += np.bincount(pairs.second, moved, len(pairs.ids))
    without = {}
    for k in np.argsort(-np.abs(size), kind="stable")[:WITHOUT]:
        rest = frame[(pairs.first != k) & (pairs.second != k)].reset_index(drop=True)
        again = _refit(fit, rest)
        if again is None:
            continue
        found = read_scores(again)
        if name in found.terms:
            without[pairs.ids[k]] = float(found.estimate[found.terms.index(name)])
    if not without:
        return None, np.nan
    most = max(without, key=lambda one: abs(without[one] - scores.estimate[term]))
    return most, without[most]
