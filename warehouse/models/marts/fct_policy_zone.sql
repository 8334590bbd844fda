-- grain: one row is a pilot zone and a year in which a text of its own or for it is in force
-- key: zone_name_zh, year
with measures as (
    select
        zone_name_zh,
        city_id,
        "year",
        cast(sum(clause_count) as integer) as clause_count,
        cast(coalesce(sum(clause_count) filter (where tool <> 'goal_planning'), 0) as integer) as measure_count,
        cast(count(*) as integer) as tool_count
    from {{ ref('int_policy_zone_tools') }}
    group by zone_name_zh, city_id, "year"
)

select
    measures.zone_name_zh,
    measures.city_id,
    measures."year",
    measures.clause_count,
    measures.measure_count,
    measures.tool_count,
    cast(coalesce(mix.strength, 0) as double) as strength,
    cast(mix.supply_share_ratio as double) as supply_share_ratio,
    cast(mix.environment_share_ratio as double) as environment_share_ratio,
    cast(mix.demand_share_ratio as double) as demand_share_ratio,
    cast(mix.balance_ratio as double) as balance_ratio,
    cast(similarity.novelty_ratio as double) as novelty_ratio,
    cast(similarity.similarity_ratio as double) as similarity_ratio,
    cast(similarity.nearest_zone_name_zh as varchar) as nearest_zone_name_zh,
    cast(similarity.n_earlier_zones as integer) as n_earlier_zones
from measures
left join {{ ref('int_policy_tool_mix') }} as mix on measures.zone_name_zh = mix.zone_name_zh and measures."year" = mix."year"
left join {{ ref('int_policy_zone_similarity') }} as similarity
    on measures.zone_name_zh = similarity.zone_name_zh and measures."year" = similarity."year"
