"""A panel of cities: growth, admissions and blocks, validated, with what the primary test lacks
said in plain words.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..panel.city_file import CityFile
from ..panel.panel_error import plural, too_few
from .gaps import filled, known_cycle, known_reference, known_standardised
from .measure import cycle, gap_cap, reference, standardise, synchronization

MINIMUM_YEARS_BEFORE = 3
MINIMUM_BLOCKS = 3
MINIMUM_MOVABLE_PILOTS = 4
# A series that varies by less than this share of its largest value holds nothing but rounding.
ROUNDING = 1e-12
NO_VARIATION = (
    "No verdict: the series does not differ between the cities of a block beyond what is common to "
    "all years; give a series that varies."
)


@dataclass(frozen=True)
class CityPanel:
    """Cities with growth in every year, or in most.

    Attributes
    ----------
    growth : (N, T) float array
        Per cent or log points; any unit, because every city is standardised. NaN where a city has
        none, if these were let in.
    years : (T,) int array
        Ascending.
    cohorts : (C,) int array
        First treated years inside the window, ascending.
    label : (N,) int array
        0 = not admitted inside the window, c = admitted in `cohorts[c - 1]`.
    block : (N,) int array
        Block (province) from 0.
    notes : tuple of str
        What was left out.
    kept : (M,) bool array or None
        Of the cities that were given, those that the panel holds, in their order.
    """

    growth: np.ndarray
    years: np.ndarray
    cohorts: np.ndarray
    label: np.ndarray
    block: np.ndarray
    notes: tuple[str, ...] = ()
    kept: np.ndarray | None = None

    @property
    def series(self) -> tuple[np.ndarray, np.ndarray]:
        """The two series of the family: growth, and growth less its linear trend; each (N, T)."""
        if self.has_gaps:
            return self.growth, known_cycle(self.growth, self.years)
        return self.growth, cycle(self.growth, self.years)

    @property
    def has_gaps(self) -> bool:
        """Whether a city has no growth in some year."""
        return not bool(np.isfinite(self.growth).all())

    def measured(
        self, series: np.ndarray, *, capped: bool = False
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """z, the reference m, and the measure y of a series, each (N, T); z is NaN where a city
        has no growth, and y is what least squares put there.
        """
        if self.has_gaps:
            z = known_standardised(series)
            m, v = known_reference(z, self.label == 0, self.block)
            y = synchronization(z, m, v, gap_cap(z, m) if capped else np.inf)
            return z, m, filled(y, self.block)
        z = standardise(series)
        m, v = reference(z, self.label == 0, self.block)
        return z, m, synchronization(z, m, v, gap_cap(z, m) if capped else np.inf)

    @property
    def response(self) -> np.ndarray:
        """What an effect of 1 adds to the measure, (N, T): 1 in treated cells that are known."""
        treated = self.treated[self.label]
        if not self.has_gaps:
            return treated
        return filled(np.where(np.isfinite(self.growth), treated, np.nan), self.block)

    @cached_property
    def treated(self) -> np.ndarray:
        """(C + 1, T) float array: 1 in the years a cohort is treated; row 0, the never-treated
        cities, is 0.
        """
        after = (self.years[None, :] >= self.cohorts[:, None]).astype(float)
        return np.vstack([np.zeros((1, len(self.years))), after])

    @cached_property
    def ages(self) -> np.ndarray:
        """(C + 1, T) int array: years since the first treated one; -1 where a cohort is not
        treated.
        """
        since = self.years[None, :] - np.append(0, self.cohorts)[:, None]
        return np.where(self.treated > 0, since, -1)

    @cached_property
    def counts(self) -> np.ndarray:
        """Cities by block and label, (B, C + 1) ints; no permutation within blocks changes them."""
        counts = np.zeros((int(self.block.max(initial=-1)) + 1, len(self.treated)), dtype=np.int64)
        np.add.at(counts, (self.block, self.label), 1)
        return counts

    @property
    def mixed(self) -> np.ndarray:
        """Blocks with both pilots and never-treated cities, (B,) bool."""
        return (self.counts[:, 0] > 0) & (self.counts[:, 1:].sum(axis=1) > 0)

    @property
    def movable(self) -> np.ndarray:
        """(N,) bool array: pilots of blocks in which another city was admitted at another time or
        never.
        """
        return (self.label > 0) & ((self.counts > 0).sum(axis=1) > 1)[self.block]

    @property
    def cohort(self) -> np.ndarray:
        """First treated year of each city inside the window, 0 = never; (N,)."""
        return np.append(0, self.cohorts)[self.label]

    @property
    def remarks(self) -> tuple[str, ...]:
        """`notes`, and how many pilots say nothing."""
        pilots, stuck = (self.label > 0).sum(), ((self.label > 0) & ~self.movable).sum()
        many = (
            f"{stuck} of {pilots} pilots have no city in their block that was admitted at another "
            "time or never, and say nothing here."
        )
        one = (
            f"{stuck} of {pilots} pilots has no city in its block that was admitted at another "
            "time or never, and says nothing here."
        )
        return (*self.notes, plural(stuck, many, one)) if stuck else self.notes


def build_panel(
    growth, years, cohort, block, *, is_standardised: bool = True, least_share: float = 1.0
) -> CityPanel:
    """Keep the cities that can be standardised.

    Parameters
    ----------
    growth : (N, T) float array
        NaN where a city has no value; such a city is left out, with a note.
    years : (T,) int array
        Ascending.
    cohort : (N,) int array
        First treated year, 0 = never. A year after the window counts as never inside it.
    block : (N,) array
        Ids of any type; admissions are compared and permuted within blocks.
    is_standardised : bool
        Whether the series is to be standardised; one that never varies is kept where it is not.
    least_share : float
        Share of the years in which a city needs growth.
    """
    complete, varies = usable(growth, years, least_share)
    if not is_standardised:
        varies = np.ones_like(complete)
    keep = complete & varies
    gaps, fixed = (~complete).sum(), (complete & ~varies).sum()
    notes = []
    if gaps:
        many = f"{gaps} cities without growth in every year are left out."
        one = f"{gaps} city without growth in every year is left out."
        notes.append(plural(gaps, many, one))
    if fixed:
        many = (
            f"{fixed} cities whose growth never changes, or only along a straight line, are left "
            "out: they cannot be standardised."
        )
        one = (
            f"{fixed} city whose growth never changes, or only along a straight line, is left "
            "out: it cannot be standardised."
        )
        notes.append(plural(fixed, many, one))
    cohort = np.where(cohort[keep] > years[-1], 0, cohort[keep])
    cohorts = np.unique(cohort[cohort > 0])
    label = np.where(cohort > 0, np.searchsorted(cohorts, cohort) + 1, 0)
    index = np.unique(block[keep], return_inverse=True)[1].reshape(-1)
    return CityPanel(growth[keep], years, cohorts, label, index, tuple(notes), keep)


def usable(
    growth: np.ndarray, years: np.ndarray, least_share: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return of each city whether it has growth in so many of the years, and whether its growth
    varies by more than a straight line, each (N,) bool.
    """
    is_known = np.isfinite(growth)
    complete = is_known.sum(axis=1) >= least_share * len(years)
    known = np.where(complete[:, None], growth, 0.0)
    if (complete & ~is_known.all(axis=1)).any():
        varies = np.nanstd(known_cycle(known, years), axis=1)
        return complete, varies > ROUNDING * np.nanmax(np.abs(known), axis=1)
    varies = cycle(known, years).std(axis=1) > ROUNDING * np.abs(known).max(axis=1)
    return complete, varies


