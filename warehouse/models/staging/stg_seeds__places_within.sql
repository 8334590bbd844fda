-- grain: one row is one short or English name of a city inside its province, where no other city of the province has it
-- key: province_id, alias
with city_roster as (
    select * from {{ ref('city_roster') }}
),

-- what stays of 海南藏族自治州 is 海南: outside its province the name means another place, so it is looked up only together with it
names as (
    select
        cast(province_id as integer) as province_id,
        cast(city_id as integer) as place_id,
        {{ place_key('city_name_en') }} as alias
    from city_roster
    union all
    select
        cast(province_id as integer) as province_id,
        cast(city_id as integer) as place_id,
        {{ place_key("regexp_replace(city_name_zh, '(市|地区|盟|林区|[^州]{1,3}族.*自治州|自治州)$', '')") }} as alias
    from city_roster
    union all
    select
        cast(province_id as integer) as province_id,
        cast(city_id as integer) as place_id,
        {{ place_key('city_name_zh') }} as alias
    from city_roster
),

final as (
    select
        province_id,
        alias,
        min(place_id) as place_id
    from names
    where alias is not null
    group by province_id, alias
    having min(place_id) = max(place_id)
)

select * from final
