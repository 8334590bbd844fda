-- grain: one row is a city of the roster with its first treated year under each rule, null if no zone treats it
-- key: city_id
with city_roster as (
    select * from {{ ref('city_roster') }}
),

pilot_zones as (
    select * from {{ ref('int_pilot_zones') }}
),

-- a zone in a county-level city or a new area does not treat its prefecture, except in the variant any_zone
first_years as (
    select
        city_id,
        min(case when is_whole_prefecture then treated_year end) as treated_year,
        min(case when is_whole_prefecture then treated_year_calendar_year end) as treated_year_calendar_year,
        min(treated_year) as treated_year_any_zone,
        min(treated_year_calendar_year) as treated_year_any_zone_calendar_year
    from pilot_zones
    group by city_id
),

final as (
    select
        cast(city_roster.city_id as integer) as city_id,
        first_years.treated_year,
        first_years.treated_year_calendar_year,
        first_years.treated_year_any_zone,
        first_years.treated_year_any_zone_calendar_year
    from city_roster
    left join first_years on city_roster.city_id = first_years.city_id
)

select * from final
