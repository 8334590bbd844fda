"""Queries on estimates: the primary test, every coefficient with its inference methods, event
studies, the curve, claims.
"""

from __future__ import annotations

from ..defaults import LEVEL
from .query import Query
from .shown_specs import PRIMARY


def _whole(table: str, columns: str, keys: tuple[str, ...], order: str = "all") -> Query:
    return Query(
        (f"estimates.{table}",),
        columns,
        f"select {columns} from estimates.{table} order by {order}",
        keys,
    )


# One row a coefficient: its default line (the first line where none is default), beside the
# permutation and the conventional line.
_LINES = """
with lines as (select * from estimates.estimate where {which}),
chosen as (
    select * from lines
    qualify row_number() over (partition by spec_id, term, event_time
        order by coalesce(is_default, false) desc, vcov) = 1
),
drawn as (select spec_id, term, event_time, p_value, ci_low, ci_high from lines
    where vcov = 'permutation'),
contrast as (select spec_id, term, event_time, p_value, ci_low, ci_high from lines
    where vcov = 'conventional'),
shared as (select spec_id, term, event_time, ci_low, ci_high from lines where vcov = 'dyadic'),
truths as (
    select spec_id, term, event_time, min(truth) as truth from estimates.truth
        where cohort_year is null group by all
),
figures as (
    select spec_id, term,
        max(value) filter (where diagnostic = 'minimum_detectable_effect') as
            minimum_detectable_effect
    from estimates.diagnostic where term is not null group by all
)
select chosen.spec_id, chosen.analysis, chosen.estimator, chosen.outcome, chosen.term,
    chosen.event_time, chosen.vcov, chosen.estimate,
    chosen.std_error, chosen.ci_low, chosen.ci_high, chosen.p_value,
        drawn.p_value as p_permutation, drawn.ci_low as low_permutation,
    drawn.ci_high as high_permutation, contrast.p_value as p_conventional,
    contrast.ci_low as low_conventional, contrast.ci_high as high_conventional,
    shared.ci_low as low_dyadic, shared.ci_high as high_dyadic, chosen.n_obs,
        chosen.n_pairs, chosen.n_cities,
    chosen.n_pilots, chosen.p_value_withheld_reason, truths.truth,
        figures.minimum_detectable_effect, chosen.p_value_family,
    chosen.family, chosen.family_size, chosen.is_found
from chosen
left join drawn on chosen.spec_id = drawn.spec_id and chosen.term = drawn.term
    and chosen.event_time is not distinct from drawn.event_time
left join contrast
    on chosen.spec_id = contrast.spec_id and chosen.term = contrast.term
        and chosen.event_time is not distinct from contrast.event_time
left join shared
    on chosen.spec_id = shared.spec_id and chosen.term = shared.term
        and chosen.event_time is not distinct from shared.event_time
left join truths
    on chosen.spec_id = truths.spec_id and chosen.term = truths.term
        and chosen.event_time is not distinct from truths.event_time
left join figures on chosen.spec_id = figures.spec_id and chosen.term = figures.term
order by chosen.spec_id, chosen.term, chosen.event_time
"""
_COLUMNS = (
    "spec_id, analysis, estimator, outcome, term, event_time, vcov, estimate, std_error, ci_low, "
    "ci_high, p_value, p_permutation, "
    "low_permutation, high_permutation, p_conventional, low_conventional, high_conventional, "
    "low_dyadic, high_dyadic, "
    "n_obs, n_pairs, n_cities, n_pilots, "
    "p_value_withheld_reason, truth, "
    "minimum_detectable_effect, p_value_family, family, family_size, is_found"
)
_NEEDS = ("estimates.estimate", "estimates.truth", "estimates.diagnostic")
_OVERALL = "cohort_year is null and event_time is null and analysis != 'specification_curve'"

