-- grain: one row is one code, current or former, of a city, a province or another place in the years in which it means that place
-- key: place_level, place_code, place_id
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
        place_level,
        place_code,
        place_code as place_id,
        1 as precedence
    from {{ ref('places_of_other_levels') }}
),

-- a code in use today means the city that has it today; a former code with two successors means the lower one
ranked as (
    select
        place_level,
        place_code,
        place_id,
        row_number() over (partition by place_level, place_code order by min(precedence), place_id) as choice
    from codes
    group by place_level, place_code, place_id
),

-- an ended unit may have left its code to another one, whose it is from the year after
ended as (
    select
        city_id as place_code,
        valid_to_year
    from {{ ref('city_roster') }}
    where valid_to_year is not null
)

select
    ranked.place_level,
    cast(ranked.place_code as integer) as place_code,
    cast(ranked.place_id as integer) as place_id,
    cast(case when ranked.choice = 2 then ended.valid_to_year + 1 end as integer) as first_year,
    cast(case when ranked.choice = 1 and later.place_id is not null then ended.valid_to_year end as integer) as last_year
from ranked
left join ended on ranked.place_level = 'city' and ranked.place_code = ended.place_code
left join ranked as later
    on ranked.place_level = later.place_level and ranked.place_code = later.place_code and later.choice = 2
where ranked.choice = 1 or (ranked.choice = 2 and ended.place_code is not null)
