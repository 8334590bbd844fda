"""`cs.fit`: fit an estimator on a pair panel from any kind of frame or file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from math import inf
from typing import Any, Literal, TypedDict, Unpack, overload

import numpy as np

from ..defaults import DRAWS
from ..engines.all_pairs import MEASURES as CLOSED
from ..engines.all_pairs import sum_all_pairs
from ..engines.choose import ENGINES, TWO_WAY, choose_engine, exceeds_memory
from ..engines.interface import Units
from ..estimators.registry import EstimatorName
from ..fit_panel import ESTIMATORS as ON_PAIRS
from ..fit_panel import fit_panel, fit_summed
from ..inference.permutation.draws import show_progress
from ..measures.synchronization import MEASURES, STANDARDISED, pair_outcome, standardise
from ..options import CONTROL_PAIRS, Options
from ..panel.city_file import note_periods_without_rows, read_cities
from ..panel.pair_columns import UNIT, PairColumns
from ..panel.pair_file import PairFile, note_pairs_of_two, note_treated_later, read_pairs
from ..panel.pair_panel import EXPOSURES, PairPanel, within_window
from ..panel.panel_error import (
    PanelError,
    need,
    refused,
    require_among,
    require_count,
    require_names,
    require_pair,
    require_text,
)
from ..panel.unit_values import beside
from ..primary import WITHIN_BLOCK
from ..results import FitResult, NotEstimable
from .primary import LEAST_DRAWS
from .result import Fit
from .words import OWN, PUBLISHED, Line, faults_of_units, permutation_p

ESTIMATORS: tuple[str, ...] = (*ON_PAIRS, WITHIN_BLOCK)


class FitOptions(TypedDict, total=False):
    """What `fit` takes by name, for type checkers; `fit` has the defaults."""

    series: str | None
    time: str
    cohort: Any
    block: Any
    estimator: EstimatorName
    controls: Sequence[str]
    weights: str | None
    exposure: Literal["one", "both"]
    vcov: Line | Sequence[Line] | None
    permutations: int
    seed: int
    shuffle: Literal["block", "all"]
    control_pairs: Literal["never_treated", "not_yet_treated"]
    reference: int
    binning: tuple[int, int] | None
    engine: Literal["arrays", "all_pairs"] | None
    progress: bool | None


@overload
def fit(
    panel: Any, outcome: str, *, unit: str | tuple[str, str] | None, **options: Unpack[FitOptions]
) -> Fit: ...


@overload
def fit(
    panel: Any,
    outcome: list[str] | tuple[str, ...],
    *,
    unit: str | tuple[str, str] | None,
    **options: Unpack[FitOptions],
) -> list[Fit]: ...


def fit(
    panel: Any,
    outcome: str | Sequence[str],
    *,
    unit: str | tuple[str, str] | None,
    series: str | None = None,
    time: str = "year",
    cohort: Any = "cohort_year",
    block: Any = None,
    estimator: EstimatorName = "twfe",
    controls: Sequence[str] = (),
    weights: str | None = None,
    exposure: Literal["one", "both"] = "one",
    vcov: Line | Sequence[Line] | None = None,
    permutations: int = DRAWS,
    seed: int = 1,
    shuffle: Literal["block", "all"] = "block",
    control_pairs: Literal["never_treated", "not_yet_treated"] = "never_treated",
    reference: int = -1,
    binning: tuple[int, int] | None = None,
    engine: Literal["arrays", "all_pairs"] | None = None,
    progress: bool | None = None,
) -> Fit | list[Fit]:
    """Fit an estimator of difference in differences on a panel of pairs.

    Parameters
    ----------
    panel : frame, relation, mapping or path
        One row per pair and period: a frame of pandas, polars or pyarrow, a DuckDB relation, a
        mapping of names to arrays, or a path to CSV, Parquet or Stata's .dta. Only the columns that
        are named are read.
    outcome : str or sequence of str
        Column of the outcome: numbers, blanks are left out; several are fitted one by one. For a
        panel of units see `series`. Also ``"y ~ x1 + x2 | pair + year"``, as in pyfixest: outcome,
        controls, and the effects of pairs (by any name) and of `time`; treatment is that of
        `cohort`.
    unit : (str, str)
        Columns of the two units of a pair: numbers or text, in any order; a pair has no direction.
        Text of digits alone is read as numbers, unless an id begins with 0.
        None: ``city_i_id``, ``city_j_id``, the smaller id first.
        One column: the panel has a row for a unit in a period, and the outcome is made for all
        pairs of its units.
    series : str, optional
        For a panel of units, the column that the outcome measures the synchronization of; `outcome`
        is then a measure: ``cm``, ``comove``, ``dispersion``, ``cm_bounded``, ``neg_abs_gap``,
        ``neg_abs_residual`` or ``mean``.
    time : str
        Years, periods counted from 1, or dates (also as text: ``2010Q1``, ``2010-03``), which are
        numbered as years, quarters, months or days, the coarsest unit that distinguishes them.
    cohort : str, (str, str), mapping, series, frame or path
        First treated period; blank, or after the last period = never. One column: of the pair. Two
        columns, a mapping of unit to period, a series, a frame or a file with two columns (unit,
        period): of the units, and the exposure of pairs is built from them. If every pair has rows
        in both orders, one column with the period of the row's first unit, or of its second, is
        enough.
    block : str, (str, str), mapping, series, frame or path, optional
        Group of each unit, such as its region or continent: treatments are permuted within
        blocks, and the jackknife leaves one out at a time. A name stands for `name_<unit>`,
        `<unit>_name` or `name_i, name_j` where the panel has these two columns.
    estimator : str
        One of `cs.ESTIMATORS`; docs/methods, section 6, and ``citysync fit --help`` describe them.
    controls : sequence of str
        Columns that vary within pairs.
    weights : str, optional
        A column with one positive number per pair; for two-way estimators.
    exposure : str
        With cohorts of units: ``one``, a pair is treated from the period in which its only treated
        unit is, and pairs of two treated units are left out; ``both``, once both its units are: how
        often the other methods reject there was not measured, so read the permutation.
    vcov : str or sequence of str, optional
        Of ``pair`` (clustered by pair: the contrast), ``dyadic``, ``unit``, ``block_jackknife`` and
        ``permutation``. None: each coefficient's default, and permutation.
    permutations : int
        Draws; 0 leaves the permutation out. With fewer relabellings than that, all are enumerated.
    seed : int
    shuffle : str
        Where treatment moves in the permutation: within a ``block``, or over ``all`` units.
    control_pairs : str
        Pairs that ``callaway_santanna`` compares a cohort with: ``never_treated`` or
        ``not_yet_treated``.
    reference : int
        Period from treatment that an event study leaves out.
    binning : (int, int), optional
        First and last period from treatment of an event study; those beyond are counted to them.
    engine : str, optional
        What adds the pairs up: ``arrays``, or ``all_pairs``, in closed form from a panel of units
        and without a permutation. None: chosen by what is given and asked for; `Fit.engine` says
        which. Both give the same numbers.
    progress : bool, optional
        Bars of the draws; None: on a terminal, after two seconds.

    Returns
    -------
    Fit, or a list of them
        One for each outcome where several are given.

    Raises
    ------
    PanelError
        On any fault of the panel; it names row and column, what was expected, what was found and
        what to do.
    NotEstimable
        If nothing in the panel identifies the coefficient, or the estimator cannot do what is
        asked.

    Examples
    --------
    >>> pairs = cs.data.euro()
    >>> unit = ("iso_a", "iso_b")
    >>> lines = ["pair", "dyadic"]
    >>> fit = cs.fit(pairs, "cm", unit=unit, cohort="euro", vcov=lines, permutations=0)
    >>> {line: float(fit.se(line)["treated"].round(3)) for line in lines}
    {'pair': 0.035, 'dyadic': 0.097}
    """
    for name, value, allowed in (
        ("estimator", estimator, ESTIMATORS),
        ("exposure", exposure, EXPOSURES),
        ("shuffle", shuffle, ("block", "all")),
        ("control_pairs", control_pairs, CONTROL_PAIRS),
        ("engine", engine, (*ENGINES, None)),
        ("progress", progress, (False, True, None)),
    ):
        require_among(name, [value], allowed)
    if series is not None:
        require_text(series, "series", "the name of a column", "give the name of a column")
    options = Options(
        lines_of(vcov),
        require_count(permutations, "permutations"),
        seed=require_count(seed, "seed"),
        shuffle="province" if shuffle == "block" else "all",
        control_pairs=control_pairs,
        reference=require_count(reference, "reference", -inf),
        binning=binning,
        keep_parts=True,
    )
    pair = (unit, unit) if isinstance(unit, str) else require_pair(UNIT if unit is None else unit)
    if pair[0] == pair[1] and series is None:
        expected = "two names of columns, one for each unit of a pair, or one with a series"
        raise refused("unit", expected, unit, "give unit=(first, second)")
    found = []
    for name in require_names(outcome, "outcome"):
        y, more = _of_formula(name, time, pair) if "~" in name else (name, ())
        columns = PairColumns(
            y,
            pair,
            time,
            beside(cohort, "cohort"),
            None if block is None else beside(block, "block"),
            (*more, *require_names(controls, "controls", may_be_empty=True)),
            weights,
            exposure,
            ordered=unit is None,
        )
        with faults_of_units(), show_progress(progress):
            found.append(_estimate(panel, columns, estimator, options, series, engine))
    return found[0] if isinstance(outcome, str) else found


def _of_formula(text: str, time: str, unit: tuple[str, str]) -> tuple[str, tuple[str, ...]]:
    """Outcome and controls of ``y ~ x | pair + time``."""
    outcome, _, right = (part.strip() for part in text.partition("~"))
    terms, _, effects = (part.strip() for part in right.partition("|"))
    controls = [name.strip() for name in terms.split("+") if name.strip() not in {"", "0", "1"}]
    two = [name.strip() for name in effects.split("+")]
    is_plain = all(name.isidentifier() for name in (outcome, *controls))
    if not is_plain or len(two) != 2 or time not in two or not set(two).isdisjoint(unit):
        expected = f"y ~ x1 + x2 | pair + {time}: columns, and effects of pairs and of {time}"
        remedy = "make other columns before; for other effects fit with pyfixest and call cs.vcov"
        raise refused("outcome", expected, text, remedy)
    return outcome, tuple(controls)


def _estimate(
    panel: Any,
    columns: PairColumns,
    estimator: str,
    options: Options,
    series: str | None,
    engine: str | None,
) -> Fit:
    lacks_numba = options.wants_draws and estimator != WITHIN_BLOCK and find_spec("numba") is None
    if lacks_numba:
        if options.vcov is not None:
            raise need("numba", "the permutation")
        options = options.but(permutations=0)
    fit_one = _fit_units if columns.is_of_units else _fit_pairs
    result, file, used = fit_one(panel, columns, estimator, options, series, engine)
    found = Fit.of(result, columns, file, options)
    if not found.estimates:
        reasons = [text for text in found.warnings if " is left out" in text] or found.warnings
        raise NotEstimable(
            "no inference method that was asked for can be given: " + " ".join(reasons)
        )
    notes = found.warnings
    if lacks_numba and not any("permutation is left out" in text for text in notes):
        notes += ("The permutation is left out: it needs numba (pip install numba).",)
    if options.permutations < LEAST_DRAWS and permutation_p(found.estimates) is not None:
        notes += (f"No p of so few draws is below 0.05: give permutations={LEAST_DRAWS} or more.",)
    return replace(found, engine=used, warnings=notes)


def _is_plain(columns: PairColumns) -> bool:
    return not columns.controls and columns.weights is None and columns.exposure == "one"


def _fit_pairs(
    panel: Any,
    columns: PairColumns,
    estimator: str,
    options: Options,
    series: str | None,
    engine: str | None,
) -> tuple[FitResult, PairFile, str]:
    if series is not None:
        raise PanelError(
            "series",
            None,
            None,
            "a panel of units",
            "two units in a row",
            "give unit as one column, or leave series out",
        )
    engine = choose_engine(engine, serves=False, is_better=False)
    file = read_pairs(panel, columns)
    if estimator == WITHIN_BLOCK:
        return _fit_within_block(file.panel, columns, options), file, engine
    found = fit_panel(
        file.panel, estimator=estimator, control_names=columns.controls, options=options
    )
    return found, file, engine


def _fit_units(
    panel: Any,
    columns: PairColumns,
    estimator: str,
    options: Options,
    series: Any,
    engine: str | None,
) -> tuple[FitResult, PairFile, str]:
    """Return a panel of units: its pairs in closed form, or listed."""
    unit, measure = columns.unit[0], columns.outcome
    require_among("outcome", [measure], MEASURES)
    for name, given in (("controls", columns.controls), ("weights", columns.weights)):
        if given not in ((), None):
            raise refused(name, "none for a panel of units", given, "give a panel of pairs")
    # without blocks every unit is read as its own
    block = unit if columns.block is None else columns.block
    file = read_cities(panel, replace(columns, outcome=series, block=block))
    gap = np.argwhere(~np.isfinite(file.growth))
    if len(gap):
        period = file.years[gap[0, 1]]
        found = f"no value of {file.city_ids[gap[0, 0]]} in {file.shown.get(period, period)}"
        remedy = "leave the unit or the period out, or give a panel of pairs"
        raise PanelError("series", None, series, "every unit in every period", found, remedy)
    if len(file.years) < 2:
        found, remedy = f"only {file.years[0]}", "give a panel over time"
        raise PanelError("series", None, columns.time, "at least two years", found, remedy)
    if measure in STANDARDISED:
        # the unit of a standardised series does not matter: by a power of two no digit changes
        largest = np.abs(file.growth).max()
        if 0 < largest < 1:
            file = replace(file, growth=file.growth * np.exp2(-np.floor(np.log2(largest))))
    varies = np.isfinite(standardise(file.growth)).all(axis=1)
    if measure in STANDARDISED and not varies.all():
        found = f"one value in every period of {file.city_ids[np.argmin(varies)]}"
        remedy = "leave the unit out, or choose neg_abs_gap"
        expected = f"every unit to vary, because {measure} divides by its standard deviation"
        raise PanelError("series", None, series, expected, found, remedy)
    notes = (*file.notes, *note_periods_without_rows(file))
    notes += tuple(note_treated_later(file.cohort, file.years, file.city_ids))
    if columns.exposure == "one":
        n_treated = int((within_window(file.cohort, file.years) > 0).sum())
        notes += tuple(note_pairs_of_two(n_treated * (n_treated - 1) // 2))
    province = None if columns.block is None else file.block
    serves = measure in CLOSED and estimator in TWO_WAY and _is_plain(columns)
    # draws are quicker from listed pairs, and need them
    is_better = not options.wants_draws or exceeds_memory(file.growth.size * len(file.growth), 4)
    engine = choose_engine(engine, serves=serves, is_better=is_better)
    if engine == "all_pairs":
        units = Units(file.city_ids, file.years, file.cohort, province)
        result = fit_summed(sum_all_pairs(file.growth, measure, units), estimator, options)
        return result, PairFile(None, notes, file.backend), engine
    i, j = np.triu_indices(len(file.growth), 1)
    y = pair_outcome(measure, file.growth, i, j)
    pairs = PairPanel(
        i,
        j,
        file.years,
        y,
        file.cohort,
        province,
        city_ids=file.city_ids,
        exposure=columns.exposure,
    )
    listed = PairFile(pairs, notes, file.backend)
    if estimator == WITHIN_BLOCK:
        return _fit_within_block(pairs, columns, options), listed, engine
    return fit_panel(pairs, estimator=estimator, options=options), listed, engine


def _fit_within_block(panel: PairPanel, columns: PairColumns, options: Options) -> FitResult:
    from ..primary.pair_means import fit_pair_panel

    lines = set(options.vcov or ("permutation",))
    is_plain = options.shuffle != "all" and options.control_pairs == CONTROL_PAIRS[0]
    if not (is_plain and _is_plain(columns)) or lines != {"permutation"}:
        raise NotEstimable(
            f"{WITHIN_BLOCK} takes no controls, weights or exposure to both, permutes within "
            "blocks and has the permutation alone: "
            "leave controls, shuffle, control group and vcov out"
        )
    try:
        return fit_pair_panel(panel, permutations=options.permutations, seed=options.seed)
    except ValueError as error:
        raise NotEstimable(str(error)) from error


def lines_of(vcov: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """Inference methods by their published names; either name may be given."""
    if vcov is None:
        return None
    given = require_names(vcov, "vcov")
    require_among("vcov", [name for name in given if name not in OWN], PUBLISHED, "some")
    return tuple(PUBLISHED.get(name, name) for name in given)
