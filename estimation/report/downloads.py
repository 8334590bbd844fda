"""Files to download: CSV by name, one for every chart and table that offers one."""

from __future__ import annotations

import json

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
    "policies": "policy_test",
    "policy_overlaps": "policy_overlap",
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
    """Return CSV text by file name, without ending."""
    frames: dict[str, pd.DataFrame] = {name: data[query] for name, query in FILES.items()}
    frames["headline"] = data["estimate"][data["estimate"]["analysis"].eq("baseline")]
    frames["dictionary"] = _dictionary(data)
    frames["pilot_zones"] = pilot_zones(data)
    return {name: frame_csv(frame) for name, frame in frames.items()}


def pilot_zones(data: ReportData) -> pd.DataFrame:
    """Return one row a zone, for whoever writes about them: names, dates, city, whether the main
    test has the city, from which year it counts as treated there, how closely it moved with cities
    without a zone before and after, and the keys last. What one city would have had without its
    zone is not there: the test estimates one change for all.
    """
    tested = data["primary_cities"][["city_id", "cohort_year"]]
    cities = data["cities"].drop(columns=["batch", "is_in_sample"])
    zones = data["zones"].merge(cities, on="city_id", how="left")
    zones = zones.merge(tested, on="city_id", how="left")
    zones = zones.merge(data["zone_change"], on="city_id", how="left")
    # a zone inside a city does not make the city a treated one
    is_whole = zones["is_whole_prefecture"].eq(True)
    return pd.DataFrame(
        {
            "zone": zones["zone_name_en"],
            "zone_zh": zones["zone_name_zh"],
            "approved_on": zones["approval_date"],
            "revoked_on": zones["revoked_date"],
            "city": zones["city_name_en"],
            "city_zh": zones["city_name_zh"],
            "province": zones["province_name_en"],
            "province_zh": zones["province_name_zh"],
            "covers_the_whole_city": zones["is_whole_prefecture"],
            "mean_synchronization_before": zones["before"].where(is_whole).astype(float).round(3),
            "mean_synchronization_after": zones["after"].where(is_whole).astype(float).round(3),
            "city_in_the_main_test": zones["city_id"].isin(tested["city_id"]),
            "counts_as_treated_from": zones["cohort_year"].where(is_whole).astype("Int64"),
            "batch": zones["batch"],
            "document": zones["document_no"],
            "longitude": zones["lon_deg"],
            "latitude": zones["lat_deg"],
            "city_id": zones["city_id"],
        }
    )


def zone_map(data: ReportData) -> str:
    """Return the zones as GeoJSON, each at the seat of its city; those of a whole province have
    none.
    """
    features = []
    for row in json.loads(pilot_zones(data).to_json(orient="records")):
        place = [row.pop("longitude"), row.pop("latitude")]
        point = None
        if None not in place:
            point = {"type": "Point", "coordinates": place}
        features.append({"type": "Feature", "geometry": point, "properties": row})
    collection = {"type": "FeatureCollection", "features": features}
    return json.dumps(collection, ensure_ascii=False) + "\n"


def _dictionary(data: ReportData) -> pd.DataFrame:
    """Return columns of the publication with their comments in English and their words in
    Chinese.
    """
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
