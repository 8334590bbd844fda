-- grain: one row is a figure that another city of the same table has too, in two years or more of five
-- key: observation_id, twin_city_id
select
    here.observation_id,
    here.log_value,
    twin.city_id as twin_city_id,
    count(*) over nearby as n_years
from {{ ref('int_values_figures') }} as here
inner join {{ ref('int_values_figures') }} as twin
    on
        {{ same_keys('here', 'twin', ['series_no', '"year"', 'value_as_delivered']) }}
        and here.city_id <> twin.city_id
inner join {{ ref('int_indicator_limits') }} as limits on here.indicator_id = limits.indicator_id
window
    nearby as (partition by here.series_no, here.city_id, twin.city_id order by here."year" range between 2 preceding and 2 following)
-- two short figures may be alike by chance
qualify count(*) over nearby >= 2 and sum(here.n_digits) over nearby >= limits.duplicated_block_digits
