"""What was delivered to the fabricated publication: cities, zones, values, files and policy texts,
hostile texts among them.
"""

import pandas as pd

WHY = (
    "In a year over 30 % of an indicator's current values move by more than one log point: a "
    "break of definition or unit."
)
HOSTILE = "<script>alert('x')</script>{{ 7*7 }}&\"'"
GDP = "gdp_nominal_cny_100m"


def table(names: str, *rows: tuple, **same: object) -> pd.DataFrame:
    """Rows under their names; what is the same in every row stands apart."""
    return pd.DataFrame(list(rows), columns=names.split()).assign(**same)


def observations() -> pd.DataFrame:
    """A current value and another source's of one cell's meaning, every text of them hostile."""
    return table(
        "value raw_text source_id edition_year file_name sheet_name cell_ref row_no col_no "
        "unit_delivered priority is_current quality_flag quality_rule quality_detail "
        "observation_note",
        (
            23014.5,
            "23014.5",
            "tidy",
            2021,
            HOSTILE,
            None,
            "D7",
            7,
            4,
            "亿元",
            1,
            True,
            "warned",
            "sign",
            HOSTILE,
            None,
        ),
        (
            22968.6,
            HOSTILE,
            "=cmd()",
            None,
            "b.csv",
            HOSTILE,
            "E9",
            9,
            5,
            None,
            2,
            False,
            "ok",
            None,
            None,
            "①",
        ),
        city_id=110000,
        year=2015,
        indicator_id=GDP,
        unit="cny_100m",
    ).astype({"edition_year": "Int64"})


def city_years(cities: pd.DataFrame) -> pd.DataFrame:
    """Growth of each city in 2010 to 2019; in 2015 it comes from another source than before."""
    years = pd.DataFrame({"year": range(2010, 2020)})
    frame = cities[["city_id"]].merge(years, how="cross")
    return frame.assign(
        growth_official_pct=6.7 + 0.1 * (frame["year"] - 2015),
        growth_official_source_id=frame["year"].eq(2015).map({True: "tidy", False: "other"}),
        growth_deflated_pct=float("nan"),
        growth_official_edition_year=2021,
        growth_deflated_source_id=None,
        growth_official_basis="rate",
        growth_official_basis_before=None,
        growth_official_evidence="printed",
        cpi_prev_year_100=float("nan"),
    )


def policy_tables() -> dict[str, pd.DataFrame]:
    """One text of Hangzhou's zone with two clauses, hostile texts among them."""
    document = table(
        "title document_no issuer issuer_level issue_date issue_year zone_names_zh copy_of "
        "not_stated last_year_in_force",
        (
            f"方案{HOSTILE}",
            None,
            "杭州市人民政府",
            "city",
            None,
            2019,
            ["杭州市"],
            None,
            ["document_no"],
            None,
        ),
        document_id="a.txt",
        is_province_or_country_wide=False,
        force=2,
        first_year_in_force=2019,
    )
    clauses = table(
        "clause_no clause_text tool_class tool matched_terms matched_places marker",
        (1, "给予补贴50万元。", "supply", "capital", "补贴|万元", [3, 7], "1."),
        (2, f"特此通知{HOSTILE}", "none", "none", "", [], None),
        document_id="a.txt",
        clause_kind="body",
        line_no=1,
    )
    tools = table(
        "tool_class tool clause_count strength",
        ("supply", "capital", 2, 30.0),
        ("demand", "outsourcing", 1, 10.0),
        zone_name_zh="杭州市",
        city_id=330100,
        year=2019,
    )
    return {
        "marts.dim_policy_document": document.astype(
            {"issue_date": "datetime64[s]", "last_year_in_force": "Int64"}
        ),
        "marts.fct_policy_clause": clauses,
        "marts.fct_policy_tool": tools,
    }


