-- grain: one row is one spelling of a city or province
-- key: place_level, alias
with city_aliases as (
    select * from {{ ref('city_aliases') }}
),

province_aliases as (
    select * from {{ ref('province_aliases') }}
),

final as (
    select 'city' as place_level, {{ place_key('alias') }} as alias, cast(city_id as integer) as place_id
    from city_aliases
    union all
    select 'province' as place_level, {{ place_key('alias') }} as alias, cast(province_id as integer) as place_id
    from province_aliases
)

select * from final
