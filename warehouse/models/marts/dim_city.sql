-- grain: one row is a prefecture-level unit or municipality under its latest code
-- key: city_id
-- how much of an ended city went where when it ended
with takers as (
    select
        events.from_city_id,
        events.to_city_id,
        sum(events.share_population) as share,
        count(*) = count(events.share_population) as is_share_known
    from {{ ref('boundary_events') }} as events
    inner join {{ ref('city_roster') }} as ended on events.from_city_id = ended.city_id
    -- a city that ends in January was there at the end of the year before
    where
        events.to_city_id is not null
        and year(cast(events.in_force as date)) - ended.valid_to_year in (0, 1)
    group by events.from_city_id, events.to_city_id
),

-- the only city that took anything of it; among several the one that took most, if the share of each is known
successors as (
    select
        from_city_id as city_id,
        case when count(*) = 1 or bool_and(is_share_known) then arg_max(to_city_id, coalesce(share, 0)) end as successor_id
    from takers
    group by from_city_id
)

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
    treatment.batch,
    cast(successors.successor_id as integer) as successor_id
from {{ ref('city_roster') }} as city_roster
inner join {{ ref('int_city_treatment') }} as treatment on city_roster.city_id = treatment.city_id
left join successors on city_roster.city_id = successors.city_id
