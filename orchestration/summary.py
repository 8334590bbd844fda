"""Print the last lines of a refresh: what was read, rejected, flagged and revised, the headline,
where the results are, and last what changed since the publication before. Each query returns its
lines in order.
"""

from __future__ import annotations

from orchestration.change_sentences import change_sentences
from orchestration.home import Home
from orchestration.terminal import say
from warehouse.publication.untrusted import DATABASE, open_untrusted

QUERIES = (
    """
select unnest(['', format('read       {} of {} files, {:,} values',
    count(*) filter (status = 'taken'), count(*), coalesce(sum(n_observations), 0)::bigint)])
from meta.input_file
""",
    """
select distinct '  skipped  ' || source_id || ': ' || note from meta.input_file
where status = 'skipped' order by all limit 12
""",
    """
select 'rejected   '
    || coalesce(string_agg(format('{} {:,}', reason, n), ', ' order by reason), 'nothing')
from (select reason, count(*) as n from quality.rejected_value group by all)
""",
    """
select 'flagged    ' || coalesce(string_agg(
    format('{} by {} {:,}', quality_flag, quality_rule, n), ', ' order by quality_flag, quality_rule
), 'nothing')
from (
    select quality_flag, quality_rule, count(*) as n from marts.fct_indicator_observation
    where quality_flag != 'ok' group by all
)
""",
    """
select format('revised    {:,} values between editions; {:,} conflicts between sources',
    (select count(*) from marts.fct_indicator_revision),
    (select count(*) from marts.fct_indicator_conflict))
""",
    """
select 'corrected  ' || coalesce(
    string_agg(format('{} {:,}', replace(state, '_', ' '), n), ', ' order by state), 'nothing'
)
from (select correction_state as state, count(*) as n from quality.correction group by all)
""",
    """
select '  no longer applies: ' || source_id || '/' || file_name || ': ' || indicator_id || ' '
    || city_id || ' ' || "year" || ': expected '
    || coalesce(delivered_value::varchar, 'no value') || ', found '
    || coalesce(value_found::varchar, 'no value') || '; citysync correct --withdraw takes it back'
from quality.correction where correction_state in ('other_number', 'no_value') order by all
""",
    # one verdict for each window and series
    """
select unnest([
    '',
    format('{}: {}   {} cities, {} pilots', spec_id, replace(verdict, '_', ' '),
        coalesce(n_cities::varchar, 'no'), coalesce(n_pilots::varchar, 'no')),
    case when p_value is null then '  ' || coalesce(reason, '') else
        format('  change of synchronization {:+.4f}  95 % [{}, {}]  p {:.4f}  found in 80 % of '
            'cases from {} on',
            estimate, coalesce(format('{:+.4f}', ci_low), 'none'),
            coalesce(format('{:+.4f}', ci_high), 'none'), p_value,
            coalesce(format('{:.4f}', minimum_detectable_effect), 'none'))
    end
])
from (
    from estimates.primary where spec_id like '%.newest' or spec_id like '%.study_window'
    order by outcome desc, last_year
)
""",
    # the baseline regression of each series, with a line for each inference method
    """
select unnest(case when vcov = first_vcov then ['', heading, line] else [line] end)
from (
    select spec_id, vcov, min(vcov) over (partition by spec_id) as first_vcov,
        format('{}{}: {:.4f}   {} cities, {} pilots, {:,} pairs, {:,} rows',
            spec_id, case when not is_simulated then ''
                when truth is null then ' (SIMULATED data)'
                else format(' (SIMULATED data; truth {:.4f})', truth) end,
            estimate, n_cities, n_pilots, n_pairs, n_obs) as heading,
        format('  {:<19} se {}  95 % [{}, {}]  p {}  {}', vcov,
            coalesce(format('{:7.4f}', std_error), '   -   '),
            coalesce(format('{:7.4f}', ci_low), '   -   '),
            coalesce(format('{:7.4f}', ci_high), '   -   '),
            coalesce(format('{:7.4f}', p_value), '   -   '),
            case when is_default then 'default' when vcov = 'conventional' then 'contrast only'
                else '' end) as line
    from estimates.estimate
    left join (select spec_id, truth from estimates.truth where term = 'treated') using (spec_id)
    cross join (select is_simulated from meta.run)
    where spec_id like 'baseline.%.headline' and outcome like 'cm%' and term = 'treated'
    order by spec_id desc, vcov
)
""",
    """
select format('not run    {} specs ({}{}): {}', count(*), min(spec_id),
    case when count(*) > 1 then ' and others' else '' end, reason)
from estimates.not_run group by reason order by min(spec_id)
""",
)


def print_summary(home: Home) -> None:
    """Print the summary of the current publication."""
    lines = []
    with open_untrusted(home.published / DATABASE) as con:
        for query in QUERIES:
            lines += [line for (line,) in con.execute(query).fetchall()]
        changes = change_sentences(con)
    lines += [
        "",
        f"report     {home.published / 'report' / 'index.html'}",
        f"data docs  {home.published / 'data_docs' / 'index.html'}",
        f'database   {home.published / DATABASE}   (citysync sql -q "from marts.dim_city limit 5")',
        "",
        *changes,
        f"  Page: {home.published / 'report' / 'data.html'}#changes",
    ]
    for line in lines:
        say(line)
