-- grain: one row is one value of int_trends_delivered with its place in its table, one year of its series, and beside the years next to it
-- key: observation_id
-- where the cities of a province hardly differ, or vary much over the years, each fits the trend of every other
with province_years as (
    select
        series_no,
        province_id,
        "year",
        stddev_pop(round(log_value, 9)) / nullif(median(abs(log_value - expected_log)), 0) as spread
    from {{ ref('int_trends_delivered') }}
    group by series_no, province_id, "year"
)

select
    trends.* exclude (trend, residual, noise, city_noise, own_offset, spike, step_before, step_after, is_end, neighbour_spike),
    row_number() over (in_table order by trends.city_id) as code_place,
    row_number() over (in_table order by observations.row_no, observations.col_no, trends.observation_id) as file_place,
    percent_rank() over (in_table order by round(trends.log_value, 9)) as size,
    trends.log_value = lag(trends.log_value) over city_years
    and trends."year" = lag(trends."year") over city_years + 1 as repeats_before,
    trends.log_value = lead(trends.log_value) over city_years
    and trends."year" = lead(trends."year") over city_years - 1 as repeats_after,
    -- one figure may end in a zero, most of a table do not
    coalesce(median(figures.rounding * exp(trends.log_value)) over in_table / exp(trends.log_value), 0) / 2 as rounding,
    abs(trends.log_value - trends.expected_log) as miss,
    {% for kind in ['row_shift', 'swap'] -%}
        coalesce(abs(trends.spike), 0) >= {{ above_noise('limits.swap_spike', 'limits.swap_noise', 'trends.noise') }}
        and miss > {{ above_noise('limits.' ~ kind ~ '_miss', 'limits.swap_noise', 'trends.noise') }}
        and limits.{{ kind }}_fit is not null
        and coalesce(province_years.spread >= limits.{{ kind }}_spread_ratio, true) as may_be_{{ kind }}
        {%- if not loop.last %},{% endif %}
    {% endfor %}
from {{ ref('int_trends_delivered') }} as trends
inner join {{ ref('int_indicator_limits') }} as limits on trends.indicator_id = limits.indicator_id
inner join {{ ref('int_observations_corrected') }} as observations on trends.observation_id = observations.observation_id
inner join province_years
    on {{ same_keys('trends', 'province_years', ['series_no', 'province_id', '"year"']) }}
left join {{ ref('int_values_figures') }} as figures on trends.observation_id = figures.observation_id
window
    in_table as (partition by trends.series_no, trends."year"),
    city_years as (partition by trends.series_no, trends.city_id order by trends."year")
