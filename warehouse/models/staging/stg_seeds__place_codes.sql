-- grain: one row is one code, current or former, of a city or province
-- key: place_level, place_code
with codes as (
    select
        'city' as place_level,
        city_id as place_code,
        city_id as place_id,
        1 as precedence
    from {{ ref('city_roster') }}
    union all
    select
        'city' as place_level,
        old_code as place_code,
        city_id as place_id,
        2 as precedence
    from {{ ref('city_code_changes') }}
    union all
    select
        'province' as place_level,
        province_id as place_code,
        province_id as place_id,
        1 as precedence
    from {{ ref('province_roster') }}
    union all
    select
        'country' as place_level,
        100000 as place_code,
        100000 as place_id,
        1 as precedence
)

-- a code in use today means the city that has it today; a former code with two successors means the lower one
select
    place_level,
    cast(place_code as integer) as place_code,
    cast(place_id as integer) as place_id
from codes
qualify row_number() over (partition by place_level, place_code order by precedence, place_id) = 1