def cities_and_pairs() -> dict[str, pd.DataFrame]:
    """Three cities, one with a zone, and their pairs."""
    cities = table(
        "city_id city_name_en city_name_zh province_id province_name_en province_name_zh lon_deg "
        "lat_deg treated_year batch treated_year_calendar_year",
        (110000, "Beijing", "北京市", 110000, "Beijing", "北京市", 116.4, 39.9, None, None, None),
        (
            440100,
            "Guangzhou",
            "广州市",
            440000,
            "Guangdong",
            "广东省",
            113.3,
            23.1,
            None,
            None,
            None,
        ),
        (330100, HOSTILE, "杭州市", 330000, "Zhejiang", "浙江省", 120.2, 30.3, 2015, 1, 2015),
    )
    whole = ("treated_year", "batch", "treated_year_calendar_year")
    cities = cities.astype(dict.fromkeys(whole, "Int64"))
    zones = table(
        "zone_name_zh zone_name_en city_id batch approval_date revoked_date document_no "
        "is_whole_prefecture",
        (
            "杭州市",
            "Hangzhou",
            330100,
            1,
            pd.Timestamp("2015-03-07"),
            pd.NaT,
            "国函〔2015〕44号",
            True,
        ),
    )
    years = range(2010, 2020)
    panel = pd.DataFrame(
        {"city_i_id": 110000, "city_j_id": [440100] * 10 + [330100] * 10, "year": [*years, *years]}
    )
    outcomes = [f"{name}_growth_official" for name in ("cm", "comove", "dispersion")]
    for name in (*outcomes, "cm_growth_deflated"):
        panel[name] = [0.1 * k for k in range(20)]
    panel["is_study_window"] = True
    for name in ("cm_newest_growth_official", "cm_newest_growth_deflated"):
        panel[name] = panel["cm_growth_official"]
    cohort = pd.array([None] * 10 + [2015] * 10, dtype="Int64")
    return {
        "marts.dim_city": cities,
        "marts.fct_city_year": city_years(cities),
        "marts.dim_pilot_zone": zones.astype({"revoked_date": "datetime64[ns]"}),
        "marts.panel_pair_year": panel.assign(cohort_year=cohort),
        "marts.fct_pair_synchronization": panel,
        "marts.fct_city_pair": table(
            "city_i_id city_j_id distance_km", (110000, 440100, 1890.0), (110000, 330100, 1120.0)
        ),
    }


def what_was_read() -> dict[str, pd.DataFrame]:
    """Values, sources and files, what contradicts them, and the checks that they met or failed."""
    same = {"city_id": 110000, "year": 2015, "indicator_id": GDP}
    return {
        "marts.fct_indicator_observation": observations(),
        "marts.dim_indicator": table(
            "indicator_id label_en label_zh place_level unit",
            (GDP, HOSTILE, "地区生产总值", "city", "cny_100m"),
        ),
        "marts.fct_indicator_conflict": table(
            "chosen_source_id chosen_value other_source_id other_value relative_gap "
            "suspected_cause",
            (HOSTILE, 1.0, "b", 100.0, 99.0, "unit_factor"),
            **same,
        ),
        "marts.fct_erratum": table(
            "erratum_id source_id file_name cell_ref text_printed value_printed unit_printed cause "
            "quality_rule evidence proposed_value unit witness_source_id",
            (
                *("ab" * 16, "tidy", HOSTILE, "D7", HOSTILE, 1.0, HOSTILE, "misprinted", "spike"),
                *(HOSTILE, 2.0, "cny_100m", "b"),
            ),
            **same,
            edition_year=2021,
            sheet_name=None,
            place_level="city",
        ),
        "marts.fct_indicator_revision": table(
            "source_id old_edition_year new_edition_year old_value new_value",
            (HOSTILE, 2016, 2017, 1.0, 1.25),
            **same,
        ),
        "quality.rejected_value": table(
            "source_id file_name sheet_name cell_ref raw_text reason detail",
            ("tidy", HOSTILE, None, "B7", HOSTILE, "not_a_number", HOSTILE),
        ),
        "quality.expectation_result": table(
            "stage check_id dataset expectation column_name success severity observed why",
            (
                "marts",
                "marts_leaps",
                "d",
                "e",
                HOSTILE,
                False,
                "warn",
                "3 of 1365 rows outside",
                WHY,
            ),
        ),
        "quality.expectation_row": table(
            "stage check_id nth failing_row failing_value", ("marts", "e", 1, HOSTILE, "3")
        ),
        "meta.input_file": table(
            "path source_id edition_year sha256 bytes status note n_observations n_rejected",
            (HOSTILE, "tidy", 2021, "ab" * 32, 1000, "taken", HOSTILE, 1, 1),
        ),
        # hostile words of a layout are text, as those of a file are
        "meta.source": table(
            "source_id description producer title licence address accessed citation",
            ("tidy", HOSTILE, HOSTILE, "Yearbook", HOSTILE, None, None, None),
        ),
    }
