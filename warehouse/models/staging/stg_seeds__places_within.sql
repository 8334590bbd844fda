-- grain: one row is one short or English name of a city inside its province, where no other city of the province has it
-- key: province_id, alias
{% set peoples = '藏族|羌族|彝族|回族|苗族|侗族|壮族|白族|傣族|土家族|布依族|哈尼族|傈僳族|景颇族|朝鲜族|蒙古族|蒙古|柯尔克孜|哈萨克' %}
{% set ending = '(市|地区|盟|林区|(' ~ peoples ~ ')*自治州)$' %}
-- what stays of 海南藏族自治州 is 海南: outside its province the name means another place, so it is looked up only together with it
with names as (
    select
        cast(province_id as integer) as province_id,
        cast(city_id as integer) as place_id,
        -- the roster adds the province in brackets where two units share a romanisation
        {{ place_key("regexp_replace(city_name_en, ' *[(].*[)]', '')") }} as alias
    from {{ ref('city_roster') }}
    union all
    select
        cast(province_id as integer) as province_id,
        cast(city_id as integer) as place_id,
        {{ place_key("regexp_replace(city_name_zh, '" ~ ending ~ "', '')") }} as alias
    from {{ ref('city_roster') }}
    union all
    select
        cast(province_id as integer) as province_id,
        cast(city_id as integer) as place_id,
        {{ place_key('city_name_zh') }} as alias
    from {{ ref('city_roster') }}
)

select
    province_id,
    alias,
    min(place_id) as place_id
from names
where alias is not null
group by province_id, alias
having min(place_id) = max(place_id)
