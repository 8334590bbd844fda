"""A small publication as data frames, hostile texts among them, for tests of the report."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from estimation.analyses.without_p import why_no_p

WHY = (
    "In a year over 30 % of an indicator's current values move by more than one log point: a "
    "break of definition or unit."
)
HOSTILE = "<script>alert('x')</script>{{ 7*7 }}&\"'"
LINES = ("conventional", "dyadic", "city", "province_jackknife", "permutation")
HEADLINE = "baseline.cm_growth_official.headline"
SEEDS = Path(__file__).resolve().parents[3] / "warehouse" / "seeds"


def estimate_rows(
    spec_id: str,
    value: float,
    p_default: float,
    p_permutation: float,
    event_time: int | None = None,
) -> list[dict]:
    """Lines of a coefficient; of a part of `cm` the estimate alone, as the study prints it."""
    analysis, outcome, _ = spec_id.split(".")
    reason, rows = why_no_p(outcome), []
    for line in LINES:
        p = {"conventional": 0.0001, "permutation": p_permutation}.get(line, p_default)
        error = None if line == "permutation" else 0.0123
        rows.append(
            {
                "spec_id": spec_id,
                "analysis": analysis,
                "estimator": "twfe" if event_time is None else "event_study",
                "outcome": outcome,
                "term": "treated" if event_time is None else "event",
                "cohort_year": None,
                "event_time": event_time,
                "vcov": line,
                "is_default": line == "province_jackknife",
                "estimate": value,
                "std_error": None if reason else error,
                "ci_low": None if reason else value - 0.0246,
                "ci_high": None if reason else value + 0.0246,
                "p_value": None if reason else p,
                "n_obs": 153_230,
                "n_pairs": 15_323,
                "n_cities": 254,
                "n_pilots": 55 if event_time != 2 else 1,
                "p_value_withheld_reason": reason,
                "family": None,
                "family_size": None,
                "p_value_family": None if reason or line != "province_jackknife" else p,
                "is_found": None if reason or line != "province_jackknife" else p < 0.05,
            }
        )
    return rows


def observations() -> pd.DataFrame:
    """A current value and another source's of one cell's meaning, every text of them hostile."""
    frame = pd.DataFrame(
        {
            "city_id": 110000,
            "year": 2015,
            "indicator_id": "gdp_nominal_cny_100m",
            "value": [23014.5, 22968.6],
        }
    )
    frame = frame.assign(
        raw_text=["23014.5", HOSTILE],
        source_id=["tidy", "=cmd()"],
        edition_year=pd.array([2021, None], "Int64"),
    )
    frame = frame.assign(
        file_name=[HOSTILE, "b.csv"],
        sheet_name=[None, HOSTILE],
        cell_ref=["D7", "E9"],
        row_no=[7, 9],
        col_no=[4, 5],
    )
    frame = frame.assign(
        unit="cny_100m", unit_delivered=["亿元", None], priority=[1, 2], is_current=[True, False]
    )
    return frame.assign(
        quality_flag=["warned", "ok"],
        quality_rule=["sign", None],
        quality_detail=[HOSTILE, None],
        observation_note=[None, "①"],
    )


def city_years(cities: pd.DataFrame) -> pd.DataFrame:
    """Growth of each city in 2010 to 2019; in 2015 it comes from another source than before."""
    years = pd.DataFrame({"year": range(2010, 2020)})
    frame = cities[["city_id"]].merge(years, how="cross")
    frame["growth_official_pct"] = 6.7 + 0.1 * (frame["year"] - 2015)
    frame["growth_official_source_id"] = [
        "tidy" if year == 2015 else "other" for year in frame["year"]
    ]
    columns = {
        "growth_deflated_pct": None,
        "growth_official_edition_year": 2021,
        "growth_deflated_source_id": None,
    }
    frame = frame.assign(**columns, growth_official_basis="published")
    return frame.astype({"growth_deflated_pct": float})


def claims() -> pd.DataFrame:
    """One claim with a hostile text, reproduced in the study's form and not found by the honest
    test.
    """
    row = {
        "claim_id": "net_effect",
        "claim_en": f"Admission raises it {HOSTILE}",
        "claim_zh": "获批提高协同",
        "study_finding": "positive",
        "spec_id_study_form": "baseline.cm_growth_official.calendar_year",
        "estimate_study_form": 0.0301,
        "p_value_study_form": 0.0001,
        "verdict_study_form": "reproduced",
        "spec_id": "primary.cm_growth_official.newest",
        "estimate": 0.0148,
        "ci_low": -0.0352,
        "ci_high": 0.0748,
        "p_value": 0.52,
        "minimum_detectable_effect": 0.069,
        "verdict": "not_found_could_not_have_been",
    }
    return pd.DataFrame([row | {"reason": "p = 0.52 (primary test)"}])


def policy_tables() -> dict[str, pd.DataFrame]:
    """One text of Hangzhou's zone with two clauses, hostile texts among them."""
    document = {
        "document_id": "a.txt",
        "title": f"方案{HOSTILE}",
        "document_no": None,
        "issuer": "杭州市人民政府",
        "issuer_level": "city",
        "issue_date": None,
        "issue_year": 2019,
        "zone_names_zh": ["杭州市"],
        "is_province_or_country_wide": False,
        "copy_of": None,
        "not_stated": ["document_no"],
        "force": 2,
        "first_year_in_force": 2019,
        "last_year_in_force": None,
    }
    clause = {"document_id": "a.txt", "clause_kind": "body", "marker": "1.", "line_no": 1}
    clauses = [
        clause
        | {
            "clause_no": 1,
            "clause_text": "给予补贴50万元。",
            "tool_class": "supply",
            "tool": "capital",
        },
        clause
        | {
            "clause_no": 2,
            "clause_text": f"特此通知{HOSTILE}",
            "tool_class": "none",
            "tool": "none",
        },
    ]
    frame = pd.DataFrame(clauses).assign(
        matched_terms=["补贴|万元", ""], matched_places=[[3, 7], []], marker=["1.", None]
    )
    tool = {"zone_name_zh": "杭州市", "city_id": 330100, "year": 2019}
    tools = [
        tool | {"tool_class": "supply", "tool": "capital", "clause_count": 2, "strength": 30.0}
    ]
    tools += [
        tool | {"tool_class": "demand", "tool": "outsourcing", "clause_count": 1, "strength": 10.0}
    ]
    documents = pd.DataFrame([document]).astype(
        {"issue_date": "datetime64[s]", "last_year_in_force": "Int64"}
    )
    return {
        "marts.dim_policy_document": documents,
        "marts.fct_policy_clause": frame,
        "marts.fct_policy_tool": pd.DataFrame(tools),
    }


