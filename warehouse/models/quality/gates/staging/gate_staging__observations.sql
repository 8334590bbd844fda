-- grain: one row is one accepted delivered value, with the columns that the gate judges
-- key: observation_id
with observations as (
    select * from {{ ref('int_raw_observations') }}
),

final as (
    select
        observation_id,
        city_id,
        "value",
        "year",
        indicator_id,
        source_id
    from observations
)

select * from final
order by observation_id
