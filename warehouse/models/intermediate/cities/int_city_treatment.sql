-- grain: one row is a city of the roster with its first treated year by rule and its first zone's batch, null if no zone treats it
-- key: city_id
-- A zone in a county-level city or a new area does not treat its prefecture, except in the variant any_zone; one of a whole
-- province treats all its cities. The end of a zone ends no treatment: those that ended were taken up by a larger zone on the same day.
select
    cast(city_roster.city_id as integer) as city_id,
    min(case when pilot_zones.is_whole_prefecture then pilot_zones.treated_year end) as treated_year,
    min(case when pilot_zones.is_whole_prefecture then pilot_zones.treated_year_calendar_year end) as treated_year_calendar_year,
    min(pilot_zones.treated_year) as treated_year_any_zone,
    min(pilot_zones.treated_year_calendar_year) as treated_year_any_zone_calendar_year,
    min(case when pilot_zones.is_whole_prefecture then pilot_zones.batch end) as batch
from {{ ref('city_roster') }} as city_roster
left join {{ ref('int_pilot_zones') }} as pilot_zones on pilot_zones.city_id in (city_roster.city_id, city_roster.province_id)
group by city_roster.city_id
