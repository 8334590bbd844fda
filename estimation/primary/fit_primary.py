"""The primary test of a city panel: growth and its cycle, each with estimate, interval, channels
and what could have been found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..defaults import DRAWS, LEVEL
from .channels import Channel, estimate_channels
from .city_panel import NO_VARIATION, CityPanel, Window, build_panel, lacking
from .contrast import Contrast, treatment_contrast
from .detectable import detectable
from .gaps import known_weights, missing_by_treatment
from .interval import Tested, interval_and_p
from .p_values import family_p
from .permutation import Draws, draw_statistics, permute_in_blocks

ESTIMATOR, MEASURE, CAPPED = "two_way", "correlation", "correlation, gaps capped"
GIVEN = "as given"
# Raised whenever any number of the test changes on the same panel; the golden values of
# tests/estimation/primary/golden/ say when it must be. It is part of next year's rule.
STATISTIC_VERSION = 1
# A change of this size that would have been missed makes 'not found' say little (docs/methods,
# section 12).
WORTH_FINDING = 0.05


@dataclass(frozen=True, kw_only=True)
class PrimaryResult(Tested):
    """What the primary test says of one series: the change of mean synchronization by admission,
    its interval and p as of `Tested`.

    Attributes
    ----------
    first_year, last_year : int
        Of the window.
    estimator, measure : str
    before, after, without_admission : float or None
        Mean synchronization of pilots with never-treated cities, each pilot with its share of the
        weights: in untreated years, in treated years, and in treated years less the estimate.
    p_value_family : float or None
        Corrected for the two series of the family; found = below 0.05.
    minimum_detectable_rise, minimum_detectable_fall, minimum_detectable_effect : float or None
        Smallest additive change found in 80 % of draws by the p of the family; the larger of both.
    weight_negative : float or None
        Sum of the negative weights of treated cells; all weights sum to 1.
    n_cities, n_pilots, n_movable : int
        The last: pilots of blocks whose cities were not all admitted at once.
    n_treated_years, n_negative, n_unidentified : int
        Treated cells, and those of them whose weight is negative or none.
    n_blocks : int
        Blocks with both pilots and never-treated cities.
    verdict : str
        ``found`` where the p of the family is below 0.05, ``not_identified`` without a p, else
        ``not_found_could_have_been`` or ``not_found_could_not_have_been`` by whether the smallest
        detectable change is at most `WORTH_FINDING`.
    channels : tuple of Channel
    warnings : tuple of str
    cycle : PrimaryResult or None
        The same of growth less its linear trend in the window.
    """

    first_year: int
    last_year: int
    estimator: str = ESTIMATOR
    measure: str
    before: float | None = None
    after: float | None = None
    without_admission: float | None = None
    p_value_family: float | None = None
    minimum_detectable_rise: float | None = None
    minimum_detectable_fall: float | None = None
    minimum_detectable_effect: float | None = None
    weight_negative: float | None
    n_cities: int
    n_pilots: int
    n_movable: int
    n_treated_years: int
    n_negative: int
    n_unidentified: int
    n_blocks: int
    verdict: str = "not_identified"
    channels: tuple[Channel, ...] = ()
    warnings: tuple[str, ...]
    cycle: PrimaryResult | None = None


def fit_primary(
    growth,
    years,
    cohort,
    block,
    *,
    permutations: int = DRAWS,
    seed: int = 1,
    capped: bool = False,
    least_share: float = 1.0,
) -> PrimaryResult:
    """Test whether admission changed the mean synchronization of pilots with never-treated cities.

    Parameters
    ----------
    growth : (N, T) float array
        One row per city; NaN leaves the city out, with a warning, unless `least_share` lets it in.
    years : (T,) int array
        Ascending.
    cohort : (N,) int array
        First treated year, 0 = never.
    block : (N,) array
        Ids of blocks (provinces) inside which admission is compared and permuted.
    permutations : int
        At least 20.
    seed : int
    capped : bool
        Whether abs(z - m) is cut at its 90 % quantile: a check, another measure.
    least_share : float
        Share of the years in which a city needs growth. The committed test takes complete cities
        alone.

    Returns
    -------
    PrimaryResult
        Of growth; that of its cycle is its `cycle`.

    Raises
    ------
    ValueError
        If `permutations` is so low that no p below 0.05 can come out.

    Notes
    -----
    Formulas: docs/methods, section 18; what was measured: docs/evidence/primary-test.md.
    """
    panel = build_panel(growth, years, cohort, block, least_share=least_share)
    permuted = permute_in_blocks(panel.block, permutations, [seed, 0])
    reasons = lacking(panel)
    if reasons:
        return without_verdict(counted(panel, None, capped), reasons)
    contrast = treatment_contrast(panel)
    weight = shown = contrast.weight[panel.block, panel.label]
    if panel.has_gaps:
        shown = known_weights(panel.response, panel.block)
    said = counted(panel, shown, capped)
    said = replace(said, warnings=(*said.warnings, *_unequal_gaps(panel, permuted)))
    measured = [panel.measured(series, capped=capped) for series in panel.series]
    draws = [_draw(panel, y, contrast, weight, permuted) for _, _, y in measured]
    corrected = family_p([one.statistic() for one in draws])
    found = []
    for (z, m, y), one, other, p in zip(measured, draws, draws[::-1], corrected, strict=True):
        if not one.varies:
            found.append(without_verdict(said, (NO_VARIATION,)))
            continue
        result = measure_result(said, panel, shown, y, one, others=[other], p_value_family=p)
        if not panel.has_gaps:
            channels = estimate_channels(panel, z, m, contrast, permuted)
            result = replace(result, channels=channels)
        found.append(result)
    return replace(found[0], cycle=found[1])


def _unequal_gaps(panel: CityPanel, permuted: np.ndarray) -> tuple[str, ...]:
    """Return the warning that missing cells depend on treatment, by the level of the test
    itself.
    """
    if not panel.has_gaps:
        return ()
    known = np.isfinite(panel.growth)
    p, shares = missing_by_treatment(known, panel.treated, panel.label, panel.block, permuted)
    if p >= LEVEL:
        return ()
    after, before, never = (f"{share:.1%}" for share in shares)
    return (
        f"Which cells are missing depends on admission ({after} of pilots' cells from admission "
        f"on, {before} of those before, {never} of never-treated cities' cells; p {p:.3f} by "
        "permutation), so p and interval may be wrong. Compare with the cities that have every "
        "period, or with the periods that every city has.",
    )


def fit_window(window: Window, **settings: int) -> PrimaryResult:
    """`fit_primary` on a window."""
    given = (window.growth, window.years, window.cohort, window.block)
    return fit_primary(*given, capped=window.capped, **settings)


def _draw(
    panel: CityPanel, y: np.ndarray, contrast: Contrast, weight: np.ndarray, permuted: np.ndarray
) -> Draws:
    """Return draws of a measure; with gaps an effect adds less than 1 to the contrast, and both are
    divided by what it adds, which makes the estimate that of least squares on the known cells.
    """
    if not panel.has_gaps:
        return draw_statistics(y, contrast, panel.label, panel.block, permuted)
    response = panel.response
    added = (weight * response).sum()
    given = (contrast, panel.label, panel.block, permuted)
    return draw_statistics(y / added, *given, response=response / added)


def fit_measure(
    values, years, cohort, block, *, permutations: int = DRAWS, seed: int = 1
) -> PrimaryResult:
    """Test whether admission changed a measure of cities that is given, such as `measured` of
    another panel.

    The statistic is that of `fit_primary`, so the means of its measure over the years between first
    treated years of a block, put for each of these years, give the same estimate, interval and p;
    and so they do less the means of city and of block by year, which its effects take out.

    Parameters
    ----------
    values : (N, T) float array
    years, cohort, block, permutations, seed
        As of `fit_primary`.

    Returns
    -------
    PrimaryResult
        Without a cycle and channels, which need the series itself; the family is this one measure.

    Raises
    ------
    ValueError
        As `fit_primary`.
    """
    panel = build_panel(values, years, cohort, block, is_standardised=False)
    permuted = permute_in_blocks(panel.block, permutations, [seed, 0])
    reasons = lacking(panel)
    if reasons:
        return without_verdict(replace(counted(panel, None, False), measure=GIVEN), reasons)
    contrast = treatment_contrast(panel)
    weight = contrast.weight[panel.block, panel.label]
    said = replace(counted(panel, weight, False), measure=GIVEN)
    draws = draw_statistics(panel.growth, contrast, panel.label, panel.block, permuted)
    if not draws.varies:
        return without_verdict(said, (NO_VARIATION,))
    return measure_result(said, panel, weight, panel.growth, draws)


def measure_result(
    said: PrimaryResult,
    panel: CityPanel,
    weight: np.ndarray,
    y: np.ndarray,
    draws: Draws,
    *,
    others: Sequence[Draws] = (),
    p_value_family: float | None = None,
) -> PrimaryResult:
    """Return the result of one measure with all its figures and its verdict.

    Parameters
    ----------
    said : PrimaryResult
        What holds of the panel, as of `counted`.
    panel : CityPanel
    weight : (N, T) float array
    y : (N, T) float array
        The measure.
    draws : Draws
    others : sequence of Draws
        Of the other measures of its family.
    p_value_family : float, optional
        None: that of the measure, which is a family of its own.
    """
    sizes = [np.abs(one.statistic(one.estimate[0])) for one in others]
    largest = np.max([np.zeros(len(draws.estimate)), *sizes], axis=0)
    tested, accepts_again = interval_and_p(draws)
    result = replace(
        said,
        **vars(tested),
        **identity(panel, weight, y, tested.estimate),
        p_value_family=tested.p_value if p_value_family is None else p_value_family,
        minimum_detectable_rise=detectable(draws, largest, 1),
        minimum_detectable_fall=detectable(draws, largest, -1),
    )
    return with_verdict(result, accepts_again)


def identity(
    panel: CityPanel, weight: np.ndarray, y: np.ndarray, estimate: float
) -> dict[str, float]:
    """Return means of y over pilots' known untreated cells, each pilot with its share of the
    weights, and over treated cells with their own; and the latter without the estimate.
    """
    treated = panel.treated[panel.label]
    cells = (1 - treated) * np.isfinite(panel.growth)
    # a pilot without such a cell has no share
    untreated = (y * cells).sum(axis=1) / np.maximum(cells.sum(axis=1), 1)
    before = float(((weight * treated).sum(axis=1) * untreated).sum())
    after = float((weight * treated * y).sum())
    return {"before": before, "after": after, "without_admission": after - estimate}


def with_verdict(result: PrimaryResult, accepts_again: bool) -> PrimaryResult:
    """Return the result with its verdict, by the one rule of what is called found, and its
    cautions.
    """
    rise, fall = result.minimum_detectable_rise, result.minimum_detectable_fall
    larger = None if rise is None or fall is None else max(rise, fall)
    warnings = list(result.warnings)
    if accepts_again:
        warnings.append("Effects further out than the interval are not all rejected.")
    if larger is None:
        warnings.append(
            "No change, however large, would be found in 80 % of cases: a p above 0.05 says "
            "nothing on this panel."
        )
    return replace(
        result,
        minimum_detectable_effect=larger,
        verdict=verdict_of(result.p_value_family, larger),
        warnings=tuple(warnings),
    )


def verdict_of(p_value_family: float, detectable: float | None) -> str:
    """Return what a corrected p says, and, where nothing is found, whether the smallest change
    that would be found in 80 % of cases is small enough to say more.
    """
    if p_value_family < LEVEL:
        return "found"
    if detectable is not None and detectable <= WORTH_FINDING:
        return "not_found_could_have_been"
    return "not_found_could_not_have_been"


def counted(panel: CityPanel, weight: np.ndarray | None, capped: bool) -> PrimaryResult:
    """Return what holds of the panel before any figure: its years and counts; without weights where
    there is no verdict.
    """
    treated = (panel.treated[panel.label] > 0) & np.isfinite(panel.growth)
    of_treated = np.zeros(treated.sum()) if weight is None else weight[treated]
    return PrimaryResult(
        first_year=int(panel.years[0]),
        last_year=int(panel.years[-1]),
        measure=CAPPED if capped else MEASURE,
        weight_negative=None if weight is None else float(of_treated[of_treated < 0].sum()),
        n_cities=len(panel.label),
        n_pilots=int((panel.label > 0).sum()),
        n_movable=int(panel.movable.sum()),
        n_treated_years=int(treated.sum()),
        n_negative=int((of_treated < 0).sum()),
        n_unidentified=int((of_treated == 0).sum()),
        n_blocks=int(panel.mixed.sum()),
        warnings=panel.notes if weight is None else panel.remarks,
    )


def without_verdict(said: PrimaryResult, reasons: tuple[str, ...]) -> PrimaryResult:
    return replace(said, reason=" ".join(reasons), warnings=(*said.warnings, *reasons))
