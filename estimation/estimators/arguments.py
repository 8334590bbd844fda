"""What a fit may be asked for, whatever its panel: names that do not exist and settings that an
estimator does not have are refused before anything is fitted.
"""

from __future__ import annotations

from ..options import CONTROL_PAIRS, Options
from ..panel.pair_panel import PairPanel
from ..results import VARIANCE_ESTIMATORS, NotEstimable
from .registry import ESTIMATORS as REGISTRY
from .registry import names


def check_arguments(panel: PairPanel, estimators, options: Options, control_names) -> None:
    """Refuse what does not exist, names that do not fit the controls, and weights, a reference or
    bins for an estimator that has none.
    """
    for name in estimators:
        if name not in REGISTRY:
            raise ValueError(f"estimator {name}: expected one of {', '.join(REGISTRY)}")
    for name in options.vcov or ():
        if name not in VARIANCE_ESTIMATORS:
            raise ValueError(f"vcov {name}: expected some of {', '.join(VARIANCE_ESTIMATORS)}")
    shuffle, binning = options.shuffle, options.binning
    if isinstance(shuffle, str) and shuffle not in ("province", "all"):
        raise ValueError(f"shuffle {shuffle}: expected province, all or an array of strata")
    if options.control_pairs not in CONTROL_PAIRS:
        raise ValueError(
            f"control_pairs {options.control_pairs}: expected one of {', '.join(CONTROL_PAIRS)}"
        )
    n_controls = 0 if panel.controls is None else len(panel.controls)
    if n_controls != len(control_names):
        raise ValueError(f"control_names: expected {n_controls} names, found {len(control_names)}")
    for name in estimators:
        if panel.weight is not None and REGISTRY[name].family != "two_way":
            weighted = " and ".join(names("two_way"))
            raise NotEstimable(f"{name} takes no weights: leave weights out, or choose {weighted}")
        if name != "event_study" and (options.reference != -1 or binning is not None):
            raise NotEstimable(
                f"{name} has no reference period and no bins to choose: leave them out, or choose "
                "event_study"
            )
    if binning is not None and not (len(binning) == 2 and binning[0] < 0 <= binning[1]):
        raise NotEstimable(
            f"binning {tuple(binning)}: expected the first and the last event time, such as (-5, 5)"
        )
