-- grain: one row is an approved pilot zone
-- key: zone_name_zh
select
    zone_name_zh,
    zone_name_en,
    city_id,
    batch,
    approval_date,
    revoked_date,
    document_no,
    is_whole_prefecture,
    treated_year,
    treated_year_calendar_year,
    evidence
from {{ ref('int_pilot_zones') }}
