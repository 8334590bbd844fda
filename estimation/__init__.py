"""citysync: difference in differences on panels of pairs that share units, with inference that
holds.

    import citysync as cs

    fit = cs.fit(df, outcome="sync", unit=("exporter", "importer"), time="year",
                 cohort="first_year", block="continent")
    fit.summary(); fit.tidy(); fit.plot(); cs.etable(fit, file="table.docx")

Nothing heavy is imported before a name is used. In the repository the same package is called
`estimation`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # what type checkers see; at run time each is imported where it is used
    from . import data as data
    from .api.audit.audit import audit as audit
    from .api.audit.card import Audit as Audit
    from .api.fit import ESTIMATORS as ESTIMATORS
    from .api.fit import fit as fit
    from .api.policy import PolicyFit as PolicyFit
    from .api.policy import policy as policy
    from .api.primary import PrimaryFit as PrimaryFit
    from .api.primary import primary as primary
    from .api.result import Fit as Fit
    from .api.tables import etable as etable
    from .api.vcov import Errors as Errors
    from .api.vcov import vcov as vcov
    from .api.words import VARIANCE_ESTIMATORS as VARIANCE_ESTIMATORS
    from .panel.panel_error import PanelError as PanelError
    from .results import NotEstimable as NotEstimable

__version__ = "0.2.0"
# public name: the module that holds it
PUBLIC = {
    "Audit": "api.audit.card",
    "ESTIMATORS": "api.fit",
    "Errors": "api.vcov",
    "VARIANCE_ESTIMATORS": "api.words",
    "Fit": "api.result",
    "NotEstimable": "results",
    "PanelError": "panel.panel_error",
    "PolicyFit": "api.policy",
    "PrimaryFit": "api.primary",
    "audit": "api.audit.audit",
    "etable": "api.tables",
    "fit": "api.fit",
    "policy": "api.policy",
    "primary": "api.primary",
    "vcov": "api.vcov",
}
__all__ = [*PUBLIC, "data"]  # noqa: PLE0604 (the keys are texts)


class _Library(ModuleType):
    """This package: `policy` and `primary` stay the functions when the folders are imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in PUBLIC and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


def __getattr__(name: str) -> Any:
    if name == "data":
        return import_module(".data", __name__)
    if name not in PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{PUBLIC[name]}", __name__), name)
    setattr(sys.modules[__name__], name, value)
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])


sys.modules[__name__].__class__ = _Library
