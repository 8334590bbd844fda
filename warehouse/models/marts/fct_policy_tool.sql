-- grain: one row is a zone, a policy tool and a year
with final as (
    select
        cast(null as varchar) as zone_name_zh,
        cast(null as integer) as city_id,
        cast(null as integer) as "year",
        cast(null as varchar) as tool_class,
        cast(null as varchar) as tool,
        cast(null as integer) as clause_count,
        cast(null as double) as strength
    where false
)

select * from final