def conflicts() -> pd.DataFrame:
    row = {
        "city_id": 110000,
        "year": 2015,
        "indicator_id": "gdp_nominal_cny_100m",
        "chosen_source_id": HOSTILE,
        "chosen_value": 1.0,
    }
    return pd.DataFrame(
        [
            row
            | {
                "other_source_id": "b",
                "other_value": 100.0,
                "relative_gap": 99.0,
                "suspected_cause": "unit_factor",
            }
        ]
    )


def revisions() -> pd.DataFrame:
    row = {
        "city_id": 110000,
        "year": 2015,
        "indicator_id": "gdp_nominal_cny_100m",
        "source_id": HOSTILE,
    }
    return pd.DataFrame(
        [
            row
            | {
                "old_edition_year": 2016,
                "new_edition_year": 2017,
                "old_value": 1.0,
                "new_value": 1.25,
            }
        ]
    )


# hostile words of a layout are text, as those of a file are
ORIGIN = {
    "source_id": "tidy",
    "description": HOSTILE,
    "producer": HOSTILE,
    "title": "Yearbook",
    "licence": HOSTILE,
    "address": None,
    "accessed": None,
    "citation": None,
}


def changes() -> dict[str, pd.DataFrame]:
    """What changed against the publication before: values of one source, the headline and another
    specification.
    """
    value = {
        "previous_run_id": "before",
        "source_id": HOSTILE,
        "indicator_id": "gdp_nominal_cny_100m",
        "n_new": 1234,
        "n_revised": 56,
        "n_vanished": 7,
        "n_current_changed": 8,
    }
    estimate = {
        "previous_run_id": "before",
        "term": "treated",
        "cohort_year": None,
        "event_time": None,
    }
    moved = [
        estimate
        | {
            "spec_id": "robustness.x.y",
            "old_estimate": 0.1,
            "new_estimate": 0.9,
            "difference_in_old_errors": 8.0,
        },
        estimate
        | {
            "spec_id": HEADLINE,
            "old_estimate": 0.05,
            "new_estimate": 0.0712,
            "difference_in_old_errors": -0.53,
        },
        estimate
        | {
            "spec_id": "primary.cm_growth_official.newest",
            "old_estimate": 0.01,
            "new_estimate": 0.0148,
            "difference_in_old_errors": None,
        },
        estimate | {"spec_id": "primary.stays", "old_estimate": 0.01, "new_estimate": 0.01},
        estimate
        | {
            "spec_id": HEADLINE,
            "old_estimate": 0.3,
            "new_estimate": 0.4,
            "difference_in_old_errors": 1.0,
            "event_time": 2,
        },
    ]
    frame = (
        pd.DataFrame(moved)
        .astype({"cohort_year": "Int64", "event_time": "Int64"})
        .assign(old_p_value=0.2, new_p_value=0.0345)
    )
    flag = {
        "previous_run_id": "before",
        "source_id": HOSTILE,
        "indicator_id": "gdp_nominal_cny_100m",
        "quality_rule": "spike",
        "first_value": "city 110000 2015",
        "n_became_current": 3,
        "n_ceased_current": 0,
    }
    flags = [flag | {"change": "lifted", "n_values": 4321, "new_source_ids": "b"}]
    flags += [
        flag
        | {
            "change": "set",
            "n_values": 17,
            "n_became_current": 0,
            "n_ceased_current": 9,
            "new_source_ids": None,
        }
    ]
    current = {
        "previous_run_id": "before",
        "indicator_id": "gdp_nominal_cny_100m",
        "old_source_id": HOSTILE,
        "new_source_id": "b",
        "reason": "block lifted",
        "n_values": 2468,
        "median_relative_change": 0.125,
        "largest_relative_change": 0.5,
    }
    return {
        "meta.publication_change": pd.DataFrame([value]),
        "meta.estimate_change": frame,
        "meta.flag_change": pd.DataFrame(flags),
        "meta.current_change": pd.DataFrame([current | {"first_value": "city 110000 2015"}]),
    }


