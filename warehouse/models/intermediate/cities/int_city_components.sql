-- grain: one row is a city, year and series whose synchronization is measured, where the series exists
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
        growth.growth_official_pct as growth_official,
        growth.growth_deflated_pct as growth_deflated,
        growth.growth_implicit_deflated_pct as growth_implicit_deflated,
        growth.growth_deflated_one_vintage_pct as growth_deflated_one_vintage,
        cycles.cycle_hp_pct as hp,
        cycles.cycle_hamilton_pct as hamilton,
        cycles.cycle_christiano_fitzgerald_pct as christiano_fitzgerald,
        cycles.cycle_hamilton_pre_pct as hamilton_pre
    from spine
    left join growth on spine.city_id = growth.city_id and spine."year" = growth."year"
    left join cycles on spine.city_id = cycles.city_id and spine."year" = cycles."year"
),

final as (
    unpivot joined
    on
    growth_official,
    growth_deflated,
    growth_implicit_deflated,
    growth_deflated_one_vintage,
    hp,
    hamilton,
    christiano_fitzgerald,
    hamilton_pre
    into name component value d
)

select * from final
