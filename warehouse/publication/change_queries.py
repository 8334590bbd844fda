"""SQL of `change_tables`: what is compared of two publications, and the tables of differences."""

# The best value that each source has for a place, year and indicator, in the old publication and in
# the new build.
BEST = """
select source_id, indicator_id, place_level, city_id, "year", "value", is_current, quality_flag,
    quality_rule
from {catalog}.marts.fct_indicator_observation
qualify row_number() over (
    partition by source_id, indicator_id, place_level, city_id, "year"
    order by quality_flag = 'blocked', quality_flag = 'quarantined', edition_year desc nulls last,
        file_name, row_no, col_no
) = 1
"""
# Values that differ by rounding in their unit are one value.
IS_REVISED = (
    "abs(new_value - old_value) > greatest(coalesce(revision_tolerance, 0), 1e-9 * abs(old_value))"
)
# Each value before and now in one row. Three tables are made of these rows.
PAIRED = f"""
create or replace temp table paired as
with old as ({{old_values}}), new as ({{new_values}})
select source_id, indicator_id, place_level, city_id, "year", old."value" as old_value,
    new."value" as new_value,
    old.quality_flag as old_flag, new.quality_flag as new_flag, old.quality_rule as old_rule,
        new.quality_rule as new_rule,
    coalesce(old.is_current, false) as was_current,
        coalesce(new.is_current, false) as is_current,
    coalesce({IS_REVISED}, false) as is_revised
from old full join new using (source_id, indicator_id, place_level, city_id, "year")
    left join {{here}}.marts.dim_indicator using (indicator_id)
"""
SOURCES = """
with sources as (
    select source_id, indicator_id, bool_or(old_value is not null) as was_there,
        bool_or(new_value is not null) as is_there
    from paired group by source_id, indicator_id
),
whole_sources as (
    select source_id, bool_or(was_there) as was_there, bool_or(is_there) as is_there
        from sources group by source_id
)
"""
PUBLICATION_CHANGE = (
    "create or replace table {table} as "
    + SOURCES
    + """
select {run} as previous_run_id, source_id, indicator_id,
    count(old_value) as n_before, count(new_value) as n_now,
    count(*) filter (where old_value is null) as n_new,
    count(*) filter (where new_value is null) as n_vanished,
    count(*) filter (where is_revised) as n_revised,
    count(*) filter (where paired.was_current != paired.is_current or (is_revised
        and paired.is_current)) as n_current_changed,
    median(abs(new_value / nullif(old_value, 0) - 1)) filter (where is_revised) as
        median_relative_revision,
    any_value(case when not whole_sources.is_there then 'removed'
        when not whole_sources.was_there then 'added' else 'kept' end)
        as source_change
from paired join whole_sources using (source_id) group by source_id, indicator_id
having n_new + n_vanished + n_revised + n_current_changed > 0
order by source_id, indicator_id
"""
)
# Places that have a current value of anything in only one of the two.
PLACE_CHANGE = """
create or replace table {table} as
select {run} as previous_run_id, if(bool_or(is_current), 'new', 'lost') as change, place_level,
    city_id, count(distinct indicator_id) as n_indicators, count(*) as n_values
from paired where was_current or is_current
group by place_level, city_id having bool_or(was_current) != bool_or(is_current)
order by change, place_level, city_id
"""
# A block is lifted or set on the same value; a value that was revised or is new comes with its
# flag, of any kind.
FLAG_CHANGE = (
    "create or replace table {table} as "
    + SOURCES
    + """,
fresh as (
    select indicator_id, string_agg(source_id, ', ' order by source_id) as new_source_ids
    from sources where not was_there group by indicator_id
)
select {run} as previous_run_id,
    case when is_revised or old_value is null then 'came'
        when old_flag = 'blocked' then 'lifted' else 'set' end as change,
    if(change = 'lifted', old_flag, new_flag) as quality_flag, source_id, indicator_id,
    if(change = 'lifted', old_rule, new_rule) as quality_rule,
    count(*) as n_values,
    count(*) filter (where is_current and not was_current) as n_became_current,
    count(*) filter (where was_current and not is_current) as n_ceased_current,
    arg_min(concat_ws(' ', place_level, city_id, "year"), (place_level, city_id, "year")) as
        first_value,
    any_value(new_source_ids) as new_source_ids
from paired left join fresh using (indicator_id)
where new_value is not null and case when is_revised or old_value is null
    then new_flag in ('blocked', 'quarantined', 'warned')
    else (old_flag = 'blocked') != (new_flag = 'blocked') end
group by all order by change, source_id, indicator_id, quality_flag, quality_rule
"""
)
# The current value of a place, year and indicator before and now, and why it is another.
CHANGED = (
    "create or replace temp table changed as "
    + SOURCES
    + """,
before as (select * from paired where was_current),
now as (select * from paired where is_current)
select indicator_id, place_level, city_id, "year", before.source_id as old_source_id,
    now.source_id as new_source_id,
    before.old_value as old_value, now.new_value as new_value,
    now.new_value / nullif(before.old_value, 0) - 1 as relative_change,
    -- the rule that blocks the value that was current
    if(before.new_flag = 'blocked', before.new_rule, null) as quality_rule,
    case
        when before.source_id is null then 'no value before'
        when now.source_id is null and before.new_value is null then 'value gone'
        when now.source_id is null then 'nothing left after a block'
        when before.source_id = now.source_id and now.is_revised then 'revised'
        when before.source_id = now.source_id then null
        when before.new_value is null and not gone.is_there then 'source removed'
        when before.new_value is null then 'value gone, another source'
        when before.new_flag = 'blocked' then 'old value blocked'
        when now.old_flag = 'blocked' then 'block lifted'
        when before.new_flag = 'quarantined' and before.old_flag != 'quarantined'
            then 'old value quarantined'
        when now.old_flag = 'quarantined' and now.new_flag != 'quarantined'
            then 'quarantine lifted'
        when not came.was_there then 'source added'
        when now.old_value is null then 'new value of another source'
        else 'another choice'
    end as reason
from before full join now using (indicator_id, place_level, city_id, "year")
left join whole_sources as gone on before.source_id = gone.source_id
left join whole_sources as came on now.source_id = came.source_id
"""
)
CURRENT_CHANGE = """
create or replace table {table} as
select {run} as previous_run_id, indicator_id, old_source_id, new_source_id, reason,
    count(*) as n_values, median(abs(relative_change)) as median_relative_change,
    max(abs(relative_change)) as largest_relative_change,
    arg_min(concat_ws(' ', place_level, city_id, "year"), (place_level, city_id, "year")) as
        first_value
from changed where reason is not null group by all order by indicator_id, old_source_id,
    new_source_id, reason
"""
# One by one what was there before and is another value now, or none.
VALUE_CHANGE = """
create or replace table {table} as
select {run} as previous_run_id, * from changed
where reason != 'no value before' and (new_value is null or new_value != old_value)
order by indicator_id, place_level, city_id, "year"
"""
# The default method of inference of each coefficient, in the old publication and in the new build.
DEFAULT_ESTIMATES = """
select spec_id, term, cohort_year, event_time, estimate, std_error, p_value, n_obs, n_cities,
    n_pilots from {catalog}.estimates.estimate
qualify row_number() over (partition by spec_id, term, cohort_year, event_time
    order by is_default desc, vcov) = 1
union all by name
select spec_id, 'treated' as term, estimate, p_value_family as p_value, n_cities, n_pilots,
    verdict, first_year, last_year
    from {catalog}.estimates.primary
"""
# the primary test stands there also where it did not move
ESTIMATE_CHANGE = """
create or replace table {table} as
with old as ({old_estimates}), new as ({new_estimates})
select {run} as previous_run_id, coalesce(old.spec_id, new.spec_id) as spec_id,
    coalesce(old.term, new.term) as term,
    coalesce(old.cohort_year, new.cohort_year) as cohort_year,
        coalesce(old.event_time, new.event_time) as event_time,
    old.estimate as old_estimate, new.estimate as new_estimate,
        new.estimate - old.estimate as difference,
    (new.estimate - old.estimate) / nullif(old.std_error, 0) as difference_in_old_errors,
    old.std_error as old_std_error, new.std_error as new_std_error, old.p_value as old_p_value,
        new.p_value as new_p_value,
    old.n_obs as old_n_obs, new.n_obs as new_n_obs, old.n_cities as old_n_cities,
        new.n_cities as new_n_cities,
    old.n_pilots as old_n_pilots, new.n_pilots as new_n_pilots,
    old.verdict as old_verdict, new.verdict as new_verdict,
    coalesce(new.first_year, old.first_year) as first_year,
    old.last_year as old_last_year, new.last_year as new_last_year
from old full join new
    on old.spec_id = new.spec_id and old.term = new.term
    and old.cohort_year is not distinct from new.cohort_year
        and old.event_time is not distinct from new.event_time
where old.estimate is null or new.estimate is null or abs(new.estimate - old.estimate) > 1e-9
    or old.n_obs != new.n_obs or starts_with(new.spec_id, 'primary.')
order by spec_id, term, cohort_year, event_time
"""
