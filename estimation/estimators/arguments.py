"""Settings that an estimator does not have are refused before anything is fitted; names are checked
where they come in, by `cs.fit` and by a `Spec`.
"""

from __future__ import annotations

from ..options import Options
from ..panel.pair_panel import PairPanel
from ..results import NotEstimable
from .registry import ESTIMATORS as REGISTRY
from .registry import names


def check_arguments(panel: PairPanel, estimators, options: Options) -> None:
    """Refuse weights, a reference or bins for an estimator that has none."""
    binning = options.binning
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
