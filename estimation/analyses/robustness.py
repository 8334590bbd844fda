"""The headline by estimators that stay right when effects differ between cohorts and years, each with its exact split.

Borusyak, Jaravel and Spiess, Gardner and ETWFE have one point estimate on a balanced panel, Sun-Abraham and Callaway-Sant'Anna agree after
admission: in a specification curve equal estimators count once.
"""

from __future__ import annotations

from estimation.specs import Spec, split_of

ANALYSIS = "robustness"
OUTCOME = "cm_growth_official"
ESTIMATORS = ("callaway_santanna", "sun_abraham", "gardner", "borusyak", "etwfe")

SPECS = tuple(
    Spec(spec_id=f"{ANALYSIS}.{part}.{estimator}", analysis=ANALYSIS, outcome=part, estimator=estimator)
    for estimator in ESTIMATORS
    for part in split_of(OUTCOME)
)
