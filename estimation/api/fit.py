"""`cs.fit`: an estimator on a pair panel in whatever frame or file it lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..fit import ESTIMATORS as ON_PAIRS
from ..fit import fit_panel
from ..inference.permutation.draws import show_progress
from ..panel.pair_columns import COHORT, TIME, UNIT, PairColumns
from ..panel.pair_file import read_pairs
from ..panel.pair_panel import PairPanel
from ..panel.panel_error import PanelError
from ..primary import WITHIN_BLOCK
from ..results import CONTROL_PAIRS, VARIANCE_ESTIMATORS, FitResult, NotEstimable
from .result import Fit
from .words import faults_of_units

ESTIMATORS = (*ON_PAIRS, WITHIN_BLOCK)
# names for panels of other units than cities
SYNONYMS = {"block_jackknife": "province_jackknife", "unit": "city", "pair": "conventional"}


def fit(
    panel: Any,
    outcome: str,
    *,
    unit: tuple[str, str] = UNIT,
    time: str = TIME,
    cohort: Any = COHORT,
    block: Any = None,
    estimator: str = "twfe",
    controls: Sequence[str] = (),
    weights: str | None = None,
    exposure: str = "one",
    vcov: str | Sequence[str] | None = None,
    permutations: int = 9999,
    seed: int = 1,
    shuffle: str = "block",
    control_pairs: str = CONTROL_PAIRS[0],
    reference: int = -1,
    binning: tuple[int, int] | None = None,
    progress: bool | None = None,
) -> Fit:
    """Fit an estimator of difference in differences on a panel of pairs.

    Parameters
    ----------
    panel : frame, relation, mapping or path
        One row per pair and period: a frame of pandas, polars or pyarrow, a DuckDB relation, a
        mapping of names to arrays, or a path to CSV, Parquet or Stata's .dta. Only the columns that
        are named are read.
    outcome : str
        Column of the outcome: numbers, blanks are left out.
    unit : (str, str)
        Columns of the two units of a pair: numbers or text, in any order; a pair has no direction.
    time : str
        Years, or periods counted from 1.
    cohort : str, (str, str), mapping, series or frame
        First treated period, blank = never. One column: of the pair. Two columns, a mapping of unit
        to period, a series or a frame with two columns (unit, period): of the units, and the
        exposure of pairs is built from them. A panel with rows in both orders may have one column
        of the units that stand first, or second.
    block : str, (str, str), mapping, series or frame, optional
        Group of each unit, such as its province or continent: admissions are permuted within
        blocks, and the jackknife leaves one out at a time. A name stands for `name_<unit>`,
        `<unit>_name` or `name_i, name_j` where the panel has these two columns.
    estimator : str
        ``twfe``, ``event_study``, ``callaway_santanna``, ``sun_abraham``, ``gardner``,
        ``borusyak``, ``etwfe`` or ``within_block``.
    controls : sequence of str
        Columns that vary within pairs.
    weights : str, optional
        A column with one positive number per pair; for ``twfe`` and ``event_study``.
    exposure : str
        With cohorts of units: ``one``, a pair is treated from the period in which its only treated
        unit is, and pairs of two treated units are left out; ``both``, once both its units are: the
        sizes of the other lines were not measured there, so read the permutation.
    vcov : str or sequence of str, optional
        Of ``conventional`` (clustered by pair), ``dyadic``, ``city`` (by unit),
        ``province_jackknife`` (by block) and ``permutation``. None: each coefficient's default, and
        permutation.
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
    progress : bool, optional
        Bars of the draws; None: on a terminal, after two seconds.

    Returns
    -------
    Fit

    Raises
    ------
    PanelError
        On any fault of the panel; it names row and column, what was expected, what was found and
        what to do.
    NotEstimable
        If nothing in the panel identifies the coefficient, or the estimator cannot do what is
        asked.
    """
    columns = PairColumns(
        outcome, _two(unit), time, cohort, block, _names(controls, "controls"), weights, exposure
    )
    draws = {
        "permutations": _count(permutations, "permutations"),
        "seed": _count(seed, "seed"),
        "shuffle": shuffle,
    }
    design = {"control_pairs": control_pairs, "reference": reference, "binning": binning}
    return estimate(
        panel, columns, estimator=estimator, vcov=vcov, **draws, **design, progress=progress
    )


def estimate(
    panel: Any,
    columns: PairColumns,
    *,
    estimator: str = "twfe",
    vcov: str | Sequence[str] | None = None,
    permutations: int = 9999,
    seed: int = 1,
    shuffle: str = "block",
    control_pairs: str = CONTROL_PAIRS[0],
    reference: int = -1,
    binning: tuple[int, int] | None = None,
    progress: bool | None = None,
) -> Fit:
    """`fit` with the columns already named; the command line comes in here."""
    if control_pairs not in CONTROL_PAIRS:
        raise PanelError(
            "control_pairs",
            None,
            None,
            f"one of {', '.join(CONTROL_PAIRS)}",
            repr(control_pairs),
            "choose one of them",
        )
    if estimator not in ESTIMATORS:
        raise PanelError(
            "estimator",
            None,
            None,
            f"one of {', '.join(ESTIMATORS)}",
            repr(estimator),
            "choose one of them",
        )
    lines = _lines(vcov)
    draws = {"permutations": permutations, "seed": seed}
    with faults_of_units(columns.unit != UNIT), show_progress(progress):
        file = read_pairs(panel, columns)
        if estimator == WITHIN_BLOCK:
            result = _fit_within_block(file.panel, columns, lines, shuffle, control_pairs, **draws)
        else:
            result = fit_panel(
                file.panel,
                estimator=estimator,
                vcov=lines,
                shuffle="province" if shuffle in ("block", "province") else shuffle,
                control_pairs=control_pairs,
                control_names=columns.controls,
                reference=reference,
                binning=binning,
                keep_parts=True,
                **draws,
            )
    return Fit.of(result, columns, file, permutations, seed)


def _fit_within_block(
    panel: PairPanel,
    columns: PairColumns,
    vcov: tuple[str, ...] | None,
    shuffle: str,
    control_pairs: str,
    *,
    permutations: int,
    seed: int,
) -> FitResult:
    from ..primary.within_block import fit_pair_panel

    lines = set(vcov or ("permutation",))
    is_plain = shuffle != "all" and control_pairs == CONTROL_PAIRS[0] and columns.exposure == "one"
    if columns.controls or columns.weights or not is_plain or lines != {"permutation"}:
        raise NotEstimable(
            f"{WITHIN_BLOCK} takes no controls, weights or exposure to both, permutes within "
            "provinces and has the permutation alone: "
            "leave controls, shuffle, control group and vcov out"
        )
    try:
        return fit_pair_panel(panel, permutations=permutations, seed=seed)
    except ValueError as error:
        raise NotEstimable(str(error)) from error


def _lines(vcov: str | Sequence[str] | None) -> tuple[str, ...] | None:
    if vcov is None:
        return None
    given = (
        [name.strip() for name in vcov.split(",")]
        if isinstance(vcov, str)
        else _names(vcov, "vcov")
    )
    lines = tuple(SYNONYMS.get(name, name) for name in given)
    for name in lines:
        if name not in VARIANCE_ESTIMATORS:
            raise PanelError(
                "vcov",
                None,
                None,
                f"some of {', '.join(VARIANCE_ESTIMATORS)}",
                repr(name),
                "choose among them",
            )
    return lines


def _names(given: str | Sequence[str], what: str) -> tuple[str, ...]:
    names = (given,) if isinstance(given, str) else tuple(given)
    if not all(isinstance(name, str) for name in names):
        raise PanelError(what, None, None, "names of columns", repr(given), "give a list of texts")
    return names


def _two(unit: tuple[str, str]) -> tuple[str, str]:
    names = _names(unit, "unit")
    if len(names) != 2 or names[0] == names[1]:
        raise PanelError(
            "unit",
            None,
            None,
            "two names of columns, one for each unit of a pair",
            repr(unit),
            "give unit=(first, second)",
        )
    return names[0], names[1]


def _count(value: int, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise PanelError(what, None, None, "a whole number from 0", repr(value), "correct it")
    return value
