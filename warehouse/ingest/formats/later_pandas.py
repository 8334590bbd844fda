"""pandas only where a file needs it: pyarrow loads it (a quarter of a second) merely to ask whether
an array is one of pandas'.
"""

from __future__ import annotations

import sys
from types import ModuleType


class _Refusal:
    """Says that there is no pandas.

    A finder without the base class of finders, whose module loads half of importlib.
    """

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        """Refuse pandas, know nothing of other modules."""
        if name == "pandas":
            raise ModuleNotFoundError(
                "pandas is held back in this process until a file needs it", name=name
            )


_REFUSAL = _Refusal()


def hold_pandas_back() -> None:
    """From here on pandas counts as not installed in this process, until `load_pandas`."""
    sys.meta_path.insert(0, _REFUSAL)


def load_pandas() -> ModuleType:
    """The module, held back or not."""
    if _REFUSAL in sys.meta_path:
        sys.meta_path.remove(_REFUSAL)
    import pandas

    return pandas
