"""Queries on quality and meta: coverage, conflicts, revisions, flags, what was not taken, checks,
the run, the dictionary.
"""

from __future__ import annotations

from .query import Query

QUALITY = {
    "run": Query(
        ("meta.run",),
        "run_id, git_commit, started_at, is_simulated, previous_run_id, not_compared",
        "select run_id, git_commit, started_at, is_simulated, previous_run_id, not_compared "
        "from meta.run",
    ),
    "files": Query(
        ("meta.input_file",),
        "path, source_id, edition_year, sha256, bytes, status, note, n_observations, n_rejected",
        (
            "select path, source_id, edition_year, sha256, bytes, status, note, n_observations, "
            "n_rejected from meta.input_file order by path"
        ),
        ("path",),
    ),
    "coverage": Query(
        ("marts.fct_indicator_observation",),
        "indicator_id, year, n_places",
        """
        select indicator_id, year, count(distinct city_id) as n_places
            from marts.fct_indicator_observation
        where is_current group by all order by all
        """,
        ("indicator_id", "year"),
    ),
    "sources": Query(
        ("meta.input_file", "marts.fct_indicator_observation", "quality.rejected_value"),
        (
            "source_id, n_files, n_taken, first_edition, last_edition, n_indicators, first_year, "
            "last_year, n_delivered, n_values, n_current, n_flagged, n_blocked, n_rejected"
        ),
        """
        with files as (
            select source_id, count(*) as n_files, count(*) filter (where status = 'taken') as
                n_taken,
                min(edition_year) as first_edition, max(edition_year) as last_edition,
                    sum(n_observations)::bigint as n_delivered
            from meta.input_file where source_id is not null group by source_id
        ),
        observed as (
            select source_id, count(*) as n_values, count(*) filter (where is_current) as n_current,
                count(*) filter (where quality_flag != 'ok') as n_flagged,
                count(*) filter (where quality_flag in ('blocked', 'quarantined')) as n_blocked,
                count(distinct indicator_id) as n_indicators, min("year") as first_year,
                max("year") as last_year
            from marts.fct_indicator_observation group by source_id
        ),
        left_out as (select source_id, count(*) as n_rejected from quality.rejected_value
            group by source_id)
        select coalesce(files.source_id, observed.source_id) as source_id,
            coalesce(n_files, 0) as n_files, coalesce(n_taken, 0) as n_taken,
            first_edition, last_edition, n_indicators, first_year, last_year,
            coalesce(n_delivered, 0) as n_delivered,
            -- texts are clauses: they have no values
            case when is_text then null else coalesce(n_values, 0) end as n_values,
            case when is_text then null else coalesce(n_current, 0) end as n_current,
            case when is_text then null else coalesce(n_flagged, 0) end as n_flagged,
            n_blocked, coalesce(n_rejected, 0) as n_rejected
        from files full join observed on files.source_id = observed.source_id
        cross join lateral (select coalesce(files.source_id, observed.source_id) = 'policy_texts'
            as is_text)
        left join left_out on coalesce(files.source_id, observed.source_id) = left_out.source_id
        order by 1
        """,
        ("source_id",),
    ),
    "origins": Query(
        ("meta.source",),
        "source_id, description, producer, title, licence, address, accessed, citation",
        (
            "select source_id, description, producer, title, licence, address, accessed, citation "
            "from meta.source order by source_id"
        ),
        ("source_id",),
    ),
    # with the first value of each as an example
    "flags": Query(
        ("marts.fct_indicator_observation",),
        "quality_flag, quality_rule, n_values, city_id, year, indicator_id, raw_text, value, "
        "delivered_at, quality_detail",
        """
        select quality_flag, quality_rule,
            count(*) over (partition by quality_flag, quality_rule) as n_values, city_id, year,
            indicator_id, raw_text, value,
            concat_ws(' ', file_name, sheet_name, cell_ref) as delivered_at, quality_detail
        from marts.fct_indicator_observation where quality_flag != 'ok'
        qualify row_number() over (partition by quality_flag, quality_rule
            order by city_id, year, indicator_id, source_id, file_name, cell_ref) = 1
        order by quality_flag, quality_rule
        """,
        ("quality_flag", "quality_rule"),
    ),
    # with the first erratum of each cause as an example
    "errata": Query(
        ("marts.fct_erratum",),
        "cause, n_values, n_proposed, erratum_id, city_id, year, indicator_id, text_printed, "
        "delivered_at, evidence, proposed_value",
        """
        select cause, count(*) over (partition by cause) as n_values,
            count(proposed_value) over (partition by cause) as n_proposed,
            left(erratum_id, 12) as erratum_id, city_id, year, indicator_id, text_printed,
            concat_ws(' ', source_id, edition_year, file_name, sheet_name, cell_ref)
                as delivered_at,
            evidence, proposed_value
        from marts.fct_erratum
        qualify row_number() over (partition by cause
            order by proposed_value is null, year desc, city_id, indicator_id, erratum_id) = 1
        order by cause
        """,
        ("cause",),
    ),
    "errata_rows": Query(
        ("marts.fct_erratum",),
        "erratum_id, source_id, edition_year, file_name, sheet_name, cell_ref, place_level, "
        "city_id, year, indicator_id, text_printed, value_printed, unit_printed, cause, "
        "quality_rule, evidence, proposed_value, unit, witness_source_id",
        """
        select erratum_id, source_id, edition_year, file_name, sheet_name, cell_ref, place_level,
            city_id, year, indicator_id, text_printed, value_printed, unit_printed, cause,
            quality_rule, evidence, proposed_value, unit, witness_source_id
        from marts.fct_erratum
        order by source_id, file_name, indicator_id, year, city_id, erratum_id
        """,
        ("erratum_id",),
    ),
    "rejected": Query(
        ("quality.rejected_value",),
        "source_id, reason, n_values, example, detail",
        """
        with told as (
            select source_id, reason, left(detail, 400) as detail, concat_ws(' ', file_name,
                sheet_name, cell_ref, '“' || left(raw_text, 60) || '”') as example
            from quality.rejected_value
        )
        select source_id, reason, count(*) as n_values, min(example) as example,
            arg_min(detail, concat_ws(' ', example, detail)) as detail
        from told group by all order by all
        """,
        ("source_id", "reason"),
    ),
    "gates": Query(
        ("quality.expectation_result",),
        "stage, n_expectations, n_failed",
        """
        select stage, count(*) as n_expectations, count(*) filter (where not success) as n_failed
        from quality.expectation_result group by stage
        order by list_position(['raw', 'staging', 'marts', 'estimates'], stage)
        """,
        ("stage",),
    ),
    "gate_failures": Query(
        ("quality.expectation_result", "meta.check_change"),
        "stage, check_id, dataset, expectation, column_name, severity, observed, why, known_since, "
        "n_new_rows",
        """
        select stage, check_id, dataset, expectation, column_name, results.severity, observed, why,
            known_since, n_new_rows
        from quality.expectation_result as results
        left join meta.check_change using (stage, check_id)
        where not success
        order by results.severity != 'stop', known_since is not null, stage, check_id limit 60
        """,
        ("stage", "check_id"),
    ),
    "gate_rows": Query(
        ("quality.expectation_row",),
        "stage, check_id, nth, failing_row, failing_value",
        """
        select stage, check_id, nth, failing_row, failing_value from quality.expectation_row
            where nth <= 20 order by all
        """,
        ("stage", "check_id", "nth"),
    ),
    "conflict_causes": Query(
        ("marts.fct_indicator_conflict",),
        "suspected_cause, n_values, median_abs_gap",
        """
        select suspected_cause, count(*) as n_values, median(abs(relative_gap)) as median_abs_gap
        from marts.fct_indicator_conflict group by all order by n_values desc, suspected_cause
        """,
        ("suspected_cause",),
    ),
    "conflict_sources": Query(
        ("marts.fct_indicator_conflict",),
        (
            "indicator_id, chosen_source_id, other_source_id, suspected_cause, n_values, "
            "median_abs_gap, max_abs_gap"
        ),
        """
        select indicator_id, chosen_source_id, other_source_id, suspected_cause,
            count(*) as n_values,
            median(abs(relative_gap)) as median_abs_gap, max(abs(relative_gap)) as max_abs_gap
        from marts.fct_indicator_conflict group by all
        order by n_values desc, indicator_id, chosen_source_id, other_source_id, suspected_cause
        """,
        ("indicator_id", "chosen_source_id", "other_source_id", "suspected_cause"),
    ),
    "conflict_worst": Query(
        ("marts.fct_indicator_conflict",),
        (
            "city_id, year, indicator_id, chosen_source_id, chosen_value, other_source_id, "
            "other_value, relative_gap, suspected_cause"
        ),
        """
        select city_id, year, indicator_id, chosen_source_id, chosen_value, other_source_id,
            other_value, relative_gap, suspected_cause
        from marts.fct_indicator_conflict
        order by abs(relative_gap) desc nulls last, city_id, year, indicator_id, other_source_id,
            other_value limit 100
        """,
        ("city_id", "year", "indicator_id", "other_source_id", "other_value"),
    ),
    "revisions": Query(
        ("marts.fct_indicator_revision",),
        "source_id, indicator_id, old_edition_year, new_edition_year, n_values, median_abs_change",
        """
        select source_id, indicator_id, old_edition_year, new_edition_year, count(*) as n_values,
            median(abs(new_value / nullif(old_value, 0) - 1)) as median_abs_change
        from marts.fct_indicator_revision group by all order by all
        """,
        ("source_id", "indicator_id", "old_edition_year", "new_edition_year"),
    ),
    "revision_worst": Query(
        ("marts.fct_indicator_revision",),
        (
            "city_id, year, indicator_id, source_id, old_edition_year, new_edition_year, "
            "old_value, "
            "new_value, relative_change"
        ),
        """
        select city_id, year, indicator_id, source_id, old_edition_year, new_edition_year,
            old_value, new_value,
            new_value / nullif(old_value, 0) - 1 as relative_change
        from marts.fct_indicator_revision
        order by abs(relative_change) desc nulls last, city_id, year, indicator_id, source_id,
            old_edition_year, new_edition_year limit 100
        """,
        ("city_id", "year", "indicator_id", "source_id", "old_edition_year", "new_edition_year"),
    ),
    "value_changes": Query(
        ("meta.publication_change",),
        "source_id, n_new, n_revised, n_vanished, n_current_changed",
        """
        select source_id, sum(n_new) as n_new, sum(n_revised) as n_revised,
            sum(n_vanished) as n_vanished,
            sum(n_current_changed) as n_current_changed
        from meta.publication_change group by source_id order by source_id
        """,
        ("source_id",),
    ),
    "flag_changes": Query(
        ("meta.flag_change",),
        (
            "change, source_id, indicator_id, quality_rule, n_values, n_became_current, "
            "n_ceased_current, first_value, new_source_ids"
        ),
        """
        select change, source_id, indicator_id, quality_rule, n_values, n_became_current,
            n_ceased_current, first_value, new_source_ids
        from meta.flag_change
        order by new_source_ids is null, n_values desc, change, source_id, indicator_id,
            quality_rule
        """,
        ("change", "source_id", "indicator_id", "quality_rule"),
    ),
    "flag_totals": Query(
        ("meta.flag_change",),
        "change, n_values, n_became_current, n_ceased_current",
        """
        select change, sum(n_values) as n_values, sum(n_became_current) as n_became_current,
            sum(n_ceased_current) as n_ceased_current
        from meta.flag_change group by change order by change
        """,
        ("change",),
    ),
    "current_changes": Query(
        ("meta.current_change",),
        "reason, n_values, median_relative_change, largest_relative_change",
        """
        select reason, sum(n_values) as n_values, median(median_relative_change) as
            median_relative_change,
            max(largest_relative_change) as largest_relative_change
        from meta.current_change group by reason order by n_values desc, reason
        """,
        ("reason",),
    ),
    "value_changed": Query(
        ("meta.value_change",),
        "indicator_id, city_id, year, old_value, new_value, relative_change, quality_rule, reason",
        """
        select indicator_id, city_id, year, old_value, new_value, relative_change, quality_rule,
            reason
        from meta.value_change where place_level = 'city'
        order by abs(relative_change) desc nulls first, indicator_id, city_id, year limit 100
        """,
        ("indicator_id", "city_id", "year"),
    ),
    "verdict_changes": Query(
        ("meta.estimate_change", "meta.movement"),
        "spec_id, old_last_year, new_last_year, old_verdict, new_verdict, old_estimate, "
        "new_estimate, change_in_deviations, new_p_value",
        """
        select spec_id, old_last_year, new_last_year, old_verdict, new_verdict,
            old_estimate, new_estimate, change_in_deviations, new_p_value
        from meta.estimate_change
        left join (select spec_id, change_in_deviations from meta.movement) using (spec_id)
        where spec_id like 'primary.%.newest' or spec_id like 'primary.%.study_window'
        order by spec_id
        """,
        ("spec_id",),
    ),
    "estimate_changes": Query(
        ("meta.estimate_change",),
        (
            "previous_run_id, spec_id, term, old_estimate, new_estimate, difference_in_old_errors, "
            "old_p_value, new_p_value"
        ),
        """
        select previous_run_id, spec_id, term, old_estimate, new_estimate,
            difference_in_old_errors, old_p_value, new_p_value
        from meta.estimate_change where cohort_year is null and event_time is null
        order by spec_id not like 'baseline.%', abs(difference_in_old_errors) desc nulls first,
            spec_id, term
        """,
        ("spec_id", "term"),
    ),
    "flagged_rows": Query(
        ("marts.fct_indicator_observation",),
        "quality_flag, quality_rule, city_id, year, indicator_id, raw_text, value, is_current, "
        "source_id, edition_year, file_name, "
        "sheet_name, cell_ref, quality_detail, observation_note",
        """
        with flagged as (
            select *, row_number() over (
                partition by quality_flag, quality_rule order by city_id, year, indicator_id,
                    source_id, file_name, cell_ref
            ) as position
            from marts.fct_indicator_observation where quality_flag != 'ok'
        )
        select quality_flag, quality_rule, city_id, year, indicator_id, raw_text, value,
            is_current, source_id, edition_year, file_name,
            sheet_name, cell_ref, quality_detail, observation_note
        from flagged where position <= 2000 order by all
        """,
        (
            "city_id",
            "year",
            "indicator_id",
            "source_id",
            "edition_year",
            "file_name",
            "sheet_name",
            "cell_ref",
            "quality_rule",
        ),
    ),
    "rejected_rows": Query(
        ("quality.rejected_value",),
        "source_id, reason, file_name, sheet_name, cell_ref, raw_text, detail",
        """
        with numbered as (
            select *, row_number() over (partition by source_id, reason
                order by file_name, sheet_name, cell_ref, raw_text) as position
            from quality.rejected_value
        )
        select source_id, reason, file_name, sheet_name, cell_ref, left(raw_text, 200) as raw_text,
            left(detail, 400) as detail
        from numbered where position <= 20 order by all
        """,
    ),
    "columns": Query(
        (),
        "table_name, column_name, data_type, comment",
        """
        select schema_name || '.' || table_name as table_name, column_name, data_type, comment
            from duckdb_columns()
        where schema_name in ('marts', 'estimates', 'quality', 'meta') and not internal
            order by schema_name, table_name, column_index
        """,
    ),
    "table_comments": Query(
        (),
        "table_name, comment",
        """
        select schema_name || '.' || table_name as table_name, comment from (
            from duckdb_tables() select schema_name, table_name, comment, internal
            union all from duckdb_views() select schema_name, view_name, comment, internal
        ) where schema_name in ('marts', 'estimates', 'quality', 'meta') and not internal
            order by all
        """,
    ),
}