def primary_tables(
    primary_p: float | None, smallest: float, joint_p: float, estimate: float, truth: float | None
) -> dict[str, pd.DataFrame]:
    """Tables of the primary test with one window, its channels, its power and its placebos."""
    spec_id = "primary.cm_growth_official.newest"
    verdict = (
        "found" if primary_p is not None and primary_p < 0.05 else "not_found_could_not_have_been"
    )
    verdict = "not_found_could_have_been" if verdict != "found" and smallest <= 0.05 else verdict
    verdict = "not_identified" if primary_p is None else verdict
    row = {
        "spec_id": spec_id,
        "analysis": "primary",
        "outcome": "cm_growth_official",
        "treatment_rule": "second_half_next_year",
        "first_year": 2010,
        "last_year": 2019,
        "estimate": estimate,
        "ci_low": estimate - 0.05,
        "ci_high": estimate + 0.06,
        "p_value": primary_p,
        "minimum_detectable_effect": smallest,
        "p_value_family": primary_p,
        "p_value_refreshes": primary_p,
        "estimator": "two_way",
        "measure": "correlation",
        "before": 0.73,
        "after": 0.75,
        "without_admission": 0.75 - estimate,
    }
    row |= {f"minimum_detectable_{side}": smallest for side in ("rise", "fall")}
    row |= {"n_movable": 34, "n_treated_years": 74, "n_negative": 0, "n_unidentified": 0}
    row |= {"weight_negative": 0.0}
    row |= {"n_cities": 332, "n_pilots": 34, "n_blocks": 22, "verdict": verdict, "truth": truth}
    row |= {
        "reason": "No verdict: 2 pilots have a never-pilot in their block."
        if verdict == "not_identified"
        else None,
    }
    channel = {
        "spec_id": spec_id,
        "truth": [-0.25, 0.0] if truth else None,
        "planted": [-0.3, 0.0] if truth else None,
        "estimate": [-0.3, 0.1],
        "ci_low": [-0.6, -0.2],
        "ci_high": [0.2, 0.5],
        "p_value": [0.2, 0.6],
    }
    shifts = ["5 years back", "8 years back"]
    placebo = {
        "spec_id": spec_id,
        "placebo": "time",
        "name": shifts,
        "first_year": 2005,
        "last_year": 2014,
        "estimate": [0.01, -0.2],
        "ci_low": [-0.1, -0.3],
        "ci_high": [0.1, -0.1],
        "p_value": [0.5, 0.002],
        "n_cities": 320,
        "n_pilots": 34,
    }
    power = {
        "spec_id": [spec_id],
        "imposed": ["S-60"],
        "effect_on_cm": [0.063],
        "share_found": [0.86],
        "draws": [100],
    }
    return {
        "estimates.primary": pd.DataFrame([row]).astype({"truth": float}),
        "estimates.channel": pd.DataFrame({**channel, "channel": ["own_variance", "loading"]}),
        "estimates.power": pd.DataFrame(power),
        "estimates.placebo": pd.DataFrame({**placebo, "joint_p_value": joint_p}),
    }


