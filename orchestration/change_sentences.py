"""Describe in sentences what changed since the last publication: the last lines of a refresh.

Every sentence is read from tables of `meta` in the publication, so the page Data and the rehearsal
can show the same. Each query returns its lines in order.
"""

from __future__ import annotations

import duckdb

from warehouse.publication.archive import day_of
from warehouse.sql_text import literal_map

#: How many rows of a kind a sentence names; the table that it names has the others.
MOST_NAMED = 5
PLACE = "coalesce(city_name_en, place_level || ' ' || city_id)"
#: Values in use that are others than before or were lost, by name, the largest change first:
#: `gdp_nominal_cny_100m of Beijing in 2016, 102.5 before, none now (blocked by spike)`.
NAMED_VALUES = f"""
select reason, new_value is null as is_lost, abs(relative_change) as size,
    format('{{}} of {{}} in {{}}, {{:,.10g}} before, {{}} ({{}})', indicator_id, {PLACE}, "year",
        old_value, coalesce(format('{{:,.10g}} now', new_value), 'none now'),
        coalesce('blocked by ' || quality_rule, format('{{:+.2f}}%', 100 * relative_change), reason)
    ) as name,
    row_number() over (order by abs(relative_change) desc nulls first, indicator_id, place_level,
        city_id, "year") as nth
from meta.value_change left join marts.dim_city using (city_id)
"""
#: Flags that came, were set or were lifted, the most frequent first.
FLAGS = """
select change, quality_flag, quality_rule, sum(n_values)::bigint as n
from meta.flag_change group by all order by n desc, change, quality_flag, quality_rule
"""
VERDICT_WORDS = {
    "found": "a change was found",
    "not_found_could_have_been": "no change was found, and a small one would have been",
    "not_found_could_not_have_been": "no change was found, but a small one could be missed",
    "not_identified": "the data cannot tell",
}
WORDS = literal_map(VERDICT_WORDS)
QUERIES = (
    f"""
with named as (
    select change, format('{{}} {{}} ({{}}{{}})', count(*),
        if(change = 'new', 'are new', 'were lost'),
        array_to_string(list({PLACE} order by place_level, city_id)[:{MOST_NAMED}], ', '),
        if(count(*) > {MOST_NAMED}, ', ...', '')) as words
    from meta.place_change left join marts.dim_city using (city_id) group by change
)
select if(count(*) = 0, 'Places: no place is new, and none was lost.', format('Places: {{}}, {{}}.',
    coalesce(any_value(words) filter (change = 'new'), '0 are new'),
    coalesce(any_value(words) filter (change = 'lost'), '0 were lost')))
from named
""",
    f"""
with sources as (
    select source_id, any_value(source_change) as change, sum(n_new)::bigint as n_new,
        sum(n_revised)::bigint as n_revised, sum(n_vanished)::bigint as n_gone,
        max(median_relative_revision) as typical,
        row_number() over (order by sum(n_new + n_revised + n_vanished) desc, source_id) as nth
    from meta.publication_change group by source_id
    having sum(n_new + n_revised + n_vanished) > 0
)
select line from (
    select 0 as nth, if(count(*) = 0, 'Delivered values: every one is as it was.', format(
        'Delivered values: {{:,}} are new, {{:,}} were revised and {{:,}} are no longer delivered '
        || '(meta.publication_change).', sum(n_new), sum(n_revised), sum(n_gone))) as line
    from sources
    union all
    select nth, if(change = 'removed',
        format('  {{}} is no longer in the landing, with its {{:,}} values.', source_id, n_gone),
        format('  {{}}{{}}: {{:,}} new, {{:,}} revised{{}}, {{:,}} gone.', source_id,
            if(change = 'added', ' for the first time', ''), n_new, n_revised,
            coalesce(format(' (half of them by at most {{:.2f}}%)', 100 * typical), ''), n_gone))
    from sources where nth <= {MOST_NAMED}
    union all
    select {MOST_NAMED} + 1, format('  {{}} more sources changed.', count(*) - {MOST_NAMED})
    from sources having count(*) > {MOST_NAMED}
) order by nth
""",
    """
select coalesce(
    format('Values in use that changed: {} (meta.current_change).',
        string_agg(format('{:,} {}', n, reason), ', ' order by n desc, reason)),
    'Values in use: none changed.')
from (select reason, sum(n_values)::bigint as n from meta.current_change group by reason)
""",
    f"""
select format('{{:,}} values in use were revised, half of them by at most {{:.2f}}%, the most by '
    || '{{:.2f}}%: {{}}.', count(*), 100 * median(size), 100 * max(size), arg_min(name, nth))
from ({NAMED_VALUES}) where reason = 'revised' having median(size) is not null
""",
    f"""
select format('{{:,}} values in use were lost, with nothing in their place (meta.value_change): '
    || '{{}}.', count(*), array_to_string(list(name order by nth)[:{MOST_NAMED}], '; '))
from ({NAMED_VALUES}) where is_lost having count(*) > 0
""",
    f"""
with flags as ({FLAGS})
select format('{{}}: {{}} (meta.flag_change).', case change
        when 'came' then 'New and revised values that are flagged'
        when 'set' then 'Values that did not change and are blocked now'
        else 'Values that did not change and are no longer blocked'
    end, string_agg(
        format('{{:,}} {{}}by {{}}', n, if(change = 'came', quality_flag || ' ', ''), quality_rule),
        ', ' order by n desc, quality_flag, quality_rule))
from flags group by change order by list_position(['came', 'set', 'lifted'], change)
""",
    """
select 'Flags: no new or revised value is flagged, and no block was set or lifted.'
where not exists (from meta.flag_change)
""",
    # what a new source lifts may be a copy that confirms a wrong value
    f"""
select format('  warning: {{:,}} values of {{}}, {{}}, that {{}} blocked are no longer blocked, '
    || '{{:,}} of them are in use now, first {{}}; {{}} is new and has them too. Look at them in '
    || 'meta.flag_change before you believe them.', n_values, source_id, indicator_id, quality_rule,
    n_became_current, first_value, new_source_ids)
from meta.flag_change where change = 'lifted' and new_source_ids is not null
order by n_became_current desc, n_values desc, source_id, indicator_id, quality_rule
limit {MOST_NAMED}
""",
    """
with failed as (
    select check_id, known_since, n_new_rows,
        known_since is not null and coalesce(n_new_rows, 0) = 0 as is_known,
        coalesce(', first ' || nullif(first_new_row, ''), '') as example
    from meta.check_change
)
select line from (
    select '' as check_id, unnest([
        if(count(*) = 0, 'Warnings: no check failed.',
            format('Warnings: {} were there before, {} are new or found more.',
                count(*) filter (is_known), count(*) filter (not is_known))),
        format('  known, the oldest since {}: {}.', min(known_since) filter (is_known),
            string_agg(check_id, ', ' order by check_id) filter (is_known))
    ]) as line from failed
    union all
    select check_id, format('  {}: {}{}.', coalesce(
        format('known since {}, with {:,} new findings', known_since, n_new_rows), 'new'
    ), check_id, example) from failed where not is_known
) where line is not null order by check_id
""",
    f"""
with verdicts as (
    select *, coalesce({WORDS}[old_verdict], old_verdict, 'not run') as was,
        coalesce({WORDS}[new_verdict], new_verdict, 'not run') as now
    from meta.estimate_change
    left join (select spec_id, change_in_deviations from meta.movement) using (spec_id)
    where starts_with(spec_id, 'primary.cm_growth_official.')
        and (spec_id like '%.newest' or spec_id like '%.study_window')
)
select format('Verdict on growth in {{}}-{{}}: {{}}, {{}}{{}}{{}} ({{}}).', first_year,
    coalesce(new_last_year, old_last_year), now,
    if(was = now, 'as before', 'before it was: ' || was),
    coalesce(format('; the estimate was {{:+.4f}}{{}} and is {{:+.4f}}, p {{:.4f}}', old_estimate,
        if(old_last_year = new_last_year, '', format(' (to {{}})', old_last_year)), new_estimate,
        new_p_value), ''),
    coalesce(format('; it moved {{:.1f}} times as far as it typically does when admissions are '
        || 'reassigned at random within provinces', abs(change_in_deviations)), ''), spec_id)
from verdicts order by spec_id
""",
    """
select if(status = 'as_written',
    format('Rules that were written down before (run {}): {} were applied as written.',
        min(written_by), count(*)),
    format('Rules that were written down before (run {}): {} were NOT applied as written '
        || '(meta.promise): {}.', min(written_by), count(*), string_agg(
            spec_id || ', rule ' || rule_name || ': ' || what_changed, '; '
            order by spec_id, rule_name)))
from meta.promise group by status order by status
""",
)


def change_sentences(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return what a publication says of the one before it, line by line.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        On the database of the publication.
    """
    run, not_compared = con.execute("select previous_run_id, not_compared from meta.run").fetchone()
    if not_compared is not None:
        return [f"What changed is not known: {not_compared}."]
    if run is None:
        return ["This is the first publication of its kind here: there is none to compare it with."]
    lines = [f"What changed since the publication of {day_of(run)} (run {run}):"]
    for query in QUERIES:
        lines += [f"  {line}" for (line,) in con.execute(query).fetchall()]
    return lines
