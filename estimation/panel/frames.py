"""Columns to a frame of the kind a person works with."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from .columns import BACKENDS
from .panel_error import need


def as_frame(columns: Mapping[str, list[Any]], backend: str = "") -> Any:
    """A frame of pandas, polars or pyarrow; of pandas where none is named.

    Raises
    ------
    ValueError
        If there is no such kind.
    ImportError
        If it is not installed.
    """
    name = backend or BACKENDS[0]
    if name not in BACKENDS:
        raise ValueError(f"backend {backend!r}: expected one of {', '.join(BACKENDS)}")
    if not find_spec(name):
        raise need(name, f"a frame of {name}")
    module = import_module(name)
    if name == "pyarrow":
        return module.table(dict(columns))
    if name == "polars":
        return module.DataFrame(dict(columns), infer_schema_length=None)
    frame = module.DataFrame(dict(columns))
    whole = [key for key, values in columns.items() if any(type(value) is int for value in values)]
    # None between whole numbers would make them floats, and a column of None an object
    frame = frame.astype(dict.fromkeys(whole, "Int64"))
    empty = [key for key, values in columns.items() if all(value is None for value in values)]
    return frame.astype(dict.fromkeys(empty, "float64"))
