"""`cs.primary`: run the primary test on a panel of units from any kind of frame or file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..defaults import DRAWS, LEAST_SHARE
from ..panel.city_file import CityFile, note_periods_without_rows, read_cities
from ..panel.columns import as_frame, columns_of
from ..panel.pair_columns import PairColumns
from ..panel.panel_error import plural, refused, require_among, require_count, require_names
from ..panel.panel_table import listed
from ..panel.unit_values import beside
from ..primary.adjusted import within_block_basis
from ..primary.adjusted_fit import DEALINGS, UNIFORM, AdjustedResult, fit_adjusted
from ..primary.channels import Channel
from ..primary.fit_primary import GIVEN, PrimaryResult, fit_measure, fit_primary
from ..results import Estimate
from .result import TIDY
from .text import Text, wrapped
from .words import faults_of_units, of_units

if TYPE_CHECKING:
    import pandas as pd

CITY = "city_id"
# with fewer no p below 0.05 can come out
LEAST_DRAWS = 20


@dataclass(frozen=True, repr=False)
class PrimaryFit:
    """The primary test of a panel of units.

    Attributes
    ----------
    outcome : str
    result : PrimaryResult
        Effect on mean synchronization (correlation units), interval, p, channels and what could
        have been found.
    warnings : tuple of str
    unit : str
        Column of the units.
    backend : str
        Kind of frame that `tidy` gives.
    """

    outcome: str
    result: PrimaryResult
    warnings: tuple[str, ...]
    unit: str = CITY
    backend: str = field(default="", compare=False)

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """The effect on growth and on its cycle, each with its channels, as rows like those of a
        `Fit`.
        """
        n_pilots = self.result.n_pilots
        rows: list[tuple[str, PrimaryResult | Channel]] = []
        for prefix, found in (("", self.result), ("cycle_", self.result.cycle)):
            if found is not None and found.estimate is not None:
                rows.append((f"{prefix}synchronization", found))
                rows += [(f"{prefix}{channel.channel}", channel) for channel in found.channels]
        return tuple(
            Estimate(
                term,
                None,
                None,
                "permutation",
                True,
                row.estimate,
                None,
                row.ci_low,
                row.ci_high,
                row.p_value,
                n_pilots,
            )
            for term, row in rows
            if row.estimate is not None
        )

    @property
    def rejects(self) -> bool:
        """Whether a change of growth is found: the p of both series together is below 0.05."""
        return self.result.verdict == "found"

    def tidy(self) -> pd.DataFrame:
        """Return one row for each effect and channel; columns as those of `Fit.tidy`."""
        return as_frame(columns_of(self.estimates, TIDY), self.backend)

    def summary(self) -> Text:
        """Effect, interval, what could have been found, channels and warnings, as a text."""
        return Text("\n".join([*_lines_of(self.result, self.outcome), *wrapped(self.warnings)]))

    def __repr__(self) -> str:
        return str(self.summary())


def primary(
    panel: Any,
    outcome: str = "growth",
    *,
    unit: str = CITY,
    time: str = "year",
    cohort: Any = "cohort_year",
    block: Any = "block_id",
    length: str | None = None,
    covariates: Sequence[str] = (),
    dealing: Literal["uniform", "fitted"] = "uniform",
    permutations: int = DRAWS,
    seed: int = 1,
) -> PrimaryFit:
    """Test whether treatment changed the mean synchronization of treated with never-treated units.

    Parameters
    ----------
    panel : frame, relation, mapping or path
        One row per unit and period; see `cs.fit`. A unit without a value in some periods is used
        if it has one in at least 80 % of them: it is standardised over those, and each period's
        reference is over the units that are there. Other units are left out, and named. With
        `covariates` or `length` a unit needs every period. With gaps there are no channels.
    outcome : str
        The series whose synchronization is asked for, such as growth; any unit, because every unit
        is standardised.
    unit, time : str
    cohort : str, mapping, series or frame
        First treated period, blank = never.
    block : str, mapping, series or frame
        Group of each unit inside which treatment is compared and permuted; at least three must hold
        treated and never-treated units.
    length : str, optional
        Column that says how many periods a row covers, from that of `time` on. `outcome` is then
        the measure of synchronization itself, its mean over them, and nothing is standardised.
        Units may have other periods, but no row may cover years before and after a unit of its
        block is first treated. `cs.data.zones` is such a panel.
    covariates : sequence of str
        Columns with one number for each unit, such as its size before the first treatment. Their
        effects by period are taken out of measure and treatment, and the larger of the measure and
        of a measure whose gaps are capped decides (docs/methods, section 18.12). One that blocks or
        the columns before it imply is refused.
    dealing : str
        Assignment mechanism of the permutation within blocks, where there are covariates:
        ``uniform`` (every order is equally likely), or ``fitted`` (orders are drawn from a model of
        the real order on the covariates).
    permutations : int
        At least 20.
    seed : int

    Returns
    -------
    PrimaryFit
        Without a verdict its figures are None and its warnings say what the panel lacks.

    Raises
    ------
    PanelError
        On any fault of the panel, if `permutations` is so low that no p below 0.05 can come out, if
        `dealing` is fitted without covariates, or if `covariates` and `length` are both given.

    Notes
    -----
    Statistic, inversion and units: docs/methods, section 18; what was measured:
    docs/evidence/primary-test.md.

    Examples
    --------
    >>> countries = cs.data.euro_countries().query("year >= 1991")
    >>> names = {"unit": "iso", "cohort": "euro_year", "block": "region"}
    >>> found = cs.primary(countries, "growth", **names, permutations=199)
    >>> round(found.result.estimate, 3), found.rejects
    (-0.117, False)
    """
    names = require_names(covariates, "covariates", may_be_empty=True)
    if names and length is not None:
        raise refused("length", "the series itself beside covariates", length, "leave length out")
    require_among("dealing", [dealing], DEALINGS)
    if dealing != UNIFORM and not names:
        expected, remedy = f"{UNIFORM} without covariates", "name the columns to fit it to"
        raise refused("dealing", expected, dealing, remedy)
    with faults_of_units():
        columns = PairColumns(
            outcome,
            (unit, unit),
            time,
            beside(cohort, "cohort"),
            beside(block, "block"),
            length=length,
            covariates=names,
        )
        cities = read_cities(panel, columns)
        settings: dict[str, Any] = {
            "permutations": require_count(permutations, "permutations", LEAST_DRAWS),
            "seed": require_count(seed, "seed"),
        }
        more: list[str] = []
        result: PrimaryResult
        if length is not None:
            given = (cities.growth, cities.years, cities.cohort, cities.block)
            result = fit_measure(*given, **settings)
        else:
            cities = _with_known_periods(cities)
            least_share = 1 if names else LEAST_SHARE
            kept, more = _with_most_periods(cities, least_share)
            arrays = (cities.growth[kept], cities.years, cities.cohort[kept], cities.block[kept])
            if names:
                covariates_of = np.asarray(cities.covariates)[kept]
                _require_variation(covariates_of, arrays[-1], names)
                result = fit_adjusted(*arrays, covariates_of, dealing=dealing, **settings)
            else:
                result = fit_primary(*arrays, **settings, least_share=least_share)
    # those of growth, then those that its cycle has beside them
    of_cycle = () if result.cycle is None else result.cycle.warnings
    warnings = (*cities.notes, *more, *dict.fromkeys((*result.warnings, *of_cycle)))
    return PrimaryFit(outcome, result, of_units(warnings), unit, cities.backend)


def _require_variation(covariates: np.ndarray, block: np.ndarray, names: Sequence[str]) -> None:
    """Raise a PanelError for a covariate that blocks, or the covariates before it, imply."""
    known = np.isfinite(covariates).all(axis=1)
    index = np.unique(block[known], return_inverse=True)[1]
    for place, name in enumerate(names[: known.sum()]):
        if within_block_basis(covariates[known, : place + 1], index).shape[1] <= place:
            before = listed(["the block", *names[:place]])
            expected = f"values of {name} that do not follow from {before}"
            raise refused("covariates", expected, "a weighted sum of these", "leave it out")


def _with_known_periods(cities: CityFile) -> CityFile:
    """Return the panel without periods in which no unit has a value: a period without rows is none,
    either.
    """
    known = np.isfinite(cities.growth).any(axis=0)
    if not known.any():
        return cities
    return replace(cities, growth=cities.growth[:, known], years=cities.years[known])


def _with_most_periods(cities: CityFile, least_share: float) -> tuple[np.ndarray, list[str]]:
    """Return which units have a value in a share of the periods, (N,) bool, and name the others."""
    share = np.isfinite(cities.growth).mean(axis=1)
    kept = share >= least_share
    said = []
    if not kept.all():
        said.append(
            f"Left out, with a value in less than {least_share:.0%} of the periods: "
            f"{listed(cities.city_ids[~kept].tolist())}."
        )
    said += note_periods_without_rows(cities)
    n_gaps = int((share[kept] < 1).sum())
    if n_gaps:
        said.append(
            f"Periods are missing for {n_gaps} of {kept.sum()} units: each period's reference is "
            "over the units that are there, and there are no channels."
        )
    return kept, said


def _lines_of(result: PrimaryResult, outcome: str) -> list[str]:
    """Return the figures of a result as lines for people, without its warnings."""
    lines = [
        f"{result.n_cities} units, {result.n_pilots} treated units ({result.n_movable} movable), "
        f"{result.n_blocks} {plural(result.n_blocks, 'blocks', 'block')} with both"
    ]
    is_given = result.measure == GIVEN
    cycle = f"cycle of {outcome} (less its linear trend)"
    for name, one in ((outcome, result), (cycle, result.cycle)):
        if one is not None and one.p_value is not None:
            family = f"  p of both series {one.p_value_family:.4f}"
            alone = ""
            levels = [
                f"{name}: synchronization with never-treated units {_number(one.before)} before, "
                f"{_number(one.after)} after, {_number(one.without_admission)} without treatment"
            ]
            if is_given:
                # a measure may be given less what cities and blocks have in common
                levels = []
                family = ""
                alone = " by this p alone"
            lines += [
                *levels,
                f"{name}: change {_estimate(one)}{family}",
                *_adjustment(name, one),
                f"{name}: found in 80 % of cases{alone}: a rise of "
                f"{_number(one.minimum_detectable_rise)}, a fall of "
                f"{_number(one.minimum_detectable_fall)}",
                *(f"{name}: {text}" for text in of_units(filter(None, [one.reason]))),
                *(f"{name}: channel {part.channel}: {_estimate(part)}" for part in one.channels),
            ]
    return lines


def _adjustment(name: str, one: PrimaryResult) -> list[str]:
    """Return what covariates leave of treatment, and which of both measures decides."""
    if not isinstance(one, AdjustedResult):
        return []
    return [
        f"{name}: net of covariates, {one.dealing} permutation; they leave "
        f"{one.variation_left:.1%} of the variation of treatment; {one.n_negative} of "
        f"{one.n_treated_years} treated cells have a negative weight, together "
        f"{_number(one.weight_negative)}",
        f"{name}: p of both series is of the larger of the measure and of that with capped gaps "
        f"(p {one.p_value_larger:.4f} alone)",
    ]


def _estimate(one: PrimaryResult | Channel) -> str:
    interval = f"[{_number(one.ci_low)}, {_number(one.ci_high)}]"
    return f"{_number(one.estimate)}  95 % {interval}  p {one.p_value:.4f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:+.4f}"
