"""A small publication as data frames, hostile texts among them, for tests of the report."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from estimation.analyses.without_p import why_no_p
from estimation.study.multiplicity import correct_within_families
from tests.estimation.report.fabricated_data import (
    GDP,
    HOSTILE,
    cities_and_pairs,
    policy_tables,
    table,
    what_was_read,
)

SEEDS = Path(__file__).resolve().parents[3] / "warehouse" / "seeds"
LINES = ("conventional", "dyadic", "city", "province_jackknife", "permutation")
HEADLINE = "baseline.cm_growth_official.headline"
PRIMARY = "primary.cm_growth_official.newest"
DYNAMICS = "dynamics.cm_growth_official.headline"
NET_OF_OTHERS = "policy.cm_growth_official.pilot_zones_net_of_others"


def estimate_rows(
    spec_id: str,
    value: float,
    p_default: float,
    p_permutation: float,
    event_time: int | None = None,
    term: str = "treated",
) -> pd.DataFrame:
    """Lines of a coefficient; of a part of `cm` the estimate alone, as the study prints it."""
    analysis, outcome, _ = spec_id.split(".")
    reason = why_no_p(outcome)
    p_value = {"conventional": 0.0001, "permutation": p_permutation}
    frame = pd.DataFrame({"vcov": LINES, "is_default": [line == LINES[3] for line in LINES]})
    frame = frame.assign(
        spec_id=spec_id,
        analysis=analysis,
        outcome=outcome,
        estimator="twfe" if event_time is None else "event_study",
        term=term if event_time is None else "event",
        cohort_year=pd.NA,
        event_time=event_time,
        estimate=value,
        std_error=[None if reason or line == "permutation" else 0.0123 for line in LINES],
        ci_low=None if reason else value - 0.0246,
        ci_high=None if reason else value + 0.0246,
        p_value=[None if reason else p_value.get(line, p_default) for line in LINES],
        n_obs=153_230,
        n_pairs=15_323,
        n_cities=254,
        n_pilots=55 if event_time != 2 else 1,
        p_value_withheld_reason=reason,
    )
    whole = dict.fromkeys(("cohort_year", "event_time"), "Int64")
    numbers = dict.fromkeys(("std_error", "ci_low", "ci_high", "p_value"), float)
    return frame.astype({**whole, **numbers})


def claims() -> pd.DataFrame:
    """One claim with a hostile text, reproduced in the study's form and not found by the honest
    test.
    """
    return table(
        "claim_id claim_en claim_zh study_finding spec_id_study_form estimate_study_form "
        "p_value_study_form verdict_study_form spec_id estimate ci_low ci_high p_value "
        "family family_size minimum_detectable_effect verdict reason",
        (
            "net_effect",
            f"Admission raises it {HOSTILE}",
            "获批提高协同",
            "positive",
            "baseline.cm_growth_official.calendar_year",
            0.0301,
            0.0001,
            "reproduced",
            PRIMARY,
            0.0148,
            -0.0352,
            0.0748,
            0.52,
            "growth_and_cycle",
            2,
            0.069,
            "not_found_could_not_have_been",
            "p = 0.52 (primary test)",
        ),
    )


def changes() -> dict[str, pd.DataFrame]:
    """What changed against the publication before: values of one source, the headline and another
    specification.
    """
    before = {"previous_run_id": "before"}
    moved = table(
        "spec_id old_estimate new_estimate difference_in_old_errors event_time",
        ("robustness.x.y", 0.1, 0.9, 8.0, None),
        (HEADLINE, 0.05, 0.0712, -0.53, None),
        (PRIMARY, 0.01, 0.0148, None, None),
        ("primary.stays", 0.01, 0.01, None, None),
        (HEADLINE, 0.3, 0.4, 1.0, 2),
        term="treated",
        cohort_year=pd.NA,
        old_p_value=0.2,
        new_p_value=0.0345,
        old_verdict="not_identified",
        new_verdict="found",
        old_last_year=2018,
        new_last_year=2019,
        **before,
    )
    flags = table(
        "change n_values n_became_current n_ceased_current new_source_ids",
        ("lifted", 4321, 3, 0, "b"),
        ("set", 17, 0, 9, None),
        source_id=HOSTILE,
        indicator_id=GDP,
        quality_rule="spike",
        first_value="city 110000 2015",
        **before,
    )
    current = table(
        "old_source_id new_source_id reason n_values median_relative_change "
        "largest_relative_change",
        (HOSTILE, "b", "block lifted", 2468, 0.125, 0.5),
        indicator_id=GDP,
        first_value="city 110000 2015",
        **before,
    )
    values = table(
        "source_id indicator_id n_new n_revised n_vanished n_current_changed",
        (HOSTILE, GDP, 1234, 56, 7, 8),
        **before,
    )
    changed = table(
        "year old_value new_value relative_change quality_rule reason",
        (2014, 12.5, None, None, "spike", "nothing left after a block"),
        (2015, 12.5, 25.0, 1.0, None, "revised"),
        indicator_id=GDP,
        place_level="city",
        city_id=110000,
    )
    checks = table(
        "check_id known_since n_new_rows",
        ("marts_leaps", None, 3),
        stage="marts",
    )
    return {
        "meta.value_change": changed.astype({"new_value": "Float64"}),
        "meta.check_change": checks,
        "meta.movement": table("spec_id change_in_deviations", (PRIMARY, -1.75)),
        "meta.publication_change": values,
        "meta.estimate_change": moved.astype({"cohort_year": "Int64", "event_time": "Int64"}),
        "meta.flag_change": flags,
        "meta.current_change": current,
    }


def primary_tables(
    primary_p: float | None, smallest: float, joint_p: float, estimate: float, truth: float | None
) -> dict[str, pd.DataFrame]:
    """Tables of the primary test with one window, its channels, its power and its placebos."""
    verdict = "not_found_could_have_been" if smallest <= 0.05 else "not_found_could_not_have_been"
    if primary_p is None or primary_p < 0.05:
        verdict = "not_identified" if primary_p is None else "found"
    no_verdict = "No verdict: 2 pilots have a never-treated city in their block."
    sizes = ("effect", "rise", "fall")
    row = {
        "spec_id": PRIMARY,
        "analysis": "primary",
        "outcome": "cm_growth_official",
        "treatment_rule": "second_half_next_year",
        "first_year": 2010,
        "last_year": 2019,
        "estimate": estimate,
        "ci_low": estimate - 0.05,
        "ci_high": estimate + 0.06,
        **dict.fromkeys(("p_value", "p_value_family", "p_value_refreshes"), primary_p),
        **{f"minimum_detectable_{name}": smallest for name in sizes},
        "estimator": "two_way",
        "measure": "correlation",
        "before": 0.73,
        "after": 0.75,
        "without_admission": 0.75 - estimate,
        "n_movable": 34,
        "n_treated_years": 74,
        "n_negative": 0,
        "n_unidentified": 0,
        "weight_negative": 0.0,
        "n_cities": 332,
        "n_pilots": 34,
        "n_blocks": 22,
        "verdict": verdict,
        "truth": truth,
        "reason": no_verdict if primary_p is None else None,
    }
    channel = table(
        "channel truth planted estimate ci_low ci_high p_value p_value_bh",
        ("own_variance", truth and -0.25, truth and -0.3, -0.3, -0.6, 0.2, 0.03, 0.06),
        ("loading", truth and 0.0, truth and 0.0, 0.1, -0.2, 0.5, 0.6, 0.6),
        spec_id=PRIMARY,
    )
    placebo = table(
        "placebo name estimate ci_low ci_high p_value",
        ("time", "5 years back", 0.01, -0.1, 0.1, 0.5),
        ("time", "8 years back", -0.2, -0.3, -0.1, 0.002),
        ("later", "admitted_later", -0.01, -0.03, 0.01, 0.3),
        spec_id=PRIMARY,
        first_year=2005,
        last_year=2014,
        n_cities=320,
        n_pilots=34,
        joint_p_value=joint_p,
    )
    return {
        "estimates.primary": pd.DataFrame([row]).astype({"truth": float}),
        "estimates.channel": channel,
        "estimates.power": table(
            "spec_id imposed effect_on_cm share_found draws", (PRIMARY, "S-60", 0.063, 0.86, 100)
        ),
        "estimates.placebo": placebo,
    }


def coverage_table(is_simulated: bool) -> pd.DataFrame:
    """Counts of intervals that hold their truth, here and over many economies; empty for delivered
    files.
    """
    many, window = "many_economies", "primary.study_window"
    counts = table(
        "scope quantity coefficients line n n_yes",
        ("this_economy", "truth_in_interval", "every_coefficient", "default", 700, 665),
        (many, "truth_in_interval", window, "primary", 400, 380),
        (many, "found_with_effect", window, "primary", 400, 340),
        (many, "found_without_effect", window, "primary", 400, 20),
    )
    counts = counts.assign(share=counts["n_yes"] / counts["n"], measured_with=None)
    return counts if is_simulated else counts.iloc[:0]


def diagnostics(level_p: float) -> pd.DataFrame:
    """Who carries the headline, pilots before admission, and what a trend would do to the event
    study.
    """
    return table(
        "spec_id diagnostic term value",
        (HEADLINE, "most_influential_province", "treated", 440000),
        (HEADLINE, "estimate_without_province", "treated", -0.0137),
        (HEADLINE, "province_max_share", "treated", 0.74),
        (HEADLINE, "most_influential_city", "treated", 330100),
        (HEADLINE, "leave_out_province", "440000", -0.0137),
        (HEADLINE, "leave_out_province", "330000", 0.08),
        (DYNAMICS, "honest_relative_magnitudes_low_1", "event[0]", 0.066),
        (DYNAMICS, "honest_relative_magnitudes_high_1", "event[0]", 0.319),
        (DYNAMICS, "breakdown_relative_magnitudes", "event[0]", 1.617),
        (HEADLINE, "pilot_level_difference", None, -0.123),
        (HEADLINE, "pilot_level_p", None, level_p),
    )


def stood_out() -> pd.DataFrame:
    """A row of each belief, one of them hostile."""
    corrected = {"estimate": 0.2, "ci_low": 0.1, "ci_high": 0.3, "cohort_year": None, "n_cities": 9}
    net = (None, None, 0.03, None, None, None, "no_test", "")
    own = ("wages", None, None, 0.01, "other_own_outcomes", 8, 0.03, "doubted", "")
    rows = table(
        "source_table spec_id name event_time series p_value family family_size p_value_family "
        "belief reason",
        ("estimate", HEADLINE, "treated", None, None, 0.001, "mechanisms", 2, 0.002, "found", ""),
        ("channel", PRIMARY, "loading", None, None, 0.02, "channels", 4, 0.08, "not_found", ""),
        ("check", PRIMARY, "batch", None, "cycle", 0.01, None, None, None, "no_test", HOSTILE),
        ("own_outcome", PRIMARY, *own),
        ("placebo", PRIMARY, "3", None, None, 0.01, None, None, None, "no_test", ""),
        ("estimate", DYNAMICS, "event", -2, None, 0.01, None, None, None, "no_test", ""),
        ("policy", NET_OF_OTHERS, "pilot_zones", *net),
        **corrected,
    ).astype({"event_time": "Int64", "family_size": "Int64", "cohort_year": "Int64"})
    compared = {"own_outcome": "all_cities", "policy": "net_of_others"}
    return rows.assign(comparison=rows["source_table"].map(compared))


@cache
def _tables(
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
    estimates = [
        estimate_rows(HEADLINE, whole, default_p, 0.02),
        estimate_rows("baseline.comove_growth_official.headline", 0.0934, 0.01, 0.015),
        estimate_rows("baseline.dispersion_growth_official.headline", -0.0222, 0.5, 0.6),
        estimate_rows("baseline.cm_growth_official.calendar_year", 0.0301, 0.35, 0.12),
        *(estimate_rows(DYNAMICS, 0.01 * time, 0.3, 0.4, time) for time in (-2, 0, 1, 2)),
    ]
    truth = table(
        "spec_id truth", (HEADLINE, 0.0567), (PRIMARY, 0.0567), term="treated", planted=None
    )
    none = pd.array([None, None], "Int64")
    truth = truth.assign(cohort_year=none, event_time=none)
    return {
        **cities_and_pairs(),
        **what_was_read(),
        "estimates.estimate": correct_within_families(pd.concat(estimates, ignore_index=True)),
        "estimates.diagnostic": diagnostics(level_p),
        "estimates.claim": claims(),
        "marts.dim_literature": pd.read_csv(SEEDS / "literature.csv"),
        "estimates.not_run": table(
            "spec_id analysis reason", ("baseline.a.b", "baseline", "needs population_resident_10k")
        ),
        "estimates.warning": table(
            "spec_id warning", (HEADLINE, f"treated: only one pilot {HOSTILE}")
        ),
        "estimates.coverage": coverage_table(is_simulated),
        "estimates.truth": truth if is_simulated else truth.iloc[:0],
        "meta.run": table(
            "run_id git_commit started_at is_simulated previous_run_id not_compared",
            ("20261124T000000Z", "abc", "2026-11-24", is_simulated, "20251124T000000Z", None),
        ),
        **changes(),
        **primary_tables(
            primary_p, smallest, joint_p, primary_estimate, 0.0567 if is_simulated else None
        ),
    }


def tables(**settings) -> dict[str, pd.DataFrame]:
    """A small publication as frames by `schema.table`; tests replace frames and change none."""
    return dict(_tables(**settings))


def stand_ins() -> pd.DataFrame:
    """Six provinces of ten made-up cities, four of each with a zone since 2015, in two periods."""
    random = np.random.default_rng(3)
    rows = []
    for number in range(60):
        cohort = 2015 if number % 10 < 4 else None
        for first in (2010, 2015):
            level = random.normal(0.5, 0.1) + 0.03 * (cohort == first)
            rows.append((number + 1001, 110000 + number // 10 * 10000, cohort, first, level))
    names = "stand_in province_id cohort_year first_year synchronization"
    frame = table(names, *rows, spec_id=PRIMARY, n_years=5)
    return frame.assign(
        cohort_year=frame["cohort_year"].astype("Int64"),
        last_year=frame["first_year"] + 4,
        synchronization=frame["synchronization"].round(3),
    )


def full(**settings) -> dict[str, pd.DataFrame]:
    """The fabricated publication with policy texts, a curve and an analysis of every page."""
    return dict(_full(**settings))


@cache
def _full(**settings) -> dict[str, pd.DataFrame]:
    frames, own = tables(**settings) | policy_tables(), "cm_growth_official"
    curve = [f"specification_curve.{own}.s{k}" for k in range(6)]
    more = [
        *(estimate_rows(spec, 0.01 * (3 - k), 0.2, 0.3) for k, spec in enumerate(curve)),
        *(
            estimate_rows(f"heterogeneity.{own}.{name}", 0.02, 0.2, 0.3, term=f"difference:{name}")
            for name in ("coastal", "human_capital")
        ),
        # of the family of differences, and the effect without a gap, of none
        estimate_rows(f"heterogeneity.{own}.coastal_gap", 0.05, 0.004, 0.004, term="treated:gap"),
        estimate_rows(f"heterogeneity.{own}.coastal_gap", 0.05, 0.004, 0.004),
        # below 5 % until it is corrected, and one that is still after
        estimate_rows("mechanisms.mean_ln_patents_per_head.headline", -0.12, 0.021, 0.017),
        estimate_rows("radiation.ln_credit_per_head.own_admission", -0.12, 0.03, 0.03),
        estimate_rows("radiation.ln_investment_per_head.own_admission", -0.2, 0.001, 0.001),
        *(
            estimate_rows(spec_id, 0.03, 0.2, 0.3)
            for spec_id in (
                "mechanisms.neg_abs_gap_ln_wage.headline",
                "mechanisms.neg_abs_gap_ln_fdi_per_head.headline",
                "radiation.growth_official.own",
                "radiation.lead_growth_official.strong",
                "alternative_outcomes.comove_growth_wage.headline",
            )
        ),
        *(
            estimate_rows(f"policy_tools.{own}.{tool}", 0.02, 0.2, 0.3, term=f"strength:{tool}")
            for tool in ("talent", "tax")
        ),
        *(
            estimate_rows(f"robustness.{own}.{name}", 0.02 * e + 0.01, 0.3, 0.4, e)
            for name in ("callaway_santanna", "borusyak")
            for e in (0, 1)
        ),
        *(
            estimate_rows(f"matching.{own}.{name}", value, 0.2, 0.4)
            for name, value in {"weak": 0.01, "q10": 0.02, "q90": 0.05}.items()
        ),
    ]
    alike = table(
        "spec_id diagnostic term value",
        (f"policy_tools.{own}.talent", "same_regressor_as", "tax", 1.0),
        (f"policy_tools.{own}.tax", "same_regressor_as", "talent", 1.0),
    )
    return frames | {
        "estimates.estimate": correct_within_families(
            pd.concat([frames["estimates.estimate"], *more], ignore_index=True)
        ),
        "estimates.diagnostic": pd.concat([frames["estimates.diagnostic"], alike]),
        "estimates.specification": pd.DataFrame(
            {
                "spec_id": curve,
                "outcome": own,
                "measure": "cm",
                "series": "growth_official",
                "window": "2010-2019",
                "treatment_rule": "a",
                "tie_rule": ["all", "strong", HOSTILE] * 2,
                "effects": "pair and year",
                "estimator": "twfe",
                "control_group": "never",
                "outcome_sd": 2.0,
            }
        ),
        "estimates.curve_test": table(
            "outcome spec_id",
            *((name, f"specification_curve.{name}.every") for name in ("all", own)),
            n_specs=5,
            draws=199,
            median_sd=0.004,
            p_value_median=0.625,
            share_rejects=0.2,
            p_value_share=0.345,
        ),
        "estimates.check": table(
            "check name",
            ("headline", "newest"),
            ("batch", "3"),
            ("province", "440000"),
            ("dates", "x_y"),
            ("evidence", "without_index_alone"),
            ("drift", "hides_a_rise"),
            ("controls", "admitted_later"),
            spec_id=PRIMARY,
            series="growth",
            first_year=2010,
            last_year=[2019, 2017, 2019, 2019, 2019, None, 2019],
            estimate=0.02,
            ci_low=-0.03,
            ci_high=0.07,
            p_value=[0.3, 0.03, 0.01, 0.3, 0.5, None, 0.01],
            p_value_family=[0.4, 0.06, 0.02, 0.4, 0.6, None, 0.02],
            n_cities=300,
            n_pilots=30,
            minimum_detectable_rise=0.05,
            minimum_detectable_fall=0.05,
            joint_p_value=0.6,
            relative_magnitude=None,
            reason="",
        ),
        "estimates.weight": table(
            "grain name weight n_cells estimate p_value",
            ("calendar_year", "2019", 0.4, 9, None, None),
            ("calendar_year", "2020", 0.6, 9, None, None),
            ("ages", "0_to_1", 0.7, 12, 0.03, 0.5),
            ("ages", "2_and_more", 0.3, 6, 0.01, 0.5),
            ("periods", "in_the_pandemic", 0.3, 9, 0.02, 0.4),
            ("periods", "after_the_pandemic", 0.2, 9, 0.03, 0.4),
            ("periods", "before_the_pandemic", 0.5, 9, 0.01, 0.4),
            spec_id=PRIMARY,
            weight_negative=0.0,
            n_pilots=3,
            std_error=0.02,
            p_value_family=0.6,
            family="ages_and_periods",
            family_size=1,
            reason="",
        ),
        "estimates.own_outcome": table(
            "outcome comparison family p_value reason",
            ("trade", "all_cities", "trade", 0.4, ""),
            ("exports", "all_cities", "other_own_outcomes", 0.01, ""),
            ("imports", "all_cities", "other_own_outcomes", None, HOSTILE),
            ("trade", "not_yet_treated", "trade", 0.2, ""),
            spec_id=PRIMARY,
            unit="log points",
            first_year=2018,
            last_year=2023,
            estimate=0.05,
            ci_low=-0.1,
            ci_high=0.2,
            p_value_family=[0.4, 0.03, None, 0.2],
            family_size=[1, 2, 2, 1],
            is_found=[False, True, False, False],
            minimum_detectable_effect=0.13,
            minimum_detectable_family=0.16,
            n_cities=300,
            n_pilots=30,
        ),
        "estimates.policy": table(
            "spec_id policy outcome comparison unit estimate p_value p_value_family verdict reason",
            *(
                (
                    f"policy.cm_growth_official.{name}",
                    name,
                    "cm_growth_official",
                    "plain",
                    "synchronization",
                    value,
                    p,
                    p and min(3 * p, 1.0),
                    "not_found_could_have_been",
                    why,
                )
                for name, value, p, why in (
                    ("pilot_zones", 0.02, 0.3, ""),
                    ("low_carbon", -0.03, 0.01, ""),
                    ("broadband_china", None, None, HOSTILE),
                )
            ),
            (
                "policy.cm_growth_official.low_carbon_net_of_others",
                "low_carbon",
                "cm_growth_official",
                "net_of_others",
                "synchronization",
                -0.02,
                0.1,
                None,
                "",
                "",
            ),
            (
                "policy.exports.low_carbon",
                "low_carbon",
                "exports",
                "plain",
                "log points",
                0.1,
                0.2,
                0.4,
                None,
                "",
            ),
            first_year=2010,
            last_year=2023,
            before=0.7,
            after=0.8,
            without_admission=0.78,
            ci_low=-0.05,
            ci_high=0.06,
            family="policies",
            family_size=4,
            is_found=[False, True, False, False, False],
            minimum_detectable_rise=0.05,
            minimum_detectable_fall=0.06,
            minimum_detectable_effect=0.06,
            minimum_detectable_family=None,
            p_value_selection=0.2,
            p_value_placebo=0.4,
            n_listed=60,
            n_cities=300,
            n_pilots=50,
            n_movable=40,
            n_whole_province=10,
            n_blocks=20,
            n_verified=30,
            is_verified=[False, True, False, True, True],
        ),
        "estimates.policy_overlap": table(
            "policy other n_pilots n_units n_both correlation",
            ("low_carbon", "pilot_zones", 50, 60, 20, 0.1),
        ),
        "estimates.stood_out": stood_out(),
        "estimates.city_period": stand_ins(),
        "estimates.next_window": table(
            "rule_name rule correlation_with_last",
            ("committed", "a rule", 0.9),
            ("adjusted", "another rule", None),
            spec_id=PRIMARY,
            first_year=2010,
            last_year=2020,
            committed_on="2019-12-31",
            rule_sha256="ab" * 32,
            share_of_level=0.01,
        ),
        "meta.promise": table(
            "rule_name status what_changed changed_since",
            ("committed", "as_written", "", None),
            ("adjusted", "changed", HOSTILE, "this run"),
            spec_id=PRIMARY,
            first_year=2010,
            last_year=2019,
            written_by="20260101T000000.000000Z",
            estimate_written=0.01,
            p_value_family_written=0.5,
            estimate=0.02,
            p_value_family=0.4,
            reason="",
        ),
        "marts.fct_coverage": table(
            "source_id indicator_id year",
            ("tidy", HOSTILE, 2015),
            **{
                f"n_cities_{name}": 3
                for name in ("delivered", "taken", "blocked", "quarantined", "current")
            },
        ),
        "marts.dim_codebook": table(
            "indicator_id label_en label_zh definition_en definition_zh unit first_year last_year "
            "n_cities n_values n_missing smallest_value largest_value sources",
            (
                "g",
                HOSTILE,
                "地区生产总值",
                HOSTILE,
                "当年产出",
                "cny_100m",
                2010,
                2019,
                3,
                9,
                1,
                1.0,
                9.0,
                HOSTILE,
            ),
        ),
    }