ESTIMATES = {
    # its p is that of the family of growth and cycle, which the verdict follows; `p_single` is the
    # uncorrected one
    "primary": Query(
        ("estimates.primary",),
        "spec_id, outcome, first_year, last_year, estimator, measure, before, after, "
        "without_admission, estimate, ci_low, ci_high, p_value, p_single, "
        "p_value_refreshes, minimum_detectable_rise, minimum_detectable_fall, "
        "minimum_detectable_effect, n_cities, n_pilots, n_movable, n_treated_years, n_negative, "
        "n_unidentified, weight_negative, n_blocks, verdict, reason, truth, "
        "p_value_family, family, family_size",
        """
        -- as the page shows them: the two levels differ by the estimate to the last digit
        select spec_id, outcome, first_year, last_year, estimator, measure, before, after,
            round(after, 3) - round(estimate, 3) as without_admission, estimate,
            ci_low, ci_high, p_value_family as p_value,
            p_value as p_single, p_value_refreshes, minimum_detectable_rise,
            minimum_detectable_fall, minimum_detectable_effect, n_cities, n_pilots, n_movable,
            n_treated_years, n_negative, n_unidentified, weight_negative, n_blocks, verdict,
            reason, truth, p_value_family,
            case when p_value_family is not null then 'growth_and_cycle' end as family,
            count(p_value_family) over (partition by replace(spec_id, '_cycle.', '.'))
                as family_size
        from estimates.primary order by spec_id
        """,
        ("spec_id",),
    ),
    "channel": Query(
        ("estimates.channel",),
        "spec_id, channel, estimate, ci_low, ci_high, p_value, truth, planted, "
        "p_value_family, family, family_size",
        """
        select spec_id, channel, estimate, ci_low, ci_high, p_value, truth, planted,
            p_value_bh as p_value_family,
            case when p_value_bh is not null then 'channels' end as family,
            count(p_value_bh) over () as family_size
        from estimates.channel order by all
        """,
        ("spec_id", "channel"),
    ),
    "truth_coverage": _whole(
        "coverage",
        "scope, quantity, coefficients, line, n, n_yes, share, measured_with",
        ("scope", "quantity", "coefficients", "line"),
    ),
    "power": _whole(
        "power", "spec_id, imposed, effect_on_cm, share_found, draws", ("spec_id", "imposed")
    ),
    "placebo": _whole(
        "placebo",
        (
            "spec_id, placebo, name, first_year, last_year, estimate, ci_low, ci_high, p_value, "
            "n_cities, n_pilots, joint_p_value"
        ),
        ("spec_id", "placebo", "name"),
        # the headline's first: in time from the nearest shift on, then in space
        f"spec_id != '{PRIMARY}', list_position(['time', 'space', 'later', 'selection'], placebo), "
        "case when placebo = 'time' then -last_year end, name, spec_id",
    ),
    "check": Query(
        ("estimates.check",),
        "spec_id, check, name, series, first_year, last_year, estimate, ci_low, ci_high, p_value, "
        "minimum_detectable_rise, "
        "minimum_detectable_fall, n_cities, n_pilots, joint_p_value, relative_magnitude, reason, "
        "p_single, p_value_family, family, family_size",
        """
        select spec_id, "check", name, series, first_year, last_year, estimate, ci_low, ci_high,
            p_value_family as p_value, minimum_detectable_rise,
            minimum_detectable_fall, n_cities, n_pilots, joint_p_value, relative_magnitude, reason,
            p_value as p_single, p_value_family,
            case when p_value_family is not null then 'growth_and_cycle' end as family,
            count(p_value_family) over (partition by spec_id, "check", name) as family_size
        from estimates.check order by list_position(['headline', 'measure', 'statistic', 'dates',
            'years', 'evidence', 'series', 'controls', 'batch', 'province', 'drift'], "check"),
            series != 'growth', series, name
        """,
        ("check", "name", "series"),
    ),
    "weight": _whole(
        "weight",
        "spec_id, grain, name, weight, weight_negative, n_cells, n_pilots, estimate, std_error, "
        "p_value, p_value_family, family, family_size, reason",
        ("grain", "name"),
        "grain, try_cast(name as integer), name like 'after%', name like 'in%', name",
    ),
    "own_outcome": _whole(
        "own_outcome",
        "spec_id, outcome, comparison, unit, first_year, last_year, estimate, ci_low, ci_high, "
        "p_value, p_value_family, family, family_size, is_found, minimum_detectable_effect, "
        "minimum_detectable_family, n_cities, n_pilots, reason",
        ("comparison", "outcome"),
        "comparison, family != 'trade', outcome",
    ),
    "policy_test": Query(
        ("estimates.policy",),
        "spec_id, policy, outcome, comparison, unit, first_year, last_year, before, after, "
        "without_admission, estimate, ci_low, ci_high, p_single, p_value, p_value_family, family, "
        "family_size, is_found, minimum_detectable_rise, minimum_detectable_fall, "
        "minimum_detectable_effect, minimum_detectable_family, p_value_selection, "
        "p_value_placebo, n_listed, n_cities, n_pilots, n_movable, n_whole_province, n_blocks, "
        "n_verified, is_verified, verdict, reason",
        """
        select spec_id, policy, outcome, comparison, unit, first_year, last_year, before, after,
            without_admission, estimate, ci_low, ci_high, p_value as p_single,
            p_value_family as p_value, p_value_family, family, family_size, is_found,
            minimum_detectable_rise, minimum_detectable_fall, minimum_detectable_effect,
            minimum_detectable_family, p_value_selection, p_value_placebo, n_listed, n_cities,
            n_pilots, n_movable, n_whole_province, n_blocks, n_verified, is_verified, verdict,
            reason
        from estimates.policy
        order by policy != 'pilot_zones', policy, outcome not like 'cm%', comparison desc, outcome
        """,
        ("spec_id",),
    ),
    "policy_overlap": _whole(
        "policy_overlap",
        "policy, other, n_pilots, n_units, n_both, correlation",
        ("policy", "other"),
    ),
    "stood_out": Query(
        ("estimates.stood_out",),
        "source_table, spec_id, name, cohort_year, event_time, series, comparison, estimate, "
        "ci_low, ci_high, p_value, family, family_size, p_value_family, n_cities, belief, reason",
        """
        select source_table, spec_id, name, cohort_year, event_time, series, comparison, estimate,
            ci_low, ci_high, p_value, family, family_size, p_value_family, n_cities, belief, reason
        from estimates.stood_out
        order by list_position(['found', 'doubted', 'not_found', 'no_test'], belief), p_value,
            source_table, spec_id, name, cohort_year, event_time, series, comparison
        """,
        ("source_table", "spec_id", "name", "cohort_year", "event_time", "series", "comparison"),
    ),
    "city_period": _whole(
        "city_period",
        "spec_id, stand_in, province_id, cohort_year, first_year, last_year, n_years, "
        "synchronization",
        ("spec_id", "stand_in", "first_year"),
    ),
    "next_window": _whole(
        "next_window",
        "spec_id, rule_name, first_year, last_year, rule, rule_sha256, correlation_with_last, "
        "share_of_level, committed_on",
        ("spec_id", "rule_name"),
        "spec_id, rule_name != 'committed'",
    ),
    "promise": Query(
        ("meta.promise",),
        "spec_id, rule_name, first_year, last_year, written_by, status, what_changed, "
        "changed_since, estimate_written, p_value_family_written, estimate, p_value_family, reason",
        """
        select spec_id, rule_name, first_year, last_year, written_by, status, what_changed,
            changed_since, estimate_written, p_value_family_written, estimate, p_value_family,
            reason
        from meta.promise order by spec_id, rule_name != 'committed'
        """,
        ("spec_id", "rule_name"),
    ),
    "claim": Query(
        ("estimates.claim",),
        "claim_id, claim_en, claim_zh, study_finding, spec_id_study_form, estimate_study_form, "
        "p_value_study_form, verdict_study_form, "
        "spec_id, estimate, ci_low, ci_high, p_value, family, family_size, "
        "minimum_detectable_effect, verdict, reason",
        """
        select claim_id, claim_en, claim_zh, study_finding, spec_id_study_form,
            estimate_study_form, p_value_study_form,
            verdict_study_form, spec_id, estimate, ci_low, ci_high, p_value, family, family_size,
            minimum_detectable_effect, verdict, reason
        from estimates.claim order by claim_id != 'net_effect', claim_id
        """,
        ("claim_id",),
    ),
    "coefficient": Query(_NEEDS, _COLUMNS, _LINES.format(which=_OVERALL), ("spec_id", "term")),
    "event": Query(
        _NEEDS,
        _COLUMNS,
        _LINES.format(which="cohort_year is null and event_time is not null"),
        ("spec_id", "term", "event_time"),
    ),
    "diagnostic": Query(
        ("estimates.diagnostic",),
        "spec_id, diagnostic, term, value",
        """
        select spec_id, diagnostic, term, value from estimates.diagnostic
        where not starts_with(diagnostic, 'permutation_quantile_')
            and not starts_with(diagnostic, 'leave_out_') order by all
        """,
        ("spec_id", "diagnostic", "term"),
    ),
    "without_province": Query(
        ("estimates.diagnostic", "marts.dim_city"),
        "province_id, province_name_en, province_name_zh, estimate, whole, n_pilots",
        """
        with names as (
            select province_id, min(province_name_en) as province_name_en,
                min(province_name_zh) as province_name_zh,
                count(*) filter (where treated_year is not null) as n_zones
            from marts.dim_city group by province_id
        ),
        whole as (
            select min(estimate) as whole, min(n_pilots) as n_pilots from estimates.estimate
            where spec_id = 'baseline.cm_growth_official.headline' and term = 'treated'
        )
        select try_cast(d.term as int) as province_id, names.province_name_en,
            names.province_name_zh, d.value as estimate, whole.whole,
            names.n_zones as n_pilots
        from estimates.diagnostic as d
        cross join whole
        left join names on try_cast(d.term as int) = names.province_id
        where d.spec_id = 'baseline.cm_growth_official.headline'
            and d.diagnostic = 'leave_out_province'
        order by abs(d.value - whole.whole) desc, province_id
        """,
        ("province_id",),
    ),
    "curve": Query(
        ("estimates.estimate", "estimates.specification"),
        "spec_id, outcome, measure, series, window, treatment_rule, tie_rule, effects, estimator, "
        "control_group, outcome_sd, estimate, "
        "ci_low, ci_high, p_value, p_conventional, n_pairs, n_pilots, estimate_sd, low_sd, high_sd",
        """
        with lines as (
            select * from estimates.estimate
            where spec_id in (select spec_id from estimates.specification)
                and term in ('treated', 'att')
                and event_time is null and cohort_year is null
        ),
        chosen as (
            select * from lines qualify row_number() over (partition by spec_id
                order by coalesce(is_default, false) desc, vcov) = 1
        )
        select s.spec_id, s.outcome, s.measure, s.series, s."window", s.treatment_rule, s.tie_rule,
            s.effects, s.estimator,
            s.control_group, s.outcome_sd, c.estimate, c.ci_low, c.ci_high, c.p_value,
                contrast.p_value as p_conventional, c.n_pairs,
            c.n_pilots, c.estimate / s.outcome_sd as estimate_sd,
                c.ci_low / s.outcome_sd as low_sd, c.ci_high / s.outcome_sd as high_sd
        from estimates.specification as s
        inner join chosen as c on s.spec_id = c.spec_id
        left join lines as contrast on s.spec_id = contrast.spec_id
            and contrast.vcov = 'conventional'
        order by s.outcome, estimate_sd, s.spec_id
        """,
        ("spec_id",),
    ),
    "curve_summary": Query(
        ("estimates.estimate", "estimates.specification", "estimates.curve_test"),
        "outcome, n_specs, median_sd, share_positive, share_rejects, share_rejects_conventional, "
        "n_joint, draws, median_joint, "
        "p_value_median, share_joint, p_value_share",
        f"""
        with lines as (
            select * from estimates.estimate
            where spec_id in (select spec_id from estimates.specification)
                and term in ('treated', 'att')
                and event_time is null and cohort_year is null
        ),
        chosen as (
            select * from lines qualify row_number() over (partition by spec_id
                order by coalesce(is_default, false) desc, vcov) = 1
        ),
        joined as (
            select s.outcome, c.estimate / s.outcome_sd as estimate_sd, c.p_value,
                contrast.p_value as p_conventional
            from estimates.specification as s
            inner join chosen as c on s.spec_id = c.spec_id
            left join lines as contrast on s.spec_id = contrast.spec_id
                and contrast.vcov = 'conventional'
        ),
        by_outcome as (
            select outcome, count(*) as n_specs, median(estimate_sd) as median_sd,
                count(*) filter (where estimate_sd > 0) / count(*) as share_positive,
                count(*) filter (where p_value < {LEVEL}) / nullif(count(p_value), 0)
                    as share_rejects,
                count(*) filter (where p_conventional < {LEVEL}) / nullif(count(p_conventional), 0)
                    as share_rejects_conventional
            from (select * from joined union all select 'all', estimate_sd, p_value, p_conventional
                from joined)
            where estimate_sd is not null
            group by outcome
        )
        select by_outcome.*, test.n_specs as n_joint, test.draws, test.median_sd as median_joint,
            test.p_value_median,
            test.share_rejects as share_joint, test.p_value_share
        from by_outcome
        left join estimates.curve_test as test using (outcome)
        order by outcome != 'all', outcome
        """,
        ("outcome",),
    ),
    "not_run": _whole("not_run", "spec_id, analysis, reason", ("spec_id",)),
    "warning": _whole("warning", "spec_id, warning", ("spec_id", "warning")),
    "estimate": Query(
        ("estimates.estimate",),
        "spec_id, analysis, estimator, outcome, term, cohort_year, event_time, vcov, is_default, "
        "estimate, std_error, ci_low, ci_high, "
        "p_value, n_obs, n_pairs, n_cities, n_pilots, p_value_withheld_reason",
        """
        select spec_id, analysis, estimator, outcome, term, cohort_year, event_time, vcov,
            is_default, estimate, std_error, ci_low, ci_high,
            p_value, n_obs, n_pairs, n_cities, n_pilots, p_value_withheld_reason
        from estimates.estimate order by spec_id, term, cohort_year nulls first,
            event_time nulls first, vcov
        """,
        ("spec_id", "term", "cohort_year", "event_time", "vcov"),
    ),
}
