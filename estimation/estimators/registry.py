"""Every estimator by name: the one list that `fit`, a `Spec` and the command line read.

A new estimator needs a file in this folder, a row here and its name in `EstimatorName`;
CONTRIBUTING.md has the other steps. Nothing heavy is imported before an estimator is used, so that
reading a list of specs costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from numbers import Integral
from types import ModuleType
from typing import Any, Literal

from ..options import CONTROL_PAIRS
from ..results import NotEstimable

# what `cs.fit` takes, for type checkers: the estimators on any panel, and that of `primary`
EstimatorName = Literal[
    "twfe",
    "event_study",
    "callaway_santanna",
    "sun_abraham",
    "gardner",
    "borusyak",
    "etwfe",
    "within_block",
]


@dataclass(frozen=True)
class Estimator:
    """One row of the list.

    Attributes
    ----------
    name : str
        What a `Spec` and the command line call it.
    description : str
        What `citysync fit --help` says it is.
    short_label : str
        For the head of a column.
    term : str
        Name of the coefficient that is the effect as a whole; empty where there is none.
    family : str
        File of this folder whose function ``fit(estimator, sample, inputs)`` returns the `Fitted`
        (`fitted.py`). Several estimators may share a file.
    model : str
        For estimators of the family ``group_time``: ``file:function``. The function takes a
        `FitSample` and returns a `GroupTimeModel`.
    no_draws : str
        Why it has no permutation: the end of the warning 'The permutation is left out: ...', whose
        Chinese is in `report/messages.yml`.
    on_any_panel : bool
        Whether `cs.fit` and the command line offer it: it needs nothing but a pair panel.
    needs_never_treated : bool
        Whether it can compare with never-treated pairs alone.
    needs_city_covariates : bool
        Whether it weights cities by their covariates, which are given separately from the panel.
    controls_are_fixed : bool
        Whether its controls (covariates) must be constant within pairs; other estimators leave such
        controls out.
    takes_weights : bool
        Whether pairs can be weighted.
    takes_controls : bool
        Whether controls (covariates) may be given; otherwise its `fit` refuses them.
    has_reference : bool
        Whether its effects are relative to an event time that can be chosen, and can be binned.
    leads_from_last : bool
        Whether effects before treatment are differences from the last period before it, as Honest
        DiD takes them.
    chooses_control_pairs : bool
        Whether `Options.control_pairs` says which pairs it compares with: never-treated ones, or
        also those that are treated later. Then a cell without a comparison is not estimated; for
        other estimators it is a fault of the panel, and the option is refused.
    gives_cells : bool
        Whether the effect of each cohort in each period is a result too.
    uses_always_treated : bool
        Whether pairs that are treated in every period serve as controls of later ones, so that
        comparisons between treated pairs enter.
    """

    name: str
    description: str
    short_label: str
    family: str
    term: str = "att"
    model: str = ""
    no_draws: str = ""
    on_any_panel: bool = True
    needs_never_treated: bool = False
    needs_city_covariates: bool = False
    controls_are_fixed: bool = False
    takes_weights: bool = False
    takes_controls: bool = True
    has_reference: bool = False
    leads_from_last: bool = False
    chooses_control_pairs: bool = False
    gives_cells: bool = False
    uses_always_treated: bool = False

    def fit(self, sample: Any, inputs: Any) -> Any:
        """Fit the estimator on a sample: a `FitSample` and `Inputs` to a `Fitted`."""
        return _module(self.family).fit(self, sample, inputs)

    def build_model(self, sample: Any) -> Any:
        """Return the `GroupTimeModel` of an estimator of that family."""
        file, function = self.model.split(":")
        return getattr(_module(file), function)(sample)


def _module(name: str) -> ModuleType:
    return import_module(f".{name}", __package__)


ESTIMATORS: dict[str, Estimator] = {
    estimator.name: estimator
    for estimator in (
        Estimator(
            "twfe",
            "one effect, pair and year effects (term treated)",
            "two-way",
            "two_way",
            term="treated",
            takes_weights=True,
            uses_always_treated=True,
        ),
        Estimator(
            "event_study",
            "leads and lags, the period before treatment omitted (term event)",
            "event study",
            "two_way",
            term="",
            takes_weights=True,
            has_reference=True,
            leads_from_last=True,
        ),
        Estimator(
            "callaway_santanna",
            "cohorts against never-treated pairs (terms att, event, group_time)",
            "Callaway-Sant'Anna",
            "group_time",
            model="callaway_santanna:callaway_santanna",
            takes_controls=False,
            chooses_control_pairs=True,
            gives_cells=True,
        ),
        Estimator(
            "sun_abraham",
            "interaction-weighted, the same after treatment on a balanced panel",
            "Sun-Abraham",
            "group_time",
            model="sun_abraham_etwfe:sun_abraham",
            leads_from_last=True,
            gives_cells=True,
        ),
        Estimator(
            "gardner",
            "imputation from untreated rows, errors in two stages (terms att, event)",
            "Gardner",
            "group_time",
            model="imputation:gardner",
        ),
        Estimator(
            "borusyak",
            "imputation from untreated rows (terms att, event)",
            "Borusyak et al.",
            "group_time",
            model="imputation:borusyak",
        ),
        Estimator(
            "etwfe",
            "extended two-way (terms att, event)",
            "extended two-way",
            "group_time",
            model="sun_abraham_etwfe:etwfe",
        ),
        Estimator(
            "doubly_robust",
            "cohorts against never-treated pairs alike before",
            "doubly robust",
            "doubly_robust",
            no_draws="a draw of doubly_robust would fit the propensity of every cohort anew.",
            on_any_panel=False,
            needs_never_treated=True,
            controls_are_fixed=True,
        ),
        Estimator(
            "entropy_balanced",
            "twfe with cities weighted to be alike before",
            "entropy-balanced",
            "entropy_balancing",
            on_any_panel=False,
            needs_never_treated=True,
            needs_city_covariates=True,
        ),
    )
}


def names(field: str, value: Any = True) -> tuple[str, ...]:
    """Return names in the order of the list of the estimators in which a field has this value."""
    return tuple(row.name for row in ESTIMATORS.values() if getattr(row, field) == value)


def check_arguments(panel: Any, estimators: Iterable[str], options: Any) -> None:
    """Refuse weights, control pairs, a reference or bins of a panel and its `Options` for an
    estimator that has none to choose, before anything is fitted.
    """
    binning = options.binning
    has_bins = options.reference != -1 or binning is not None
    # whether it is given, the field of estimators that take it, and what is refused
    choices = (
        (panel.weight is not None, "takes_weights", "takes no weights: leave weights out"),
        (
            options.control_pairs != CONTROL_PAIRS[0],
            "chooses_control_pairs",
            "has no control pairs to choose: leave control_pairs (--control-pairs) out",
        ),
        (
            has_bins,
            "has_reference",
            "has no reference period and no bins to choose: leave them out",
        ),
    )
    for name in estimators:
        for is_given, field, refusal in choices:
            if is_given and not getattr(ESTIMATORS[name], field):
                others = " or ".join(names(field))
                raise NotEstimable(f"{name} {refusal}, or choose {others}")
    are_whole = isinstance(binning, Sequence) and all(isinstance(one, Integral) for one in binning)
    is_two = are_whole and len(binning) == 2
    if binning is not None and not (is_two and binning[0] < 0 <= binning[1]):
        raise NotEstimable(
            f"binning {binning!r}: expected the first and the last event time, the first below 0 "
            "and the last not, such as (-5, 5)"
        )