@dataclass(frozen=True)
class Window(CityFile):
    """Cities of a window with their admissions, in ascending order of their ids.

    Attributes
    ----------
    cohort, block : (N,) int arrays
        First treated year inside the window (0 = never in it), and province.
    capped : bool
        As of `fit_primary`.
    """

    capped: bool = False

    @property
    def panel(self) -> CityPanel:
        """The panel of the test."""
        return build_panel(self.growth, self.years, self.cohort, self.block)


def lacking(panel: CityPanel, least_years: int = MINIMUM_YEARS_BEFORE) -> tuple[str, ...]:
    """Return why the primary test gives no verdict on this panel, one sentence per reason; empty
    where it does.

    Parameters
    ----------
    panel : CityPanel
    least_years : int
        Years that are needed before the first admission; an outcome that is not standardised needs
        one.
    """
    if len(panel.label) == 0:
        return (
            "No verdict: every city is left out; give values that vary in more of the years, or a "
            "shorter window.",
        )
    if len(panel.cohorts) == 0:
        return (
            "No verdict: no city is admitted inside the window; give cohort_year for the pilots "
            "or a later window.",
        )
    before = int((panel.years < panel.cohorts[0]).sum())
    beside = int(((panel.label > 0) & panel.mixed[panel.block]).sum())
    blocks = int(panel.mixed.sum())
    counts = [
        (
            before,
            least_years,
            f"No verdict: {before} years before the first admission ({panel.cohorts[0]}), at least "
            f"{least_years} are needed; give earlier years, or leave out the cities admitted so "
            "early.",
            f"No verdict: {before} year before the first admission ({panel.cohorts[0]}), at least "
            f"{least_years} are needed; give earlier years, or leave out the cities admitted so "
            "early.",
        ),
        (
            blocks,
            MINIMUM_BLOCKS,
            f"No verdict: {blocks} blocks hold both pilots and never-treated cities, at least "
            f"{MINIMUM_BLOCKS} are needed; give more cities, or wider blocks inside which "
            "admission may be compared.",
            f"No verdict: {blocks} block holds both pilots and never-treated cities, at least "
            f"{MINIMUM_BLOCKS} are needed; give more cities, or wider blocks inside which "
            "admission may be compared.",
        ),
        (
            beside,
            MINIMUM_MOVABLE_PILOTS,
            f"No verdict: {beside} pilots have a never-treated city in their block, at least "
            f"{MINIMUM_MOVABLE_PILOTS} are needed; give more pilots, or wider blocks.",
            f"No verdict: {beside} pilot has a never-treated city in its block, at least "
            f"{MINIMUM_MOVABLE_PILOTS} are needed; give more pilots, or wider blocks.",
        ),
    ]
    return too_few(counts)
