-- grain: one row is one spelling of a city, a province or a place of another level
-- key: place_level, alias
select 'city' as place_level, {{ place_key('alias') }} as alias, cast(city_id as integer) as place_id
from {{ ref('city_aliases') }}
union all
select 'province' as place_level, {{ place_key('alias') }} as alias, cast(province_id as integer) as place_id
from {{ ref('province_aliases') }}
union all
select
    place_level,
    {{ place_key('alias') }} as alias,
    place_code as place_id
from {{ ref('places_of_other_levels') }}
