-- grain: one row is a city, year and series whose synchronization is measured, where the series exists
-- key: city_id, year, component
with joined as (
    select
        spine.city_id,
        spine."year",
    {% for name, series in synchronization_series().items() %}
        {{ series['column'] }} as {{ name }}{{ ',' if not loop.last }}
    {% endfor %}
    from {{ ref('int_city_spine') }} as spine
    left join {{ ref('int_city_growth') }} as growth on spine.city_id = growth.city_id and spine."year" = growth."year"
    left join {{ ref('int_city_cycles') }} as cycles on spine.city_id = cycles.city_id and spine."year" = cycles."year"
)

select * from joined
unpivot (d for component in ({{ synchronization_series().keys() | join(', ') }}))
