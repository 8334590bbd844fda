"""Every estimator by name: the one list that `fit`, a `Spec` and the command line read.

A new estimator needs a file in this folder and a row here; CONTRIBUTING.md lists where its name is
shown. Nothing heavy is imported before an estimator is used, so that reading a list of specs costs
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from numbers import Integral
from types import ModuleType
from typing import Any

from ..options import CONTROL_PAIRS
from ..results import NotEstimable


@dataclass(frozen=True)
class Estimator:
    """One row of the list.

    Attributes
    ----------
    name : str
        What a `Spec` and the command line call it.
    label : str
        For people.
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
    label: str
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
    chooses_control_pairs: bool = False
    gives_cells: bool = False
    uses_always_treated: bool = False

    def fit(self, sample: Any, inputs: Any) -> Any:
        """Fit the estimator on a sample: a `FitSample` and `Inputs` to a `Fitted`."""
        return _module(self.family).fit(self, sample, inputs)

    def build_model(self, sample: Any) -> Any:
        """The `GroupTimeModel` of an estimator of that family."""
        file, function = self.model.split(":")
        return getattr(_module(file), function)(sample)


def _module(name: str) -> ModuleType:
    return import_module(f".{name}", __package__)


ESTIMATORS: dict[str, Estimator] = {
    estimator.name: estimator
    for estimator in (
        Estimator(
            "twfe",
            "two-way fixed effects",
            "two-way",
            "two_way",
            term="treated",
            takes_weights=True,
            uses_always_treated=True,
        ),
        Estimator(
            "event_study",
            "event study with two-way fixed effects",
            "event study",
            "two_way",
            term="",
            takes_weights=True,
            has_reference=True,
        ),
        Estimator(
            "callaway_santanna",
            "Callaway and Sant'Anna 2021",
            "Callaway-Sant'Anna",
            "group_time",
            model="callaway_santanna:callaway_santanna",
            takes_controls=False,
            chooses_control_pairs=True,
            gives_cells=True,
        ),
        Estimator(
            "sun_abraham",
            "Sun and Abraham 2021",
            "Sun-Abraham",
            "group_time",
            model="sun_abraham_etwfe:sun_abraham",
            gives_cells=True,
        ),
        Estimator(
            "gardner",
            "two-stage, Gardner 2022",
            "Gardner",
            "group_time",
            model="imputation:gardner",
        ),
        Estimator(
            "borusyak",
            "imputation, Borusyak, Jaravel and Spiess 2024",
            "Borusyak et al.",
            "group_time",
            model="imputation:borusyak",
        ),
        Estimator(
            "etwfe",
            "extended two-way fixed effects, Wooldridge 2021",
            "extended two-way",
            "group_time",
            model="sun_abraham_etwfe:etwfe",
        ),
        Estimator(
            "doubly_robust",
            "doubly robust, Sant'Anna and Zhao 2020",
            "doubly robust",
            "doubly_robust",
            no_draws="a draw of doubly_robust would fit the propensity of every cohort anew.",
            on_any_panel=False,
            needs_never_treated=True,
            controls_are_fixed=True,
        ),
        Estimator(
            "entropy_balanced",
            "two-way fixed effects with entropy balancing, Hainmueller 2012",
            "entropy-balanced",
            "entropy_balancing",
            on_any_panel=False,
            needs_never_treated=True,
            needs_city_covariates=True,
        ),
    )
}


def names(family: str | None = None, *, on_any_panel: bool | None = None) -> tuple[str, ...]:
    """Names in the order of the list, of one family or of those that any panel can be given to."""
    return tuple(
        row.name
        for row in ESTIMATORS.values()
        if family in (None, row.family) and on_any_panel in (None, row.on_any_panel)
    )


def check_arguments(panel: Any, estimators: Iterable[str], options: Any) -> None:
    """Refuse weights, control pairs, a reference or bins of a panel and its `Options` for an
    estimator that has none to choose, before anything is fitted.
    """
    binning = options.binning
    for name in estimators:
        estimator = ESTIMATORS[name]
        if panel.weight is not None and not estimator.takes_weights:
            weighted = " and ".join(row.name for row in ESTIMATORS.values() if row.takes_weights)
            raise NotEstimable(f"{name} takes no weights: leave weights out, or choose {weighted}")
        if options.control_pairs != CONTROL_PAIRS[0] and not estimator.chooses_control_pairs:
            raise NotEstimable(
                f"{name} has no control pairs to choose: leave control_pairs (--control-pairs) "
                "out, or choose callaway_santanna"
            )
        if not estimator.has_reference and (options.reference != -1 or binning is not None):
            raise NotEstimable(
                f"{name} has no reference period and no bins to choose: leave them out, or choose "
                "event_study"
            )
    are_whole = isinstance(binning, Sequence) and all(isinstance(one, Integral) for one in binning)
    is_two = are_whole and len(binning) == 2
    if binning is not None and not (is_two and binning[0] < 0 <= binning[1]):
        raise NotEstimable(
            f"binning {binning!r}: expected the first and the last event time, the first below 0 "
            "and the last not, such as (-5, 5)"
        )
