-- grain: one row is a year of the study window; its extremes say all that the bounds ask, without every pair
-- key: year
select
    {{ quoted('year') }},
    max(cm_growth_official) as max_cm_growth_official,
    max(cm_growth_deflated) as max_cm_growth_deflated
from {{ ref('fct_pair_synchronization') }}
where is_study_window
group by {{ quoted('year') }}
order by {{ quoted('year') }}
