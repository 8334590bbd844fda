"""Mechanisms of the study as outcomes, and outcomes that are not made from reported GDP; what a
landing lacks ends in `not_run`.

Resource reallocation: does admission bring the two cities' returns and factor allocation closer (a
rise of `neg_abs_gap` closes a gap), and does it lower the misallocation of the pair (`mean` of its
cities)? Leading demonstration: do patents and new firms a head come closer? docs/mechanisms.md
gives the argument from each to synchronization; no mediation test is made.
"""

from __future__ import annotations

from itertools import product

from .spec import specs_of, split_of

ANALYSIS = "mechanisms"
ALTERNATIVES = "alternative_outcomes"

REALLOCATION = (
    "neg_abs_gap_labour_allocation",
    "mean_labour_misallocation",
    "neg_abs_gap_capital_allocation",
    "mean_capital_misallocation",
    "neg_abs_gap_ln_wage",
    "neg_abs_gap_growth_employed",
    "neg_abs_gap_ln_credit_per_head",
    "neg_abs_gap_ln_fdi_per_head",
)
DEMONSTRATION = (
    "neg_abs_gap_ln_patents_per_head",
    "mean_ln_patents_per_head",
    "neg_abs_gap_ln_firms_per_head",
    "mean_ln_firms_per_head",
)
# Investment in fixed assets ends in 2017 in all files seen so far: the two outcomes of capital are
# also run on the years that have it.
CAPITAL = tuple(outcome for outcome in REALLOCATION if "capital" in outcome)
CAPITAL_WINDOW = (2010, 2017)
# Employment and wages are counted, not made from GDP; the development index holds GDP a head as one
# of several parts. Night light is seen from space and reported by nobody; its growth begins in
# 2014, after a change of sensor.
OTHER_SERIES = ("growth_employed", "growth_wage", "development_index", "growth_night_lights")
PARTS = ("cm", "comove", "dispersion")

# Is the effect larger where a zone's texts hold more measures, are newer, or are more like those of
# earlier zones? Terms: treated, dose.
DOSES = {"measures": "measure_count", "novelty": "novelty_ratio", "similarity": "similarity_ratio"}

OF_CAPITAL = {
    f"window_{CAPITAL_WINDOW[0]}_{CAPITAL_WINDOW[1]}": {"window": CAPITAL_WINDOW},
}
BY_DOSE = {f"by_{variant}": {"dose": dose} for variant, dose in DOSES.items()}

SPECS = (
    *specs_of(ANALYSIS, (*REALLOCATION, *DEMONSTRATION), {"headline": {}}),
    *specs_of(ANALYSIS, CAPITAL, OF_CAPITAL),
    *specs_of(ANALYSIS, split_of("cm_growth_official"), BY_DOSE),
    *specs_of(
        ALTERNATIVES,
        [f"{part}_{series}" for series, part in product(OTHER_SERIES, PARTS)],
        {"headline": {}},
    ),
)
