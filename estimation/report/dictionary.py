"""The data dictionary: tables and columns of the publication, with their comments in English and
their words in Chinese.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from . import language
from .data import ReportData


def dictionary_frame(data: ReportData) -> pd.DataFrame:
    """One row a column: `table, column, type, en, zh`."""
    rows = data["columns"]
    return pd.DataFrame(
        {
            "table": rows["table_name"],
            "column": rows["column_name"],
            "type": rows["data_type"],
            "en": rows["comment"].fillna(""),
            "zh": [
                language.column_words(*key)
                for key in zip(rows["table_name"], rows["column_name"], strict=True)
            ],
        }
    )


def build_dictionary(data: ReportData) -> list[dict[str, Any]]:
    """Tables in order, each with its words and its columns."""
    frame = dictionary_frame(data)
    comments = data["table_comments"].set_index("table_name")["comment"]
    return [
        {
            "name": name,
            "en": comments.get(name) or "",
            "zh": language.table_words(name),
            "columns": own.to_dict("records"),
        }
        for name, own in frame.groupby("table", sort=False)
    ]
