-- grain: one row is a change of borders by which a city, or a part of it, went to another one
-- key: event_id
select
    cast(event_id as varchar) as event_id,
    cast(in_force as date) as in_force,
    cast(from_city_id as integer) as from_city_id,
    cast(to_city_id as integer) as to_city_id,
    cast(unit_zh as varchar) as unit_zh,
    cast(is_whole as boolean) as is_whole,
    cast(share_population as double) as share_population,
    cast(share_gdp as double) as share_gdp,
    cast(document_no as varchar) as document_no,
    cast(source as varchar) as source
from {{ ref('boundary_events') }}
