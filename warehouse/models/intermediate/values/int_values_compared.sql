-- grain: one row is a value of int_values_series beside the value of an independent source, of another edition of its own, or of one with a
-- declared relation, for the same place, year and indicator, where neither is known to be another's figure
-- key: observation_id, other_source_id
with misplaced as (
    select observation_id
    from {{ ref('int_values_matched') }}
    where grade = 'blocked'
)

-- the usual gap between the two sources in the years around, without the year itself
select
    *,
    gap - median(gap) over nearby as gap_change,
    count(*) over nearby as n_nearby
from {{ ref('int_values_paired') }}
where
    relation in ('independent', 'edition', 'declared')
    and observation_id not in (select misplaced.observation_id from misplaced)
    and other_observation_id not in (select misplaced.observation_id from misplaced)
window
    nearby as (
        partition by series_no, other_source_id, city_id
        order by "year" range between 3 preceding and 3 following exclude current row
    )