def coverage_table(is_simulated: bool) -> pd.DataFrame:
    """Counts of intervals that hold their truth, here and over many economies; empty for delivered
    files.
    """
    many, window = "many_economies", "primary.study_window"
    rows = [
        ("this_economy", "truth_in_interval", "every_coefficient", "default", 700, 665),
        (many, "truth_in_interval", window, "primary", 400, 380),
        (many, "found_with_effect", window, "primary", 400, 340),
        (many, "found_without_effect", window, "primary", 400, 20),
    ]
    table = pd.DataFrame(rows, columns=["scope", "quantity", "coefficients", "line", "n", "n_yes"])
    table = table.assign(share=table["n_yes"] / table["n"], measured_with=None)
    return table if is_simulated else table.iloc[:0]


def tables(
    *,
    default_p: float = 0.01,
    is_simulated: bool = False,
    whole: float = 0.0712,
    primary_p: float | None = 0.52,
    smallest: float = 0.069,
    joint_p: float = 0.03,
    primary_estimate: float = 0.0148,
    level_p: float = 0.2,
) -> dict[str, pd.DataFrame]:
    """A small publication as frames by `schema.table`."""
    cities = pd.DataFrame(
        {
            "city_id": [110000, 440100, 330100],
            "city_name_en": ["Beijing", "Guangzhou", HOSTILE],
            "city_name_zh": ["北京市", "广州市", "杭州市"],
            "province_id": [110000, 440000, 330000],
            "province_name_en": ["Beijing", "Guangdong", "Zhejiang"],
            "province_name_zh": ["北京市", "广东省", "浙江省"],
            "lon_deg": [116.4, 113.3, 120.2],
            "lat_deg": [39.9, 23.1, 30.3],
            "treated_year": pd.array([None, None, 2015], dtype="Int64"),
            "batch": pd.array([None, None, 1], dtype="Int64"),
            "treated_year_calendar_year": pd.array([None, None, 2015], dtype="Int64"),
        }
    )
    zones = pd.DataFrame(
        {
            "zone_name_zh": ["杭州市"],
            "city_id": [330100],
            "batch": [1],
            "approval_date": pd.to_datetime(["2015-03-07"]),
            "revoked_date": pd.to_datetime([None]),
        }
    )
    zones = zones.assign(
        document_no="国函〔2015〕44号", is_whole_prefecture=True, zone_name_en="Hangzhou"
    )
    years = range(2010, 2020)
    panel = pd.DataFrame(
        {"city_i_id": 110000, "city_j_id": [440100] * 10 + [330100] * 10, "year": [*years, *years]}
    )
    panel["cohort_year"] = pd.array([None] * 10 + [2015] * 10, dtype="Int64")
    for name in (
        "cm_growth_official",
        "comove_growth_official",
        "dispersion_growth_official",
        "cm_growth_deflated",
    ):
        panel[name] = [0.1 * k for k in range(20)]
    rows = estimate_rows(HEADLINE, whole, default_p, 0.02)
    rows += estimate_rows("baseline.comove_growth_official.headline", 0.0934, 0.01, 0.015)
    rows += estimate_rows("baseline.dispersion_growth_official.headline", -0.0222, 0.5, 0.6)
    rows += estimate_rows("baseline.cm_growth_official.calendar_year", 0.0301, 0.35, 0.12)
    for event_time in (-2, 0, 1, 2):
        rows += estimate_rows(
            "dynamics.cm_growth_official.headline", 0.01 * event_time, 0.3, 0.4, event_time
        )
    truth = pd.DataFrame(
        {"spec_id": [HEADLINE, "primary.cm_growth_official.newest"], "term": "treated"}
    )
    truth = truth.assign(
        planted=None,
        cohort_year=pd.array([None, None], "Int64"),
        event_time=pd.array([None, None], "Int64"),
    )
    diagnostic = {
        "most_influential_province": 440000,
        "estimate_without_province": -0.0137,
        "province_max_share": 0.74,
        "most_influential_city": 330100,
    }
    kind = {
        "spec_id": HEADLINE,
        "diagnostic": ["pilot_level_difference", "pilot_level_p"],
        "term": None,
        "value": [-0.123, level_p],
    }
    without = pd.DataFrame(
        {
            "spec_id": HEADLINE,
            "diagnostic": "leave_out_province",
            "term": ["440000", "330000"],
            "value": [-0.0137, 0.08],
        }
    )
    event = {"spec_id": "dynamics.cm_growth_official.headline", "term": "event[0]"}
    names = {
        "honest_relative_magnitudes_low_1": 0.066,
        "honest_relative_magnitudes_high_1": 0.319,
        "breakdown_relative_magnitudes": 1.617,
    }
    without = pd.concat(
        [
            without,
            pd.DataFrame(
                [event | {"diagnostic": name, "value": value} for name, value in names.items()]
            ),
        ]
    )
    pairs = pd.DataFrame(
        {"city_i_id": 110000, "city_j_id": [440100, 330100], "distance_km": [1890.0, 1120.0]}
    )
    observed = observations()
    rejected = {
        "source_id": ["tidy"],
        "file_name": [HOSTILE],
        "sheet_name": [None],
        "cell_ref": ["B7"],
        "raw_text": [HOSTILE],
        "reason": ["not_a_number"],
        "detail": [HOSTILE],
    }
    files = {
        "path": [HOSTILE],
        "source_id": ["tidy"],
        "edition_year": [2021],
        "sha256": ["ab" * 32],
        "bytes": [1000],
        "status": ["taken"],
    }
    run = {
        "run_id": ["20261124T000000Z"],
        "git_commit": ["abc"],
        "started_at": ["2026-11-24"],
        "is_simulated": [is_simulated],
    }
    return {
        "marts.dim_city": cities,
        "marts.fct_city_year": city_years(cities),
        "marts.dim_pilot_zone": zones,
        "marts.panel_pair_year": panel,
        "marts.fct_pair_synchronization": panel.drop(columns="cohort_year"),
        "marts.fct_indicator_observation": observed,
        "marts.dim_indicator": pd.DataFrame(
            {
                "indicator_id": ["gdp_nominal_cny_100m"],
                "label_en": [HOSTILE],
                "label_zh": ["地区生产总值"],
                "place_level": ["city"],
                "unit": ["cny_100m"],
            }
        ),
        "marts.fct_indicator_conflict": conflicts(),
        "marts.fct_indicator_revision": revisions(),
        "estimates.estimate": pd.DataFrame(rows).astype(
            {"event_time": "Int64", "cohort_year": "Int64"}
        ),
        "estimates.diagnostic": pd.concat(
            [
                pd.DataFrame(
                    {
                        "spec_id": HEADLINE,
                        "diagnostic": list(diagnostic),
                        "term": "treated",
                        "value": list(diagnostic.values()),
                    }
                ),
                without,
                pd.DataFrame(kind),
            ]
        ),
        "estimates.claim": claims(),
        "marts.dim_literature": pd.read_csv(SEEDS / "literature.csv"),
        "marts.fct_city_pair": pairs,
        "estimates.not_run": pd.DataFrame(
            {
                "spec_id": ["baseline.a.b"],
                "analysis": ["baseline"],
                "reason": ["needs population_resident_10k"],
            }
        ),
        "estimates.warning": pd.DataFrame(
            {"spec_id": [HEADLINE], "warning": [f"treated: only one pilot {HOSTILE}"]}
        ),
        "estimates.coverage": coverage_table(is_simulated),
        "estimates.truth": truth.assign(truth=0.0567)
        if is_simulated
        else truth.iloc[:0].assign(truth=0.0),
        "quality.rejected_value": pd.DataFrame(rejected),
        "quality.expectation_result": pd.DataFrame(
            {
                "stage": ["marts"],
                "check_id": ["marts_leaps"],
                "dataset": ["d"],
                "expectation": ["e"],
                "column_name": [HOSTILE],
                "success": [False],
                "severity": ["warn"],
                "observed": ["3 of 1365 rows outside"],
                "why": [WHY],
            }
        ),
        "meta.run": pd.DataFrame(run),
        **changes(),
        **primary_tables(
            primary_p, smallest, joint_p, primary_estimate, 0.0567 if is_simulated else None
        ),
        "quality.expectation_row": pd.DataFrame(
            {
                "stage": ["marts"],
                "check_id": ["e"],
                "nth": [1],
                "failing_row": [HOSTILE],
                "failing_value": ["3"],
            }
        ),
        "meta.input_file": pd.DataFrame(files).assign(note=HOSTILE, n_observations=1, n_rejected=1),
        "meta.source": pd.DataFrame([ORIGIN]),
    }


