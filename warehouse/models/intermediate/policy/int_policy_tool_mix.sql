-- grain: one row is a zone and a year: shares of the three classes in its strength, and how evenly the tools are used
-- key: zone_name_zh, year
with shares as (
    select
        *,
        strength / sum(strength) over (partition by zone_name_zh, "year") as share
    from {{ ref('int_policy_zone_tools') }}
    where strength > 0
)

select
    zone_name_zh,
    city_id,
    "year",
    list_sum(list(strength order by tool)) as strength,
    coalesce(list_sum(list(share order by tool) filter (where tool_class = 'supply')), 0) as supply_share_ratio,
    coalesce(list_sum(list(share order by tool) filter (where tool_class = 'environment')), 0) as environment_share_ratio,
    coalesce(list_sum(list(share order by tool) filter (where tool_class = 'demand')), 0) as demand_share_ratio,
    -- entropy over the 14 tools, 1 = all alike
    list_sum(list(-share * ln(share) order by tool)) / ln(14) as balance_ratio
from shares
group by zone_name_zh, city_id, "year"
