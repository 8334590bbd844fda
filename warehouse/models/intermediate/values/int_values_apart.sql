-- grain: one row is a value of int_values_series that stands apart from known sources
-- key: observation_id
with new_figures as (
    select
        paired.observation_id,
        paired.series_no,
        paired.priority = 999 as is_unknown,
        bool_or(abs(paired.gap) > limits.match_apart) as is_off
    from {{ ref('int_values_paired') }} as paired
    inner join {{ ref('int_indicator_limits') }} as limits on paired.indicator_id = limits.indicator_id
    where
        (paired.priority = 999 or {{ is_edition('paired.source_id') }})
        and paired.other_priority < 999
        and not {{ is_edition('paired.other_source_id') }}
        and paired.other_observation_id in {{ observations_where(ref('int_trends_cleaned')) }}
    group by all
),

-- all values of their series; a city, or a table, in which most new figures differ stands apart
parts as (
    select
        series.*,
        new_figures.* exclude (observation_id, series_no),
        limits.* exclude (indicator_id),
        {{ are_most('is_off', 'same_city', of='is_off is not null') }}
        or {{ are_most('is_off', 'same_table', of='is_off is not null') }} as is_apart
    from {{ ref('int_values_series') }} as series
    inner join {{ ref('int_indicator_limits') }} as limits on series.indicator_id = limits.indicator_id
    left join new_figures on series.observation_id = new_figures.observation_id
    where series.series_no in (select own.series_no from new_figures as own)
    window same_city as (partition by series.series_no, series.city_id), same_table as (partition by series.series_no, series."year")
)

-- so does a series of a source without a priority if more of the rest of it differ than of any two known sources
select observation_id
from parts
window same_series as (partition by series_no)
qualify
    is_apart
    or {{ are_most('is_off and is_unknown and not is_apart', 'same_series',
        of='is_unknown and not is_apart', share='unsupported_series_share') }}
