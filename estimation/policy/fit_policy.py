"""The primary test of a list: window and exposure by the rules of the zones, the refusals, the
test itself, and what is read beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..defaults import DRAWS, DRAWS_OF_CHECKS, LEAST_SHARE, LEVEL
from ..panel.city_file import CityFile
from ..panel.panel_error import too_few
from ..primary.city_panel import MINIMUM_YEARS_BEFORE, CityPanel, Window
from ..primary.contrast import treatment_contrast
from ..primary.fit_primary import (
    STATISTIC_VERSION,
    PrimaryResult,
    counted,
    fit_measure,
    fit_primary,
    fit_window,
    without_verdict,
)
from ..primary.measure import net_of_effects
from ..primary.selection import selection_rows
from ..primary.written_rule import hash_of_starts
from .listing import IN_PANEL, LEFT_OUT, TAKEN, UNIDENTIFIED, UNTREATED, Place, PolicyList

# The window begins so many years before the first start, where the series reaches back so far.
YEARS_BEFORE = 5
# Below these a list is refused.
MINIMUM_MOVABLE = 20
MINIMUM_BLOCKS = 5
# Others that leave less of the variation of the treatment cannot be told apart from it.
LEAST_LEFT = 0.01
# Another policy whose treatment is correlated so much with that of the list is taken for the same.
SAME_POLICY = 0.9
NOT_TOLD_APART = "The list and the other policies start in the same units and years."


@dataclass(frozen=True, kw_only=True)
class Sample(Window):
    """Units complete in the window of a list.

    Attributes
    ----------
    rows : (N,) int array
        Of the units in the file.
    places : tuple of Place
        Of the list, with what the window and the panel say of each.
    reasons : tuple of str
        Why the list is refused; empty where it is not.
    """

    rows: np.ndarray
    places: tuple[Place, ...] = ()
    reasons: tuple[str, ...] = ()

    def ids_of(self, panel: CityPanel) -> list[Any]:
        """Return the units that the panel holds, in its order."""
        return self.city_ids[panel.kept].tolist()


@dataclass(frozen=True)
class PolicyResult:
    """What the primary test says of a list.

    Attributes
    ----------
    sample : Sample
    result : PrimaryResult
        Of growth, its cycle beside it; without a verdict where the list is refused.
    weights : tuple of dict
        year since the start, weight, n_cells.
    checks : tuple of (str, PrimaryResult)
        ``capped``: gaps cut at their 90 % quantile; ``a_year_earlier``: every start a year before.
    placebos : tuple of dict
        placebo (``selection``: growth before the first start; ``time``: all starts moved back into
        the years before the first), name, estimate, ci_low, ci_high, p_value, joint_p_value.
    overlaps : tuple of dict
        other, n_units, n_both, correlation of both treatments net of unit and block x year effects.
    net : PrimaryResult or None
        The same test of the measure less what the other policies are estimated to do.
    rule : dict
        Everything that decides the result but the data.
    """

    sample: Sample
    result: PrimaryResult
    weights: tuple[dict[str, Any], ...] = ()
    checks: tuple[tuple[str, PrimaryResult], ...] = ()
    placebos: tuple[dict[str, Any], ...] = ()
    overlaps: tuple[dict[str, Any], ...] = ()
    net: PrimaryResult | None = None
    rule: Mapping[str, Any] | None = None

    @property
    def cautions(self) -> tuple[str, ...]:
        """Placebos that find something, each in a sentence."""
        said = []
        selected = [row for row in self.placebos if row["placebo"] == "selection"]
        if selected and selected[0]["joint_p_value"] < LEVEL:
            p = selected[0]["joint_p_value"]
            said.append(
                "The cities of the list already grew in another way than the others of their "
                f"province before the first start (joint p {p:.3f}): the list may have been chosen "
                "by growth."
            )
        moved = [row for row in self.placebos if row["placebo"] == "time"]
        if moved and moved[0]["p_value"] < LEVEL:
            said.append(
                "With every start moved back into the years before the first one the test finds a "
                f"change, too (p {moved[0]['p_value']:.3f}): the comparison is in doubt."
            )
        return tuple(said)


def fit_policy(
    cities: CityFile,
    listed: PolicyList,
    *,
    others: Mapping[str, Mapping[Any, int]] | None = None,
    permutations: int = DRAWS,
    seed: int = 1,
) -> PolicyResult:
    """Test whether the units of a list moved with the others after their policy started.

    Parameters
    ----------
    cities : CityFile
        Growth in all years that there are; its cohorts are not used.
    listed : PolicyList
    others : mapping, optional
        First treated years of other policies, by name and unit.
    permutations, seed : int

    Returns
    -------
    PolicyResult

    Notes
    -----
    Window, exposure and refusals: docs/methods, section 18.15. The test is `fit_primary`.
    """
    sample = sample_of(cities, listed)
    rule = rule_of(sample, permutations, seed)
    panel = sample.panel
    if sample.reasons:
        said = counted(panel, None, capped=False)
        return PolicyResult(sample, without_verdict(said, sample.reasons), rule=rule)
    result = fit_window(sample, permutations=permutations, seed=seed)
    if result.p_value is None:
        return PolicyResult(sample, result, rule=rule)
    few = {"permutations": min(permutations, DRAWS_OF_CHECKS), "seed": seed}
    overlaps, net = _beside_others(sample, panel, others or {}, few)
    return PolicyResult(
        sample,
        result,
        weights=_weights(panel),
        checks=_checks(sample, few),
        placebos=(
            *selection_rows(panel.growth, panel.years, panel.cohort, panel.block, **few),
            *_moved_back(cities, sample, few),
        ),
        overlaps=overlaps,
        net=net,
        rule=rule,
    )


def sample_of(cities: CityFile, listed: PolicyList) -> Sample:
    """Return the window of a list, its complete units, and what becomes of each place."""
    span = span_of(cities.growth, cities.years)
    first, last = int(cities.years[span[0]]), int(cities.years[span[-1]])
    places = tuple(
        _in_span(one, first, last, set(cities.city_ids.tolist())) for one in listed.places
    )
    starts = {one.unit: one.start for one in places if one.status == TAKEN}
    inside = [start for start in starts.values() if start <= last]
    if inside:
        first = max(first, min(inside) - YEARS_BEFORE)
    in_window = (cities.years >= first) & (cities.years <= last)
    growth, years = cities.growth[:, in_window], cities.years[in_window]
    out = {one.unit for one in places if one.status == LEFT_OUT}
    ids = cities.city_ids.tolist()
    cohort = np.array([starts.get(unit, 0) for unit in ids], dtype=np.int64)
    cohort[cohort > last] = 0
    is_out = np.array([unit in out for unit in ids])
    is_known = np.isfinite(growth)
    rows = np.flatnonzero(is_known.all(axis=1) & ~is_out)
    growth = np.ascontiguousarray(growth[rows])
    given = (growth, years, cohort[rows], np.asarray(cities.block)[rows], cities.city_ids[rows])
    sample = Sample(*given, rows=rows)
    panel = sample.panel
    movable = dict(zip(sample.ids_of(panel), panel.movable.tolist(), strict=True))
    missing = {unit: years[~known].tolist() for unit, known in zip(ids, is_known, strict=True)}
    places = tuple(_in_panel(one, sample.years, movable, missing) for one in places)
    return replace(sample, places=places, reasons=_refusals(panel))


def span_of(growth: np.ndarray, years: np.ndarray) -> np.ndarray:
    """Return the places of the years from the newest that most units have back to the first gap.

    A year without a row is a gap like a year without a value.
    """
    counts = np.isfinite(growth).sum(axis=0)
    enough = counts >= LEAST_SHARE * counts.max()
    steps = np.diff(years)
    last = int(np.flatnonzero(enough)[-1])
    first = last
    while first > 0 and enough[first - 1] and steps[first - 1] == steps.min():
        first -= 1
    return np.arange(first, last + 1)


def _in_span(one: Place, first: int, last: int, units: set[Any]) -> Place:
    """Return what the years of the series say of a place."""
    if one.status != TAKEN:
        return one
    if one.unit not in units:
        return replace(one, status=LEFT_OUT, reason="The data hold no figures of it.")
    if one.end is not None and one.end <= last:
        reason = f"The policy ended in {one.end}, and the test is of one that lasts."
        return replace(one, status=LEFT_OUT, reason=reason)
    if one.start <= first:
        reason = f"It starts in {one.start}, and the series begins in {first}: no year before."
        return replace(one, status=LEFT_OUT, reason=reason)
    if one.start > last:
        reason = f"It starts in {one.start}, after the last year of the data ({last})."
        return replace(one, status=UNTREATED, reason=reason)
    return one


def _in_panel(
    one: Place,
    years: np.ndarray,
    movable: Mapping[Any, bool],
    missing: Mapping[Any, Sequence[int]],
) -> Place:
    """Return what the panel says of a place that the list takes."""
    if one.status != TAKEN:
        return one
    if one.unit not in movable:
        reason = "Its growth is constant or a straight line."
        if missing[one.unit]:
            gaps = ", ".join(str(year) for year in missing[one.unit])
            reason = f"Its growth in {gaps} is missing; {years[0]} to {years[-1]} are needed."
        return replace(one, status=LEFT_OUT, reason=reason)
    if not movable[one.unit]:
        reason = "All cities of its province start in the same year: nothing to compare with."
        return replace(one, status=UNIDENTIFIED, reason=reason)
    return one


def _refusals(panel: CityPanel) -> tuple[str, ...]:
    """Return why a list is refused, a sentence for each reason."""
    if len(panel.cohorts) == 0:
        return (
            "Refused: no city of the list can be tested, for the reasons given beside its rows; "
            "give a list of cities with figures that start inside the years of the data.",
        )
    before = int((panel.years < panel.cohorts[0]).sum())
    movable, blocks = int(panel.movable.sum()), int(panel.mixed.sum())
    counts = [
        (
            before,
            MINIMUM_YEARS_BEFORE,
            f"Refused: {before} years before the first start ({panel.cohorts[0]}), at least "
            f"{MINIMUM_YEARS_BEFORE} are needed; leave out the cities that start so early.",
            f"Refused: {before} year before the first start ({panel.cohorts[0]}), at least "
            f"{MINIMUM_YEARS_BEFORE} are needed; leave out the cities that start so early.",
        ),
        (
            movable,
            MINIMUM_MOVABLE,
            f"Refused: {movable} cities of the list can be compared inside their province, at "
            f"least {MINIMUM_MOVABLE} are needed; give a list with more cities, and leave others "
            "in their provinces out of it.",
            f"Refused: {movable} city of the list can be compared inside its province, at least "
            f"{MINIMUM_MOVABLE} are needed; give a list with more cities, and leave others in "
            "their provinces out of it.",
        ),
        (
            blocks,
            MINIMUM_BLOCKS,
            f"Refused: {blocks} provinces hold cities of the list and others, at least "
            f"{MINIMUM_BLOCKS} are needed; give a list that covers more provinces in part.",
            f"Refused: {blocks} province holds cities of the list and others, at least "
            f"{MINIMUM_BLOCKS} are needed; give a list that covers more provinces in part.",
        ),
    ]
    return too_few(counts)


def rule_of(sample: Sample, permutations: int, seed: int) -> dict[str, Any]:
    """Return what decides the result but the data."""
    starts = sorted(f"{one.unit} {one.start}" for one in sample.places if one.status in IN_PANEL)
    # nobody is compared with these
    left_out = {str(one.unit) for one in sample.places if one.status == LEFT_OUT}
    return {
        "window": [int(sample.years[0]), int(sample.years[-1])],
        "family": ["growth", "cycle"],
        "found": f"p_value_family < {LEVEL}",
        "permutations": permutations,
        "seed": seed,
        "statistic_version": STATISTIC_VERSION,
        "starts": starts,
        "starts_sha256": hash_of_starts(starts),
        "left_out": sorted(left_out),
    }


def _weights(panel: CityPanel) -> tuple[dict[str, Any], ...]:
    """Return the weight of the estimate by years since the start."""
    weight = treatment_contrast(panel).weight[panel.block, panel.label]
    ages = panel.ages[panel.label]
    rows = []
    for age in range(int(ages.max()) + 1):
        cells = ages == age
        row = {"year": age, "weight": float(weight[cells].sum()), "n_cells": int(cells.sum())}
        rows.append(row)
    return tuple(rows)


def _checks(sample: Sample, settings: Mapping[str, int]) -> tuple[tuple[str, PrimaryResult], ...]:
    earlier = np.where(sample.cohort > 0, sample.cohort - 1, 0)
    others = {"capped": replace(sample, capped=True)}
    others["a_year_earlier"] = replace(sample, cohort=earlier)
    return tuple((name, fit_window(one, **settings)) for name, one in others.items())


def _moved_back(
    cities: CityFile, sample: Sample, settings: Mapping[str, int]
) -> tuple[dict[str, Any], ...]:
    """Return all starts moved back so that the first falls in the middle of the years before it."""
    first_start = int(sample.cohort[sample.cohort > 0].min())
    span = cities.years[span_of(cities.growth, cities.years)]
    years = span[span < first_start]
    if len(years) < MINIMUM_YEARS_BEFORE + 1:
        return ()
    shift = first_start - int(years[max(MINIMUM_YEARS_BEFORE, len(years) // 2)])
    growth = cities.growth[np.ix_(sample.rows, np.isin(cities.years, years))]
    cohort = np.where(sample.cohort > 0, sample.cohort - shift, 0)
    found = fit_primary(growth, years, cohort, sample.block, **settings)
    if found.p_value is None:
        return ()
    row = {
        "placebo": "time",
        "name": f"{shift} years back",
        "first_year": int(years[0]),
        "last_year": int(years[-1]),
        "joint_p_value": None,
    }
    for name in ("estimate", "ci_low", "ci_high", "p_value"):
        row[name] = getattr(found, name)
    return (row,)


def _beside_others(
    sample: Sample,
    panel: CityPanel,
    others: Mapping[str, Mapping[Any, int]],
    settings: Mapping[str, int],
) -> tuple[tuple[dict[str, Any], ...], PrimaryResult | None]:
    """Return how far each other policy treats the same units and years, and the test net of all."""
    own = panel.treated[panel.label]
    ids = sample.ids_of(panel)
    rows, paths = [], []
    for name, starts in others.items():
        first = np.array([starts.get(unit, np.inf) for unit in ids], dtype=float)
        path = (panel.years[None, :] >= first[:, None]).astype(float)
        if not path.any():
            continue
        both = int(((panel.label > 0) & path.any(axis=1)).sum())
        nets = [net_of_effects(one, panel.block).ravel() for one in (own, path)]
        correlation = float(np.corrcoef(nets)[0, 1])
        covered = int(path.any(axis=1).sum())
        rows.append({"other": name, "n_units": covered, "n_both": both, "correlation": correlation})
        if correlation < SAME_POLICY:
            paths.append(path)
    if not rows:
        return (), None
    if not paths:
        return tuple(rows), without_verdict(counted(panel, None, capped=False), (NOT_TOLD_APART,))
    return tuple(rows), _net_of(panel, own, np.stack(paths), settings)


def _net_of(
    panel: CityPanel, own: np.ndarray, paths: np.ndarray, settings: Mapping[str, int]
) -> PrimaryResult:
    """Return the test of the measure less what one regression gives the other policies.

    The estimate is that of the regression on all policies; its test holds the parts of the others.
    """
    y = panel.measured(panel.growth)[2]
    within = [net_of_effects(one, panel.block).ravel() for one in (own, *paths)]
    others = np.stack(within[1:], axis=1)
    left = within[0] - others @ np.linalg.lstsq(others, within[0], rcond=None)[0]
    given = (panel.years, panel.cohort, panel.block)
    if left @ left < LEAST_LEFT * (within[0] @ within[0]):
        return without_verdict(counted(panel, None, capped=False), (NOT_TOLD_APART,))
    design = np.stack(within, axis=1)
    parts = np.linalg.lstsq(design, net_of_effects(y, panel.block).ravel(), rcond=None)[0]
    rest = y - np.tensordot(parts[1:], paths, axes=1)
    return fit_measure(rest, *given, **settings)
