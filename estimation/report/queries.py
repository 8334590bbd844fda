"""What the report reads: small aggregates of marts, estimates, quality and meta, one query a frame."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Query:
    """A query, the tables without which its answer is empty, and the columns of that empty answer."""

    tables: tuple[str, ...]
    columns: str
    sql: str


# Means over pair-years are taken on DECIMAL, so that they have the same bytes for any thread count.
_MEAN = "sum(cast({0} as decimal(28, 10))) / count({0})"
_PATHS = ("cm_growth_official", "comove_growth_official", "dispersion_growth_official", "cm_growth_deflated")

# The primary test's tables, which the report takes whole.
PRIMARY_TABLES = {
    "primary": (
        "spec_id, first_year, last_year, estimate, ci_low, ci_high, p_value, minimum_detectable_effect, correlation_before, "
        "correlation_after, n_cities, n_pilots, n_blocks, verdict, reason"
    ),
    "channel": "spec_id, channel, estimate, ci_low, ci_high, p_value",
    "power": "spec_id, imposed, effect_on_cm, share_found, draws",
    "placebo": "spec_id, placebo, name, first_year, last_year, estimate, ci_low, ci_high, p_value, n_cities, n_pilots, joint_p_value",
}

QUERIES = {
    **{
        table: Query((f"estimates.{table}",), columns, f"select {columns} from estimates.{table}")
        for table, columns in PRIMARY_TABLES.items()
    },
    "run": Query(
        ("meta.run",), "run_id, git_commit, started_at, is_simulated", "select run_id, git_commit, started_at, is_simulated from meta.run"
    ),
    "files": Query(
        ("meta.input_file",),
        "path, source_id, edition_year, sha256, bytes, status, note, n_observations, n_rejected",
        "select path, source_id, edition_year, sha256, bytes, status, note, n_observations, n_rejected from meta.input_file order by path",
    ),
    "cities": Query(
        ("marts.dim_city", "marts.fct_city_year", "marts.dim_pilot_zone", "marts.panel_pair_year"),
        "city_id, city_name_zh, city_name_en, province_id, province_name_zh, province_name_en, lon_deg, lat_deg, batch, is_in_sample",
        """
        with first_zone as (select city_id, min(batch) as batch from marts.dim_pilot_zone where is_whole_prefecture group by city_id),
        members as (select city_i_id as city_id from marts.panel_pair_year union select city_j_id from marts.panel_pair_year),
        known as (select distinct city_id from marts.fct_city_year)
        select city_id, city_name_zh, city_name_en, province_id, province_name_zh, province_name_en, lon_deg, lat_deg, first_zone.batch,
            members.city_id is not null as is_in_sample
        from marts.dim_city inner join known using (city_id) left join first_zone using (city_id) left join members using (city_id)
        order by city_id
        """,
    ),
    "batches": Query(
        ("marts.dim_pilot_zone",),
        "batch, approval_date, n_zones, n_whole_prefecture, document_no",
        """
        select batch, min(approval_date) as approval_date, count(*) as n_zones,
            count(*) filter (where is_whole_prefecture) as n_whole_prefecture, min(document_no) as document_no
        from marts.dim_pilot_zone group by batch order by batch
        """,
    ),
    "paths": Query(
        ("marts.panel_pair_year",),
        "year, is_one, n_pairs, " + ", ".join(_PATHS),
        "select year, cohort_year is not null as is_one, count(*) as n_pairs, "
        + ", ".join(f"cast({_MEAN.format(name)} as double) as {name}" for name in _PATHS)
        + " from marts.panel_pair_year group by all order by all",
    ),
    "all_paths": Query(
        ("marts.fct_pair_synchronization",),
        "year, n_pairs, " + ", ".join(_PATHS),
        f"select year, count({_PATHS[0]}) as n_pairs, "
        + ", ".join(f"cast({_MEAN.format(name)} as double) as {name}" for name in _PATHS)
        + " from marts.fct_pair_synchronization group by year order by year",
    ),
    "estimate": Query(
        ("estimates.estimate",),
        "spec_id, analysis, estimator, outcome, term, cohort_year, event_time, vcov, is_default, estimate, std_error, ci_low, ci_high, "
        "p_value, n_obs, n_pairs, n_cities, n_pilots",
        """
        select spec_id, analysis, estimator, outcome, term, cohort_year, event_time, vcov, is_default, estimate, std_error, ci_low, ci_high,
            p_value, n_obs, n_pairs, n_cities, n_pilots
        from estimates.estimate order by spec_id, term, cohort_year nulls first, event_time nulls first, vcov
        """,
    ),
    "diagnostic": Query(
        ("estimates.diagnostic",),
        "spec_id, diagnostic, term, value",
        "select spec_id, diagnostic, term, value from estimates.diagnostic order by all",
    ),
    "not_run": Query(
        ("estimates.not_run",), "spec_id, analysis, reason", "select spec_id, analysis, reason from estimates.not_run order by all"
    ),
    "warning": Query(("estimates.warning",), "spec_id, warning", "select spec_id, warning from estimates.warning order by all"),
    "truth": Query(
        ("estimates.truth",),
        "spec_id, term, cohort_year, event_time, truth",
        "select spec_id, term, cohort_year, event_time, truth from estimates.truth order by all",
    ),
    "truth_coverage": Query(
        ("estimates.coverage",),
        "scope, quantity, coefficients, line, n, n_yes, share",
        "select scope, quantity, coefficients, line, n, n_yes, share from estimates.coverage order by all",
    ),
    "coverage": Query(
        ("marts.fct_indicator_observation",),
        "indicator_id, year, n_places",
        """
        select indicator_id, year, count(distinct city_id) as n_places from marts.fct_indicator_observation
        where is_current group by all order by all
        """,
    ),
    "sources": Query(
        ("marts.fct_indicator_observation",),
        "source_id, n_values, n_current, n_flagged",
        """
        select source_id, count(*) as n_values, count(*) filter (where is_current) as n_current,
            count(*) filter (where quality_flag != 'ok') as n_flagged
        from marts.fct_indicator_observation group by source_id order by source_id
        """,
    ),
    "flags": Query(
        ("marts.fct_indicator_observation",),
        "quality_flag, quality_rule, n_values",
        """
        select quality_flag, quality_rule, count(*) as n_values from marts.fct_indicator_observation
        where quality_flag != 'ok' group by all order by all
        """,
    ),
    "rejected": Query(
        ("quality.rejected_value",),
        "source_id, reason, n_values, example",
        """
        select source_id, reason, count(*) as n_values,
            min(concat_ws(' ', file_name, sheet_name, cell_ref, '“' || left(raw_text, 60) || '”')) as example
        from quality.rejected_value group by all order by all
        """,
    ),
    "gates": Query(
        ("quality.expectation_result",),
        "stage, n_expectations, n_failed",
        """
        select stage, count(*) as n_expectations, count(*) filter (where not success) as n_failed
        from quality.expectation_result group by stage order by stage
        """,
    ),
    "gate_failures": Query(
        ("quality.expectation_result",),
        "stage, dataset, expectation, column_name, severity, observed",
        """
        select stage, dataset, expectation, column_name, severity, observed from quality.expectation_result
        where not success order by all limit 60
        """,
    ),
    "indicators": Query(
        ("marts.dim_indicator",),
        "indicator_id, label_en, label_zh, place_level, unit",
        "select indicator_id, label_en, label_zh, place_level, unit from marts.dim_indicator order by indicator_id",
    ),
    "specification": Query(
        ("estimates.specification",),
        "spec_id, outcome, series, window, treatment_rule, tie_rule, effects, estimator, control_group",
        """
        select spec_id, outcome, series, "window", treatment_rule, tie_rule, effects, estimator, control_group
        from estimates.specification order by all
        """,
    ),
    "quantiles": Query(
        ("marts.fct_pair_synchronization",),
        "year, n_pairs, p10, p25, p50, p75, p90",
        """
        select year, count(cm_growth_official) as n_pairs, quantile_cont(cm_growth_official, 0.1) as p10,
            quantile_cont(cm_growth_official, 0.25) as p25, quantile_cont(cm_growth_official, 0.5) as p50,
            quantile_cont(cm_growth_official, 0.75) as p75, quantile_cont(cm_growth_official, 0.9) as p90
        from marts.fct_pair_synchronization group by year order by year
        """,
    ),
    "conflict_causes": Query(
        ("marts.fct_indicator_conflict",),
        "suspected_cause, n_values, median_abs_gap",
        """
        select suspected_cause, count(*) as n_values, median(abs(relative_gap)) as median_abs_gap
        from marts.fct_indicator_conflict group by all order by n_values desc, suspected_cause
        """,
    ),
    "conflict_sources": Query(
        ("marts.fct_indicator_conflict",),
        "indicator_id, chosen_source_id, other_source_id, suspected_cause, n_values, median_abs_gap, max_abs_gap",
        """
        select indicator_id, chosen_source_id, other_source_id, suspected_cause, count(*) as n_values,
            median(abs(relative_gap)) as median_abs_gap, max(abs(relative_gap)) as max_abs_gap
        from marts.fct_indicator_conflict group by all
        order by n_values desc, indicator_id, chosen_source_id, other_source_id, suspected_cause
        """,
    ),
    "conflict_worst": Query(
        ("marts.fct_indicator_conflict",),
        "city_id, year, indicator_id, chosen_source_id, chosen_value, other_source_id, other_value, relative_gap, suspected_cause",
        """
        select city_id, year, indicator_id, chosen_source_id, chosen_value, other_source_id, other_value, relative_gap, suspected_cause
        from marts.fct_indicator_conflict
        order by abs(relative_gap) desc nulls last, city_id, year, indicator_id, other_source_id, other_value limit 100
        """,
    ),
    "revisions": Query(
        ("marts.fct_indicator_revision",),
        "source_id, indicator_id, old_edition_year, new_edition_year, n_values, median_abs_change",
        """
        select source_id, indicator_id, old_edition_year, new_edition_year, count(*) as n_values,
            median(abs(new_value / nullif(old_value, 0) - 1)) as median_abs_change
        from marts.fct_indicator_revision group by all order by all
        """,
    ),
    "revision_worst": Query(
        ("marts.fct_indicator_revision",),
        "city_id, year, indicator_id, source_id, old_edition_year, new_edition_year, old_value, new_value, relative_change",
        """
        select city_id, year, indicator_id, source_id, old_edition_year, new_edition_year, old_value, new_value,
            new_value / nullif(old_value, 0) - 1 as relative_change
        from marts.fct_indicator_revision
        order by abs(relative_change) desc nulls last, city_id, year, indicator_id, source_id, old_edition_year, new_edition_year limit 100
        """,
    ),
    "value_changes": Query(
        ("meta.publication_change",),
        "source_id, n_new, n_revised, n_vanished, n_current_changed",
        """
        select source_id, sum(n_new) as n_new, sum(n_revised) as n_revised, sum(n_vanished) as n_vanished,
            sum(n_current_changed) as n_current_changed
        from meta.publication_change group by source_id order by source_id
        """,
    ),
    "estimate_changes": Query(
        ("meta.estimate_change",),
        "previous_run_id, spec_id, term, old_estimate, new_estimate, difference_in_old_errors, old_p_value, new_p_value",
        """
        select previous_run_id, spec_id, term, old_estimate, new_estimate, difference_in_old_errors, old_p_value, new_p_value
        from meta.estimate_change where cohort_year is null and event_time is null
        order by spec_id not like 'baseline.%', abs(difference_in_old_errors) desc nulls first, spec_id, term
        """,
    ),
    "flagged_rows": Query(
        ("marts.fct_indicator_observation",),
        "quality_flag, quality_rule, city_id, year, indicator_id, raw_text, value, is_current, source_id, edition_year, file_name, "
        "sheet_name, cell_ref, quality_detail",
        """
        with flagged as (
            select *, row_number() over (
                partition by quality_flag, quality_rule order by city_id, year, indicator_id, source_id, file_name, cell_ref
            ) as position
            from marts.fct_indicator_observation where quality_flag != 'ok'
        )
        select quality_flag, quality_rule, city_id, year, indicator_id, raw_text, value, is_current, source_id, edition_year, file_name,
            sheet_name, cell_ref, quality_detail
        from flagged where position <= 100 order by all
        """,
    ),
    "rejected_rows": Query(
        ("quality.rejected_value",),
        "source_id, reason, file_name, sheet_name, cell_ref, raw_text, detail",
        """
        with numbered as (
            select *, row_number() over (partition by source_id, reason order by file_name, sheet_name, cell_ref, raw_text) as position
            from quality.rejected_value
        )
        select source_id, reason, file_name, sheet_name, cell_ref, left(raw_text, 200) as raw_text, left(detail, 400) as detail
        from numbered where position <= 20 order by all
        """,
    ),
    "policy": Query(("marts.fct_policy_clause",), "n_clauses", "select count(*) as n_clauses from marts.fct_policy_clause"),
    "columns": Query(
        (),
        "table_name, column_name, data_type, comment",
        """
        select schema_name || '.' || table_name as table_name, column_name, data_type, comment from duckdb_columns()
        where schema_name in ('marts', 'estimates', 'quality', 'meta') and not internal order by schema_name, table_name, column_index
        """,
    ),
    "table_comments": Query(
        (),
        "table_name, comment",
        """
        select schema_name || '.' || table_name as table_name, comment from (
            from duckdb_tables() select schema_name, table_name, comment, internal
            union all from duckdb_views() select schema_name, view_name, comment, internal
        ) where schema_name in ('marts', 'estimates', 'quality', 'meta') and not internal order by all
        """,
    ),
}
