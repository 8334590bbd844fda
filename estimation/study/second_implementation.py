"""The baseline regression by other packages: pyfixest on the whole sample, statsmodels with a dummy
for every pair and year on a part of it.

A refresh keeps the differences in ``estimates.diagnostic``, and the gate after the estimates stops
where one is larger than rounding. The regressors are written here from the definition
(docs/methods, section 6), not taken from `estimation.engines`: a shared mistake would agree with
itself.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from ..analyses.spec import Spec
from ..fit_panel import fit_outcomes
from ..panel.pair_panel import PairPanel
from ..sample.build import StudySample

#: What is computed a second time: both growth series, and the event study of the official one.
SPEC_IDS = (
    "baseline.cm_growth_official.headline",
    "baseline.cm_growth_deflated.headline",
    "dynamics.cm_growth_official.headline",
)
#: Pilots and never-treated cities of the part that statsmodels can hold with all its dummies.
PILOTS_OF_PART, OTHERS_OF_PART = 6, 18
#: Most pair-years that pyfixest, which holds some 20 numbers for each, is given; of more it fits
#: the pairs among some of the cities.
ROWS_OF_PYFIXEST = 3_000_000
#: Decimals that are kept of a difference: what lies below is rounding, which may depend on the
#: threads of the other package.
DECIMALS = 9
TREATED = "treated"


def differences(
    sample: StudySample, specs: Sequence[Spec], estimates: list[dict[str, object]]
) -> list[dict[str, object]]:
    """Return rows of ``estimates.diagnostic``: the largest difference of a second implementation,
    in standard errors.

    Parameters
    ----------
    sample : StudySample
    specs : sequence of Spec
        Those that share the sample; only `SPEC_IDS` among them are computed again.
    estimates : list of dict
        Their rows of ``estimates.estimate``.

    Returns
    -------
    list of dict
        `spec_id`, `diagnostic` (``pyfixest_estimate_gap``, ``pyfixest_std_error_gap``, and the same
        of statsmodels), `term` None, `value`; none of a spec that was not run.
    """
    rows = []
    for spec in specs:
        of_spec = [
            row
            for row in estimates
            if row["spec_id"] == spec.spec_id and row["vcov"] == "conventional"
        ]
        if spec.spec_id not in SPEC_IDS or not of_spec:
            continue
        own = pd.DataFrame(of_spec)
        outcome = sample.outcomes.index(spec.outcome)
        kept = _few_enough(sample, ROWS_OF_PYFIXEST)
        if kept is not sample.kept:
            own = _own_fit(sample.panel, kept, outcome, spec.estimator)
        found = {
            "pyfixest": _gaps(
                own, _by_pyfixest(_long_table(sample.panel, kept, outcome), own["event_time"])
            )
        }
        if spec.estimator == "twfe":
            found["statsmodels"] = _part_by_statsmodels(sample, outcome)
        for package, gaps in found.items():
            rows += [
                {
                    "spec_id": spec.spec_id,
                    "diagnostic": f"{package}_{number}_gap",
                    "term": None,
                    "value": value,
                }
                for number, value in gaps.items()
            ]
    return rows


def _few_enough(sample: StudySample, most: int) -> np.ndarray:
    """Return the kept pairs (P,); where they have more rows, those among cities that are spread
    over the list of all.
    """
    panel, n_years = sample.panel, len(sample.panel.years)
    if sample.kept.sum() * n_years <= most:
        return sample.kept
    n_cities = int(np.sqrt(2 * most / n_years))
    is_chosen = np.zeros(panel.n_cities, dtype=bool)
    is_chosen[np.linspace(0, panel.n_cities - 1, min(n_cities, panel.n_cities)).astype(int)] = True
    return sample.kept & is_chosen[panel.city_i] & is_chosen[panel.city_j]


def _own_fit(panel: PairPanel, pairs: np.ndarray, outcome: int, estimator: str) -> pd.DataFrame:
    """Return coefficients and errors of this package on some pairs; no pair among them is left out
    by a tie rule a second time.
    """
    (own,) = fit_outcomes(
        replace(panel, y=panel.y[[outcome]]).of_pairs(pairs),
        estimators=(estimator,),
        vcov=("conventional",),
        permutations=0,
    ).values()
    return pd.DataFrame(
        [
            {"event_time": e.event_time, "estimate": e.estimate, "std_error": e.std_error}
            for e in own.estimates
        ]
    )


def _long_table(panel: PairPanel, kept: np.ndarray, outcome: int) -> pd.DataFrame:
    """Return one row a pair and year with an outcome: pair, year, y, whether it is treated, years
    since admission (missing without a pilot).
    """
    y, cohort = panel.y[outcome][kept], panel.cohort[kept]
    pair, year = np.nonzero(np.isfinite(y))
    since = np.where(cohort[pair] > 0, panel.years[year] - cohort[pair], np.nan)
    return pd.DataFrame(
        {
            "pair": pair,
            "year": panel.years[year],
            "y": y[pair, year],
            "since": since,
            TREATED: (since >= 0).astype(float),
        }
    )


def _by_pyfixest(table: pd.DataFrame, event_times: pd.Series) -> pd.DataFrame:
    """Return coefficients and errors clustered by pair: of each event time, or of the treatment
    where there is none.
    """
    import pyfixest

    events = {f"event_{k}": event for k, event in enumerate(event_times.dropna())}
    dummies = {name: (table["since"] == event).astype(float) for name, event in events.items()}
    names = list(events) or [TREATED]
    with warnings.catch_warnings():
        # what pyfixest uses of pandas is not a reader's concern
        warnings.simplefilter("ignore", DeprecationWarning)
        fit = pyfixest.feols(
            f"y ~ {' + '.join(names)} | pair + year",
            data=table.assign(**dummies),
            vcov={"CRV1": "pair"},
            # the conventional line of docs/methods, section 7, has no correction for small samples
            ssc=pyfixest.ssc(k_adj=False, G_adj=False),
            demeaner=pyfixest.LsmrDemeaner(fixef_atol=1e-12, fixef_btol=1e-12),
        )
    return pd.DataFrame(
        {"estimate": fit.coef()[names].to_numpy(), "std_error": fit.se()[names].to_numpy()}
    )


def _part_by_statsmodels(sample: StudySample, outcome: int) -> dict[str, float]:
    """Return both packages on the pairs among a few pilots and never-treated cities; empty where
    these hold no contrast.
    """
    import statsmodels.api as sm

    panel = sample.panel
    is_pilot = panel.city_cohort > 0
    chosen = np.concatenate(
        [np.flatnonzero(is_pilot)[:PILOTS_OF_PART], np.flatnonzero(~is_pilot)[:OTHERS_OF_PART]]
    )
    part = sample.kept & np.isin(panel.city_i, chosen) & np.isin(panel.city_j, chosen)
    table = _long_table(panel, part, outcome)
    if table.empty or table[TREATED].nunique() < 2 or table["year"].nunique() < 2:
        return {}
    dummies = pd.get_dummies(table[["pair", "year"]].astype(str), drop_first=True, dtype=float)
    regressors = sm.add_constant(pd.concat([table[[TREATED]], dummies], axis=1))
    clusters = {"groups": table["pair"].to_numpy(), "use_correction": False, "df_correction": False}
    peer = sm.OLS(table["y"], regressors).fit(cov_type="cluster", cov_kwds=clusters)
    theirs = pd.DataFrame({"estimate": [peer.params[TREATED]], "std_error": [peer.bse[TREATED]]})
    return _gaps(_own_fit(panel, part, outcome, "twfe"), theirs)


def _gaps(own: pd.DataFrame, theirs: pd.DataFrame) -> dict[str, float]:
    """Return the largest absolute difference of estimates and of errors, in the other package's
    standard errors; rows in the same order.
    """
    scale = theirs["std_error"].to_numpy()
    estimate_gap = np.abs(own["estimate"].to_numpy() - theirs["estimate"].to_numpy()) / scale
    # an error that the study withholds (too few pilots) has nothing to be compared
    std_error_gap = np.abs(own["std_error"].to_numpy(dtype=float) - scale) / scale
    largest = {
        "estimate": float(estimate_gap.max()),
        "std_error": float(np.nanmax(std_error_gap, initial=0.0)),
    }
    return {number: round(gap, DECIMALS) for number, gap in largest.items()}
