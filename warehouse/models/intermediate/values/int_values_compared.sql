-- grain: one row is a value beside that of another source, where neither is known to be another's figure
-- key: observation_id, other_source_id
-- the usual gap between the two sources in the years around, without the year itself
select
    *,
    gap - median(gap) over nearby as gap_change,
    count(*) over nearby as n_nearby
from {{ ref('int_values_paired') }}
where
    relation in ('independent', 'edition', 'declared')
    and observation_id not in {{ observations_where(ref('int_values_matched'), "grade = 'blocked'") }}
    and other_observation_id not in {{ observations_where(ref('int_values_matched'), "grade = 'blocked'") }}
window
    nearby as (
        partition by series_no, other_source_id, city_id
        order by "year" range between 3 preceding and 3 following exclude current row
    )
