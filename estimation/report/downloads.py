"""Files to download: CSV by name, one for every chart and table that offers one."""

from __future__ import annotations

import pandas as pd

from ..csv_files import frame_csv
from .data import ReportData
from .language import book

# file: query
FILES = {
    "coefficients": "coefficient",
    "events": "event",
    "claims": "claim",
    "checks": "check",
    "weights": "weight",
    "own_outcomes": "own_outcome",
    "literature": "literature",
    "codebook": "codebook",
    "placebos": "placebo",
    "stood_out": "stood_out",
    "channels": "channel",
    "primary": "primary",
    "power": "power",
    "specification_curve": "curve",
    "specification_curve_tests": "curve_summary",
    "gap": "gap",
    "without_province": "without_province",
    "distance": "distance",
    "city_change": "city_change",
    "cities": "cities",
    "batches": "batches",
    "primary_cities": "primary_cities",
    "coverage": "coverage",
    "sources": "sources",
    "origins": "origins",
    "conflicts": "conflict_sources",
    "revisions": "revision_worst",
    "changes": "estimate_changes",
    "flag_changes": "flag_changes",
    "current_changes": "current_changes",
    "failing_rows": "gate_rows",
    "truth_coverage": "truth_coverage",
    "flagged": "flagged_rows",
    "errata": "errata_rows",
    "rejected": "rejected_rows",
    "files": "files",
    "estimates": "estimate",
    "policy_mix": "policy_tool",
}


def downloads(data: ReportData) -> dict[str, str]:
    """CSV text by file name, without ending."""
    frames: dict[str, pd.DataFrame] = {name: data[query] for name, query in FILES.items()}
    frames["headline"] = data["estimate"][data["estimate"]["analysis"].eq("baseline")]
    frames["dictionary"] = _dictionary(data)
    return {name: frame_csv(frame) for name, frame in frames.items()}


def _dictionary(data: ReportData) -> pd.DataFrame:
    """Columns of the publication with their comments in English and their words in Chinese."""
    rows, words = data["columns"], book("dictionary.yml")
    return pd.DataFrame(
        {
            "table": rows["table_name"],
            "column": rows["column_name"],
            "type": rows["data_type"],
            "en": rows["comment"].fillna(""),
            "zh": [
                words["of_table"].get(f"{table}.{name}") or words["columns"].get(name, "")
                for table, name in zip(rows["table_name"], rows["column_name"], strict=True)
            ],
        }
    )
