"""The sentence under tables whose rows have an estimate and no p, because the study withholds it
(`estimation/study/withhold.py`).
"""

from __future__ import annotations

from collections.abc import Iterable

from .cells import Row
from .language import Words


def withheld_note(words: Words, rows: Iterable[Row]) -> str:
    """Why some rows have no interval and p; empty where none is withheld."""
    measures = sorted(
        {
            str(row["outcome"]).partition("_")[0]
            for row in rows
            if row.get("p_value_withheld_reason")
        }
    )
    if not measures:
        return ""
    names = words.plain("label.and").join(words.name("measures", measure) for measure in measures)
    return words.plain("withheld.note", measures=names)
