-- grain: one row is an approved pilot zone, with its first treated year under both rules
-- key: zone_name_zh
with typed as (
    select
        cast(zone_name_zh as varchar) as zone_name_zh,
        cast(zone_name_en as varchar) as zone_name_en,
        cast(city_id as integer) as city_id,
        cast(batch as integer) as batch,
        cast(approval_date as date) as approval_date,
        cast(revoked_date as date) as revoked_date,
        cast(document_no as varchar) as document_no,
        cast(is_whole_prefecture as boolean) as is_whole_prefecture,
        cast(evidence as varchar) as evidence
    from {{ ref('pilot_zones') }}
)

select
    *,
    {{ treated_year('approval_date', 'second_half_next_year') }} as treated_year,
    {{ treated_year('approval_date', 'calendar_year') }} as treated_year_calendar_year
from typed
