-- grain: one row is a city, year and series whose synchronization is measured, where the series exists
-- key: city_id, year, component
with spine as (
    select * from {{ ref('int_city_spine') }}
),

growth as (
    select * from {{ ref('int_city_growth') }}
),

cycles as (
    select * from {{ ref('int_city_cycles') }}
),

joined as (
    select
        spine.city_id,
        spine."year",
    {% for name, series in synchronization_series().items() %}
        {{ series['column'] }} as {{ name }}{{ ',' if not loop.last }}
    {% endfor %}
    from spine
    left join growth on spine.city_id = growth.city_id and spine."year" = growth."year"
    left join cycles on spine.city_id = cycles.city_id and spine."year" = cycles."year"
),

final as (
    select * from joined
    unpivot (d for component in ({{ synchronization_series().keys() | join(', ') }}))
)

select * from final