def full(**settings) -> dict[str, pd.DataFrame]:
    """The fabricated publication with policy texts, a curve and an analysis of every page."""
    frames = tables(**settings) | policy_tables()
    ids = [f"specification_curve.cm_growth_official.s{k}" for k in range(6)]
    rows = [
        row
        for k, spec_id in enumerate(ids)
        for row in estimate_rows(spec_id, 0.01 * (3 - k), 0.2, 0.3)
    ]
    for name in ("coastal", "human_capital"):
        rows += [
            row | {"term": f"difference:{name}"}
            for row in estimate_rows(f"heterogeneity.cm_growth_official.{name}", 0.02, 0.2, 0.3)
        ]
    for spec_id in (
        "mechanisms.neg_abs_gap_ln_wage.headline",
        "mechanisms.neg_abs_gap_ln_fdi_per_head.headline",
        "radiation.growth_official.own",
        "radiation.lead_growth_official.strong",
        "alternative_outcomes.comove_growth_wage.headline",
    ):
        rows += estimate_rows(spec_id, 0.03, 0.2, 0.3)
    for tool in ("talent", "tax"):
        rows += [
            row | {"term": f"strength:{tool}"}
            for row in estimate_rows(f"policy_tools.cm_growth_official.{tool}", 0.02, 0.2, 0.3)
        ]
    for variant in ("callaway_santanna", "borusyak"):
        rows += [
            row
            for e in (0, 1)
            for row in estimate_rows(
                f"robustness.cm_growth_official.{variant}", 0.02 * e + 0.01, 0.3, 0.4, e
            )
        ]
    for name, value in {"weak": 0.01, "q10": 0.02, "q90": 0.05}.items():
        rows += estimate_rows(f"matching.cm_growth_official.{name}", value, 0.2, 0.4)
    extra = pd.DataFrame(rows).astype({"event_time": "Int64", "cohort_year": "Int64"})
    frames["estimates.estimate"] = pd.concat([frames["estimates.estimate"], extra])
    same = {
        "spec_id": [f"policy_tools.cm_growth_official.{tool}" for tool in ("talent", "tax")],
        "diagnostic": "same_regressor_as",
    }
    same = pd.DataFrame({**same, "term": ["tax", "talent"], "value": 1.0})
    quantiles = [k / 40 for k in range(41)]
    drawn = {"spec_id": HEADLINE, "term": "treated", "value": [q - 0.5 for q in quantiles]}
    drawn = pd.DataFrame(
        drawn | {"diagnostic": [f"permutation_quantile_{q:.3f}" for q in quantiles]}
    )
    frames["estimates.diagnostic"] = pd.concat([frames["estimates.diagnostic"], same, drawn])
    choices = {
        "spec_id": ids,
        "outcome": "cm_growth_official",
        "measure": "cm",
        "series": "growth_official",
        "window": "2010-2019",
        "treatment_rule": "a",
        "tie_rule": ["all", "strong", HOSTILE] * 2,
        "effects": "pair and year",
        "estimator": "twfe",
    }
    frames["estimates.specification"] = pd.DataFrame(
        choices | {"control_group": "never", "outcome_sd": 2.0}
    )
    joint = {
        "n_specs": 5,
        "draws": 199,
        "median_sd": 0.004,
        "p_value_median": 0.625,
        "share_rejects": 0.2,
        "p_value_share": 0.345,
    }
    named = pd.DataFrame({"outcome": ["all", "cm_growth_official"]})
    frames["estimates.curve_test"] = named.assign(
        spec_id="specification_curve." + named["outcome"] + ".every", **joint
    )
    numbers = {
        "ci_low": -0.03,
        "ci_high": 0.07,
        "p_value_family": 0.4,
        "n_cities": 300,
        "n_pilots": 30,
    }
    sizes = {"minimum_detectable_rise": 0.05, "minimum_detectable_fall": 0.05, "estimate": 0.02}
    check = {
        "spec_id": "primary.cm_growth_official.newest",
        "joint_p_value": 0.6,
        "relative_magnitude": None,
        "reason": "",
        **numbers,
        **sizes,
    }
    kinds = (("headline", "newest"), ("batch", "3"), ("province", "440000"), ("dates", "x_y"))
    frames["estimates.check"] = pd.DataFrame(
        [check | {"check": kind, "name": name, "series": "growth"} for kind, name in kinds]
        + [check | {"check": "drift", "name": "hides_a_rise", "series": "growth"}]
    )
    window = {"spec_id": "primary.cm_growth_official.newest", "first_year": 2010}
    rule = {"last_year": 2020, "rule": "a rule", "rule_sha256": "ab" * 32}
    frames["estimates.next_window"] = pd.DataFrame([window | rule | {"correlation_with_last": 0.9}])
    counts = ("delivered", "taken", "blocked", "quarantined", "current")
    covered = {"source_id": "tidy", "indicator_id": HOSTILE, "year": 2015}
    frames["marts.fct_coverage"] = pd.DataFrame([covered | {f"n_cities_{n}": 3 for n in counts}])
    book = {
        "indicator_id": "g",
        "label_en": HOSTILE,
        "label_zh": "地区生产总值",
        "definition_en": HOSTILE,
        "definition_zh": "当年产出",
        "unit": "cny_100m",
    }
    years = {"first_year": 2010, "last_year": 2019, "n_cities": 3, "n_values": 9, "n_missing": 1}
    ends = {"smallest_value": 1.0, "largest_value": 9.0, "sources": HOSTILE}
    frames["marts.dim_codebook"] = pd.DataFrame([book | years | ends])
    return frames
