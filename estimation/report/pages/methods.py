"""The page Methods: each method in a paragraph with formula and measured size and power, limits,
words, how to cite.
"""

from __future__ import annotations

from typing import Any

from ..shown_specs import PRIMARY, SECOND_WINDOW
from .context import Context

METHODS = (
    "sync",
    "primary",
    "twoway",
    "staggered",
    "jackknife",
    "permutation",
    "clustered",
    "curve",
    "family",
)
LIMITS = ("spill", "ahead", "select", "pandemic", "gdp")
WORDS = ("landing", "line", "tie", "pilot", "headline", "cohort")


def methods(page: Context) -> dict[str, Any]:
    """Return everything the template of the page sets."""
    w = page.words
    power = [row for row in page.rows("power") if row["spec_id"] in (PRIMARY, SECOND_WINDOW)]
    return {
        "methods": [
            {"name": name, **{part: w(f"methods.{name}_{part}") for part in "tpfm"}}
            for name in METHODS
        ],
        "parts": [
            *((name, f"methods.{name}_t") for name in METHODS),
            *((name, f"methods.{name}") for name in ("limits", "glossary", "cite")),
        ],
        "limits": [w(f"methods.limit_{name}") for name in LIMITS],
        "glossary": [w(f"methods.word_{name}") for name in WORDS],
        "power": [
            (page.variant_name(row["spec_id"]), w.name("imposed", row["imposed"]), row)
            for row in power
        ],
    }
