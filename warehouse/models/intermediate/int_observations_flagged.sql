-- grain: one row is one flag of one rule on one value
with flags as (
    select * from {{ ref('int_observations_sign') }}
    union all
    select * from {{ ref('int_observations_structure') }}
    union all
    select * from {{ ref('int_observations_index_for_growth') }}
    union all
    select * from {{ ref('int_observations_growth_range') }}
),

final as (
    select
        observation_id,
        rule,
        grade,
        cast(case grade when 'blocked' then 3 when 'quarantined' then 2 when 'warned' then 1 end as integer) as grade_rank,
        detail,
        proposed_value
    from flags
)

select * from final
