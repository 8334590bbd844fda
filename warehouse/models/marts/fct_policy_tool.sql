-- grain: one row is a zone, a policy tool and a year
-- key: zone_name_zh, year, tool_class, tool
select
    zone_name_zh,
    city_id,
    "year",
    tool_class,
    tool,
    clause_count,
    strength
from {{ ref('int_policy_zone_tools') }}
