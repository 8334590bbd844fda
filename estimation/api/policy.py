"""`cs.policy`: the primary test for a list of units and dates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from ..defaults import DRAWS
from ..panel.city_file import CityFile, read_cities
from ..panel.columns import as_frame, columns_of
from ..panel.pair_columns import PairColumns
from ..panel.panel_error import PanelError, refused, require_count, require_mapping
from ..panel.panel_table import FIRST_YEAR, listed
from ..panel.unit_values import beside, cohorts_of_units, rows_beside
from ..policy.fit_policy import SAME_POLICY, PolicyResult, fit_policy, span_of
from ..policy.listing import (
    LEFT_OUT,
    REJECTED,
    SYNCHRONIZATION,
    Names,
    Place,
    read_list,
)
from .primary import CITY, LEAST_DRAWS, PrimaryFit
from .text import Text, wrapped
from .words import faults_of_units, of_units

if TYPE_CHECKING:
    import pandas as pd

PLACE = ("row", "given", "unit", "start", "status", "reason")
NOT_TAKEN = (LEFT_OUT, REJECTED)
# beside what is checked
CHECK = ("name", "estimate", "ci_low", "ci_high", "p_value")


@dataclass(frozen=True, repr=False)
class PolicyFit:
    """The primary test of a list, and what is read beside it.

    Attributes
    ----------
    primary : PrimaryFit
        The test: estimate, interval, p, channels, what could have been found.
    result : PolicyResult
        The same with weights, checks, placebos, overlaps and the test net of other policies.
    warnings : tuple of str
    """

    primary: PrimaryFit
    result: PolicyResult
    warnings: tuple[str, ...] = field(default=())

    @property
    def is_refused(self) -> bool:
        """Whether the rules refuse the list; the warnings say why."""
        return bool(self.result.sample.reasons)

    def places(self) -> pd.DataFrame:
        """Return one row for each row of the list: its unit, first treated period, status and
        reason.
        """
        columns = columns_of(self.result.sample.places, PLACE)
        columns["reason"] = list(of_units(columns["reason"]))
        return as_frame(columns, self.primary.backend)

    def tidy(self) -> pd.DataFrame:
        """Return one row for each effect and channel, as `PrimaryFit.tidy`."""
        return self.primary.tidy()

    def checks(self) -> pd.DataFrame:
        """Return placebos and variants of the test, one row each.

        Returns
        -------
        frame
            Columns `check, name, estimate, ci_low, ci_high, p_value`; none of a refused list.
            `check` is ``selection`` (growth before the first start), ``time`` (all starts moved
            back into the years before the first), ``capped`` (gaps cut at their 90 % quantile) or
            ``a_year_earlier`` (every start a year before).
        """
        rows = [*self.result.placebos]
        rows += [
            vars(found) | {"placebo": check, "name": "change"}
            for check, found in self.result.checks
        ]
        columns = {"check": [row["placebo"] for row in rows]}
        for name in CHECK:
            columns[name] = [row[name] for row in rows]
        return as_frame(columns, self.primary.backend)

    def summary(self) -> Text:
        """Return places, the test, the test net of others, the placebo in time, and warnings."""
        lines = [f"list: {_counted(self.result.sample.places)}", str(self.primary.summary())]
        net = self.result.net
        if net is not None and net.estimate is not None:
            lines.append(
                f"net of the other policies: change {net.estimate:+.4f}  p {net.p_value:.4f}"
            )
        for row in self.result.placebos:
            if row["placebo"] == "time":
                lines.append(
                    f"placebo in time, {row['name']}: change {row['estimate']:+.4f}  "
                    f"p {row['p_value']:.4f}"
                )
        return Text("\n".join([*lines, *wrapped(self.warnings)]))

    def __repr__(self) -> str:
        return str(self.summary())


def policy(
    panel: Any,
    places: Any,
    outcome: str = "growth",
    *,
    unit: str = CITY,
    time: str = "year",
    block: Any = "block_id",
    others: Mapping[str, Mapping[Any, int]] | None = None,
    permutations: int = DRAWS,
    seed: int = 1,
) -> PolicyFit:
    """Test whether the units of a list moved in step with the others after their policy started.

    Parameters
    ----------
    panel : frame, relation, mapping or path
        One row per unit and period, with all periods that there are; see `cs.fit`. A unit without
        a value in some period of the window is left out, and the window begins after the last
        period that is missing for all; `cs.primary` takes panels with gaps, and quarters or months.
    places : frame, mapping of column names to arrays, or path
        The list: columns `unit` (or `city`) and `year` or `date`, optional `end`, `scope` and
        `outcome`. A date of July to December counts from the next year. A row of scope
        ``province`` names a block and stands for all its units; ``city`` and ``area`` stand for
        the unit, ``county`` for none. `outcome` must be ``synchronization``.
    outcome, unit, time, block
        As of `cs.primary`.
    others : mapping, optional
        First treated periods of other policies, by name and unit, for overlaps and for the test net
        of them.
    permutations, seed : int

    Returns
    -------
    PolicyFit
        A list that the rules refuse has no figures, and its warnings say why: fewer than three
        periods before the first start, than 20 units that can be compared inside their block, or
        than five blocks with both kinds.

    Raises
    ------
    PanelError
        On any fault of the panel, for a place of the list that the panel does not hold, for a year
        beside another date, and for a list that declares another outcome.

    Notes
    -----
    Window, exposure and refusals: docs/methods, section 18.15. The test is that of `cs.primary`,
    on a window that begins five periods before the first start.

    Examples
    --------
    >>> countries = cs.data.euro_countries()
    >>> members = countries.dropna(subset="euro_year").drop_duplicates("iso")
    >>> entry = {"unit": members["iso"], "year": members["euro_year"]}
    >>> found = cs.policy(countries, entry, unit="iso", block="region", permutations=99)
    >>> print(found.warnings[0].partition(";")[0])
    Refused: 19 units of the list can be compared inside their block, at least 20 are needed
    """
    permutations = require_count(permutations, "permutations", LEAST_DRAWS)
    seed = require_count(seed, "seed")
    with faults_of_units():
        columns = PairColumns(outcome, (unit, unit), time, None, beside(block, "block"))
        cities = read_cities(panel, columns)
        if cities.years[-1] < FIRST_YEAR:
            remedy = "call cs.primary with the first treated period of each unit as cohort="
            raise PanelError("panel", None, time, "years", "other periods", remedy)
        starts, notes = _starts_of_others({} if others is None else others, cities)
    # its columns and scopes keep their names
    given = read_list(places, _names(cities))
    if given.outcome not in ("", SYNCHRONIZATION):
        expected = f"{SYNCHRONIZATION}, that of {outcome!r}, which is tested"
        remedy = "leave out the column; in a checkout `citysync policy` tests outcomes of cities"
        raise PanelError("list", None, "outcome", expected, repr(given.outcome), remedy)
    result = fit_policy(cities, given, others=starts, permutations=permutations, seed=seed)
    notes += _gaps(cities, result)
    same = [row["other"] for row in result.overlaps if row["correlation"] >= SAME_POLICY]
    if same:
        notes.append(
            f"The test net of the other policies leaves out {listed(same)}: nearly the list's own "
            "units and years."
        )
    elif result.net is not None and result.net.reason:
        notes.append(result.net.reason)
    start = int(cities.years[span_of(cities.growth, cities.years)[0]])
    is_earlier = cities.years < start
    if result.sample.years[0] == start and np.isfinite(cities.growth[:, is_earlier]).any():
        notes.append(f"The window begins in {start}: too few units have the period before.")
    # a row may stand for several units
    taken = {one.row for one in result.sample.places if one.status not in NOT_TAKEN}
    rows = {one.row for one in result.sample.places if one.status in NOT_TAKEN}
    for how, found in (("", rows - taken), (" in full", rows & taken)):
        if found:
            notes.append(
                f"Rows of the list that are not taken{how} (places() says why): "
                f"{listed(sorted(found))}."
            )
    warnings = of_units((*cities.notes, *notes, *result.result.warnings, *result.cautions))
    shown = PrimaryFit(outcome, result.result, (), unit, cities.backend)
    return PolicyFit(shown, result, tuple(dict.fromkeys(warnings)))


def _names(cities: CityFile) -> Names:
    """Return the ids of the units and blocks of the panel."""
    unit_of = {str(one): one for one in cities.city_ids.tolist()}
    of_block: dict[str, list[Any]] = {}
    for one, block in zip(cities.city_ids.tolist(), cities.block, strict=True):
        of_block.setdefault(str(block), []).append(one)

    def find(text: str) -> tuple[Any, list[Any]]:
        return unit_of.get(text), of_block.get(text, [])

    return Names(find, list(unit_of), "unit", "block")


def _gaps(cities: CityFile, result: PolicyResult) -> list[str]:
    """Name the units for comparison that lack a value in the window; the list has its own."""
    sample = result.sample
    inside = np.isin(cities.years, sample.years)
    has_gaps = ~np.isfinite(cities.growth[:, inside]).all(axis=1)
    of_list = {one.unit for one in sample.places}
    gone = [str(one) for one in cities.city_ids[has_gaps].tolist() if one not in of_list]
    if not gone:
        return []
    window = f"{sample.years[0]} to {sample.years[-1]}"
    return [f"Units that lack a value in {window} are not compared with: {listed(gone)}."]


def _starts_of_others(
    others: Mapping[str, Any], cities: CityFile
) -> tuple[dict[str, dict[Any, int]], list[str]]:
    """Return the first treated periods of other policies by unit of the panel, and what to say of
    them.
    """
    require_mapping(others, "others", object, "first treated periods by name of a policy")
    found, notes = {}, []
    for name, given in others.items():
        what = f"others[{name!r}]"
        if isinstance(given, Real):
            expected = "first treated periods of units, by name of a policy"
            raise refused("others", expected, given, "give {'its name': the periods}")
        rows, more = rows_beside(beside(given, what), what, cities.city_ids, None)
        first = cohorts_of_units(rows, list(rows.table.columns), cities.city_ids, cities.years)
        notes += more
        found[name] = {cities.city_ids[k]: int(first[k]) for k in np.flatnonzero(first)}
        if not (first[first > 0] <= cities.years[-1]).any():
            notes.append(f"{what} treats no unit by {cities.years[-1]}: it is left out.")
    return found, notes


def _counted(places: tuple[Place, ...]) -> str:
    counts = Counter(one.status for one in places)
    return ", ".join(f"{n} {status.replace('_', ' ')}" for status, n in counts.items())
