"""The primary test of a city panel: growth and its cycle, each with estimate, interval, channels
and what could have been found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .channels import Channel, estimate_channels
from .city_panel import CityPanel, build_panel, lacking
from .contrast import Contrast, treatment_contrast
from .measure import cycle, gap_cap, reference, standardise, synchronization
from .redeal import LEVEL, Draws, deal, detectable, draw_statistics, family_p, find_interval, rank_p

ESTIMATOR, MEASURE, CAPPED = "two_way", "correlation", "correlation, gaps capped"
# A change of this size that would have been missed makes 'not found' say little (docs/methods,
# section 12).
WORTH_FINDING = 0.05


@dataclass(frozen=True)
class PrimaryResult:
    """What the primary test says of one series. Without a verdict the figures are None and the
    reason says why.

    Attributes
    ----------
    first_year, last_year : int or None
        Of the window.
    estimator, measure : str
    before, after, without_admission : float or None
        Mean synchronization of pilots with never-pilots, each pilot with its share of the weights:
        in untreated years, in treated years, and in treated years less the estimate.
    estimate, ci_low, ci_high : float or None
        Change of it by admission. A side of the interval without an end is None; `reason` says so.
    p_value, p_value_family : float or None
        The second is corrected for the two series of the family; found = below 0.05.
    minimum_detectable_rise, minimum_detectable_fall, minimum_detectable_effect : float or None
        Smallest additive change found in 80 % of draws by the p of the family; the larger of both.
    weight_negative : float or None
        Sum of the negative weights of treated cells; all weights sum to 1.
    n_cities, n_pilots, n_movable : int
        The last: pilots of blocks whose cities were not all admitted at once.
    n_treated_years, n_negative, n_unidentified : int
        Treated cells, and those of them whose weight is negative or none.
    n_blocks : int
        Blocks whose cities were not all admitted at once.
    verdict : str
        ``found`` where the p of the family is below 0.05, ``not_identified`` without a p, else
        ``not_found_could_have_been`` or ``not_found_could_not_have_been`` by whether the smallest
        detectable change is at most `WORTH_FINDING`.
    reason : str
        Why there is no verdict, or no end of the interval; else empty.
    channels : tuple of Channel
    warnings : tuple of str
    cycle : PrimaryResult or None
        The same of growth less its linear trend in the window.
    """

    first_year: int | None
    last_year: int | None
    estimator: str
    measure: str
    before: float | None
    after: float | None
    without_admission: float | None
    estimate: float | None
    ci_low: float | None
    ci_high: float | None
    p_value: float | None
    p_value_family: float | None
    minimum_detectable_rise: float | None
    minimum_detectable_fall: float | None
    minimum_detectable_effect: float | None
    weight_negative: float | None
    n_cities: int
    n_pilots: int
    n_movable: int
    n_treated_years: int
    n_negative: int
    n_unidentified: int
    n_blocks: int
    verdict: str
    reason: str
    channels: tuple[Channel, ...]
    warnings: tuple[str, ...]
    cycle: PrimaryResult | None = None


def series_of(panel: CityPanel) -> tuple[np.ndarray, np.ndarray]:
    """The two series of the family: growth, and growth less its linear trend; each (N, T)."""
    return panel.growth, cycle(panel.growth, panel.years)


def measured(
    panel: CityPanel, series: np.ndarray, *, capped: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """z, the reference m, and the measure y of a series, each (N, T)."""
    z = standardise(series)
    m, v = reference(z, panel.label == 0, panel.block)
    return z, m, synchronization(z, m, v, gap_cap(z, m) if capped else np.inf)


def fit_primary(
    growth, years, cohort, block, *, permutations: int = 9999, seed: int = 1, capped: bool = False
) -> PrimaryResult:
    """Test whether admission changed the mean synchronization of pilots with never-pilots.

    Parameters
    ----------
    growth : (N, T) float array
        One row per city; NaN leaves the city out, with a warning.
    years : (T,) int array
    cohort : (N,) int array
        First treated year, 0 = never.
    block : (N,) array
        Ids of blocks (provinces) inside which admission is compared and dealt again.
    permutations : int
        At least 20.
    seed : int
    capped : bool
        Whether abs(z - m) is cut at its 90 % quantile: a check, another measure.

    Returns
    -------
    PrimaryResult
        Of growth; that of its cycle is its `cycle`.

    Raises
    ------
    ValueError
        As `build_panel`, or if `permutations` is so low that no p below 0.05 can come out.

    Notes
    -----
    Formulas: docs/methods, section 18; what was measured: docs/evidence/primary-test.md.
    """
    panel = build_panel(growth, years, cohort, block)
    dealt = deal(panel.block, permutations, [seed, 0])
    reasons = lacking(panel)
    contrast = None if reasons else treatment_contrast(panel)
    if contrast is None:
        return _empty(panel, contrast, reasons or (NO_VARIATION,))
    parts = [measured(panel, series, capped=capped) for series in series_of(panel)]
    draws = [draw_statistics(y, contrast, panel.label, panel.block, dealt) for _, _, y in parts]
    of_family = [one for one in draws if one.varies]
    corrected = iter(family_p([one.statistic() for one in of_family]) if of_family else [])
    found = []
    for part, one in zip(parts, draws, strict=True):
        if one.varies:
            others = [np.abs(x.statistic(x.estimate[0])) for x in of_family if x is not one]
            largest = np.max(others, axis=0) if others else np.zeros(len(dealt))
            found.append(_judged(panel, contrast, part, one, largest, next(corrected), dealt))
        else:
            found.append(_empty(panel, contrast, (NO_VARIATION,)))
    if capped:
        found = [replace(one, measure=CAPPED) for one in found]
    return replace(found[0], cycle=found[1])


NO_VARIATION = (
    "No verdict: the series does not differ between the cities of a block beyond what is common to "
    "all years; give a series that varies."
)


@dataclass(frozen=True)
class Window:
    """Cities of a window with their admissions.

    Attributes
    ----------
    growth : (N, T) float array
    years : (T,) int array
    cohort, block : (N,) int arrays
        First treated year inside the window (0 = never in it), and province.
    city_ids : (N,) int array
        Ascending.
    capped : bool
        As of `fit_primary`.
    """

    growth: np.ndarray
    years: np.ndarray
    cohort: np.ndarray
    block: np.ndarray
    city_ids: np.ndarray
    capped: bool = False


def fit_window(window: Window, **settings: int) -> PrimaryResult:
    """`fit_primary` on a window."""
    given = (window.growth, window.years, window.cohort, window.block)
    return fit_primary(*given, capped=window.capped, **settings)


def joint_p(windows: Sequence[Window], *, permutations: int = 9999, seed: int = 1) -> float | None:
    """p of the largest absolute statistic of growth over windows, each draw moving all alike.

    Parameters
    ----------
    windows : sequence of Window
        A city that a window lacks while it has others of the block is left out of all; a window may
        lack whole blocks. A city's record of cohorts, one per window, is dealt as a whole.
    permutations, seed : int

    Returns
    -------
    float or None
        None without a window, or where a window of the common cities gives no verdict.
    """
    if not windows:
        return None
    ids, places = np.unique(np.concatenate([one.city_ids for one in windows]), return_index=True)
    block = np.concatenate([one.block for one in windows])[places]
    shared = np.ones(len(ids), dtype=bool)
    for one in windows:
        shared &= np.isin(ids, one.city_ids) | ~np.isin(block, one.block)
    ids, block = ids[shared], np.unique(block[shared], return_inverse=True)[1]
    all_dealt, statistics = deal(block, permutations, [seed, 0]), []
    for one in windows:
        rows = np.flatnonzero(np.isin(one.city_ids, ids))
        place = np.searchsorted(ids, one.city_ids[rows])
        panel = build_panel(one.growth[rows], one.years, one.cohort[rows], one.block[rows])
        contrast = None if lacking(panel) else treatment_contrast(panel)
        if contrast is None or len(panel.label) < len(rows):
            return None
        y = measured(panel, panel.growth, capped=one.capped)[2]
        dealt = np.searchsorted(place, all_dealt[:, place])
        draws = draw_statistics(y, contrast, panel.label, panel.block, dealt)
        statistics.append(np.abs(draws.statistic()))
    return rank_p(np.max(statistics, axis=0))


def _judged(
    panel: CityPanel,
    contrast: Contrast,
    part: tuple[np.ndarray, np.ndarray, np.ndarray],
    draws: Draws,
    others: np.ndarray,
    corrected: float,
    dealt: np.ndarray,
) -> PrimaryResult:
    z, m, y = part
    treated = panel.treated[panel.label]
    weight = contrast.weight[panel.block, panel.label] * treated
    untreated = (y * (1 - treated)).sum(axis=1) / (1 - treated).sum(axis=1).clip(min=1)
    estimate, after = float(draws.estimate[0]), float((weight * y).sum())
    within = find_interval(draws)
    rise, fall = (detectable(draws, others, sign) for sign in (1, -1))
    texts = []
    if within.low is None:
        texts.append("No fall of any size is rejected: the interval has no lower end.")
    if within.high is None:
        texts.append("No rise of any size is rejected: the interval has no upper end.")
    warnings = []
    if within.accepts_again:
        warnings.append("Effects further out than the interval are not all rejected.")
    if rise is None or fall is None:
        warnings.append(
            "No change, however large, would be found in 80 % of cases: a p above 0.05 says "
            "nothing on this panel."
        )
    empty = _empty(panel, contrast, ())
    return replace(
        empty,
        reason=" ".join(texts),
        before=float((weight.sum(axis=1) * untreated).sum()),
        after=after,
        without_admission=after - estimate,
        estimate=estimate,
        ci_low=within.low,
        ci_high=within.high,
        p_value=rank_p(draws.statistic()),
        p_value_family=corrected,
        minimum_detectable_rise=rise,
        minimum_detectable_fall=fall,
        minimum_detectable_effect=None if rise is None or fall is None else max(rise, fall),
        verdict=_verdict(corrected, rise, fall),
        channels=estimate_channels(panel, z, m, contrast, dealt),
        warnings=(*empty.warnings, *warnings),
    )


def _verdict(corrected: float, rise: float | None, fall: float | None) -> str:
    """The one rule of what is called found."""
    if corrected < LEVEL:
        return "found"
    could = rise is not None and fall is not None and max(rise, fall) <= WORTH_FINDING
    return f"not_found_could_{'' if could else 'not_'}have_been"


def _empty(panel: CityPanel, contrast: Contrast | None, reasons: tuple[str, ...]) -> PrimaryResult:
    """A result without figures: counts, and why there is no verdict."""
    pilots, movable = panel.label > 0, panel.movable
    treated = panel.treated[panel.label] > 0
    weight = np.zeros(treated.shape)
    if contrast is not None:
        weight = contrast.weight[panel.block, panel.label]
    stuck = int(pilots.sum() - movable.sum())
    said = ()
    if stuck and contrast is not None:
        said = (
            f"{stuck} of {pilots.sum()} pilots have no city in their block that was admitted at "
            "another time or never, and say nothing here.",
        )
    return PrimaryResult(
        first_year=int(panel.years[0]) if len(panel.years) else None,
        last_year=int(panel.years[-1]) if len(panel.years) else None,
        estimator=ESTIMATOR,
        measure=MEASURE,
        **dict.fromkeys(
            (
                *("before", "after", "without_admission", "estimate", "ci_low", "ci_high"),
                *("p_value", "p_value_family", "minimum_detectable_rise"),
                *("minimum_detectable_fall", "minimum_detectable_effect"),
            )
        ),
        weight_negative=None if contrast is None else float(weight[treated & (weight < 0)].sum()),
        n_cities=len(panel.label),
        n_pilots=int(pilots.sum()),
        n_movable=int(movable.sum()),
        n_treated_years=int(treated.sum()),
        n_negative=int((treated & (weight < 0)).sum()),
        n_unidentified=int((treated & (weight == 0)).sum()),
        n_blocks=int(panel.mixed.sum()),
        verdict="not_identified",
        reason=" ".join(reasons),
        channels=(),
        warnings=(*panel.notes, *said, *reasons),
    )
