-- grain: one row is a prefecture-level unit or municipality under its latest code
-- key: city_id
select
    cast(city_roster.city_id as integer) as city_id,
    cast(city_roster.city_name_zh as varchar) as city_name_zh,
    cast(city_roster.city_name_en as varchar) as city_name_en,
    cast(city_roster.province_id as integer) as province_id,
    cast(city_roster.province_name_zh as varchar) as province_name_zh,
    cast(city_roster.province_name_en as varchar) as province_name_en,
    cast(city_roster.region as varchar) as region,
    cast(city_roster.admin_rank as integer) as admin_rank,
    cast(city_roster.is_coastal as boolean) as is_coastal,
    cast(city_roster.lon_deg as double) as lon_deg,
    cast(city_roster.lat_deg as double) as lat_deg,
    cast(city_roster.valid_from_year as integer) as valid_from_year,
    cast(city_roster.valid_to_year as integer) as valid_to_year,
    treatment.treated_year,
    treatment.treated_year_calendar_year,
    treatment.treated_year_any_zone,
    treatment.treated_year_any_zone_calendar_year,
    treatment.batch
from {{ ref('city_roster') }} as city_roster
inner join {{ ref('int_city_treatment') }} as treatment on city_roster.city_id = treatment.city_id
