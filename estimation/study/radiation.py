"""Radiation or siphon on the marts: city-level outcomes by distance from, and ties to, an admitted
pilot; and whether its cycle leads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..analyses.radiation import ESTIMATOR, EXPOSURE_ESTIMATOR, LEAD
from ..analyses.rules import EXPOSURE_RULES, TIE_RULES
from ..analyses.spec import SampleError, Spec
from ..inference.diagnostics.goodman_bacon import minimum_detectable_effect
from ..measures.cycle_lead import lead_scores
from ..primary.city_panel import MINIMUM_YEARS_BEFORE
from ..primary.exposure import Admitted, Ring, Tied, fit_exposure
from ..primary.measure import cycle, standardise
from ..primary.within_block import WithinBlockResult, fit_within_block
from ..sample.build import hash_panel
from ..sample.cities import build_sample_cities
from ..sample.exposure import exposure_of
from ..sample.marts import Marts
from ..sample.outcomes import CitySeries, build_series
from ..sample.ties import partners_elsewhere
from .tables import Tables, not_run
from .windows import settings_of

# Standard deviation about the trend, over the largest value, at which there is nothing but
# rounding.
NO_CYCLE = 1e-12
# A warning should miss little.
WARNING_LEVEL = 0.10


def run_radiation(marts: Marts, specs: Sequence[Spec]) -> Tables:
    """Estimate every spec of `analyses.radiation`.

    Parameters
    ----------
    marts : Marts
    specs : sequence of Spec
        The outcome is a series of `analyses.series`, with ``lead_`` in front how far a city's cycle
        of it runs ahead of its partners'; the treatment rule dates the cities.

    Returns
    -------
    dict of str to list of dict
        Rows of ``estimate``, ``diagnostic``, ``not_run`` and ``warning``, in order of the specs. A
        coefficient is in units of its outcome: points of growth a year, log points, or correlation
        units.
    """
    rows: Tables = {"estimate": [], "diagnostic": [], "not_run": [], "warning": []}
    for spec in specs:
        try:
            test = _test_of(marts, spec)
        except SampleError as error:
            rows["not_run"] += not_run([spec], _in_words_of_the_rule(spec, str(error)))
            continue
        settings = settings_of(spec)
        found = test.fit(settings)
        if found.p_value is None:
            said = " ".join(_in_words_of_the_rule(spec, text) for text in found.warnings)
            rows["not_run"] += not_run([spec], said)
            continue
        before = test.placebo(settings)
        rows["estimate"].append(_estimate(spec, test, found) | {"draws": settings["permutations"]})
        rows["diagnostic"] += _diagnostics(spec, found, before)
        warnings = [_in_words_of_the_rule(spec, text) for text in found.warnings] + _warn_of_trend(
            spec, before
        )
        rows["warning"] += [{"spec_id": spec.spec_id, "warning": text} for text in warnings]
    return rows


def term_of(spec: Spec) -> str:
    """``exposed`` where a city is dated by another city's admission, ``treated`` where by
    its own.
    """
    return "exposed" if spec.treatment_rule in EXPOSURE_RULES else "treated"


@dataclass(frozen=True)
class DatedCities:
    """An outcome of cities, and the admissions that may move it.

    Attributes
    ----------
    series : CitySeries
    cohort, block : (N,) int arrays
        First treated year (0 = never) and province; with a `reach` of all cities that may be
        admitted, (M,).
    own : (N,) int array
        Place of each city of the series among those.
    reach : Ring, Tied or None
        Whom an admission exposes; None where a city is dated by its own.
    """

    series: CitySeries
    cohort: np.ndarray
    block: np.ndarray
    own: np.ndarray
    reach: Ring | Tied | None = None

    def fit(self, settings: dict[str, int]) -> WithinBlockResult:
        """Return the estimate of the spec."""
        return self._fit(np.ones(len(self.series.years), bool), self.cohort, settings)

    def placebo(self, settings: dict[str, int]) -> WithinBlockResult | None:
        """Return the same test on the years before the first date, every dated city dated in the
        fourth of them; None without four such years.
        """
        before = self.series.years < self.cohort[self.cohort > 0].min()
        if before.sum() <= MINIMUM_YEARS_BEFORE:
            return None
        fourth = self.series.years[before][MINIMUM_YEARS_BEFORE]
        return self._fit(before, np.where(self.cohort > 0, fourth, 0), settings)

    def _fit(
        self, chosen: np.ndarray, cohort: np.ndarray, settings: dict[str, int]
    ) -> WithinBlockResult:
        values, years = self.series.d[:, chosen], self.series.years[chosen]
        if self.reach is None:
            return fit_within_block(values, years, cohort, self.block, **settings)
        admitted = Admitted(cohort, self.block, self.own)
        return fit_exposure(values, years, admitted, self.reach, **settings)[0]


def _test_of(marts: Marts, spec: Spec) -> DatedCities:
    window = spec.window or marts.study_window
    if window is None:
        raise SampleError("needs cities in a study window, found none")
    series = build_series(marts.city_years, spec.outcome.removeprefix(LEAD), window)
    last = int(series.years[-1])
    if term_of(spec) == "exposed":
        admitted, reach = exposure_of(
            marts.cities, marts.pairs, spec.treatment_rule, series.city_ids, last
        )
        return DatedCities(series, admitted.cohort, admitted.block, admitted.own, reach)
    members = build_sample_cities(marts.cities, series.city_ids, spec, last)
    if spec.outcome.startswith(LEAD):
        series, members = _lead(marts, spec, series, members)
    cohort, province = members["cohort"].to_numpy(), members["province_id"].to_numpy()
    return DatedCities(series, cohort, province, np.arange(len(cohort)))


def _lead(
    marts: Marts, spec: Spec, series: CitySeries, members: pd.DataFrame
) -> tuple[CitySeries, pd.DataFrame]:
    """Return how far each city's cycle, growth less its linear trend in the window, runs ahead of
    its partners'.

    Cities are dated a year after admission: the first year in which a treated year is followed by
    another. Those admitted in the window's last year have no such year and are left out.
    """
    rest = cycle(series.d, series.years)
    # growth that is a straight line has no cycle
    varies = rest.std(axis=1) > NO_CYCLE * (1 + np.abs(series.d).max(axis=1))
    series, members = (
        CitySeries(series.city_ids[varies], series.years, rest[varies]),
        members[varies].reset_index(drop=True),
    )
    partners = partners_elsewhere(members, marts.pairs, TIE_RULES[spec.tie_rule])
    scores = lead_scores(standardise(series.d), partners)
    cohort = members["cohort"].to_numpy()
    kept = (cohort < series.years[-1]) & np.isfinite(scores).all(axis=1)
    dated = members.assign(cohort=np.where(cohort > 0, cohort + 1, 0))[kept].reset_index(drop=True)
    return CitySeries(series.city_ids[kept], series.years[1:], scores[kept]), dated


def _estimate(spec: Spec, test: DatedCities, found: WithinBlockResult) -> dict[str, Any]:
    series, cohort = test.series, test.cohort[test.own]
    ids = series.city_ids
    numbers = ("estimate", "ci_low", "ci_high", "p_value", "n_cities", "n_pilots")
    return {
        **{
            name: getattr(spec, name)
            for name in ("spec_id", "analysis", "outcome", "treatment_rule", "tie_rule")
        },
        "estimator": ESTIMATOR if test.reach is None else EXPOSURE_ESTIMATOR,
        "term": term_of(spec),
        "cohort_year": None,
        "event_time": None,
        "vcov": "permutation",
        "is_default": True,
        "std_error": None,
        "p_value_withheld_reason": None,
        **{name: getattr(found, name) for name in numbers},
        "n_obs": found.n_cities * len(series.years),
        # a panel of cities holds no pair
        "n_pairs": 0,
        "panel_hash": hash_panel((ids, ids), cohort, series.years, series.d),
    }


def _diagnostics(
    spec: Spec, found: WithinBlockResult, before: WithinBlockResult | None
) -> list[dict[str, Any]]:
    """Error of the coefficient, smallest effect found in 80 % of cases (by a t with as many
    provinces less one), and the placebo.
    """
    smallest = minimum_detectable_effect(found.std_error, found.n_blocks - 1)
    values = [
        ("within_block_error", found.std_error),
        ("minimum_detectable_effect", smallest),
        ("n_mixed_provinces", found.n_blocks),
    ]
    if before is not None:
        values += [
            ("placebo_before_estimate", before.estimate),
            ("placebo_before_p", before.p_value),
        ]
    return [
        {"spec_id": spec.spec_id, "diagnostic": name, "term": term_of(spec), "value": value}
        for name, value in values
    ]


def _warn_of_trend(spec: Spec, before: WithinBlockResult | None) -> list[str]:
    if before is None or before.p_value is None or before.p_value >= WARNING_LEVEL:
        return []
    who = "Cities exposed later" if term_of(spec) == "exposed" else "Pilots"
    return [
        f"{who} moved away from their peers already before the first of them was dated (estimate "
        f"{before.estimate:+.3g}, "
        f"p = {before.p_value:.3f}): the coefficient may be an earlier trend."
    ]


def _in_words_of_the_rule(spec: Spec, text: str) -> str:
    """Return a sentence of the estimator in the words of the study: blocks are provinces, and
    exposed cities are no pilots.
    """
    if text.startswith("No verdict"):
        # what follows tells the owner of a file what to change in it
        text = text.split(";", maxsplit=1)[0].removesuffix(".") + "."
    text = text.replace("block", "province")
    if term_of(spec) == "treated":
        return text
    for pilots, cities in (
        ("never-treated cities", "unexposed cities"),
        ("a never-treated city", "an unexposed city"),
        ("pilots", "exposed cities"),
        ("pilot has", "exposed city has"),
    ):
        text = text.replace(pilots, cities)
    return text
