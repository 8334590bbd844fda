-- grain: one row is one value of int_values_series that the first pass did not block, with its deviation from the growth of its province
-- key: observation_id
with series as (
    select * from {{ ref('int_values_series') }}
    where observation_id not in (select observation_id from {{ ref('int_observations_blocked') }})
),

indicator_limits as (
    select * from {{ ref('int_indicator_limits') }}
),

{{ trend_residual_ctes('series') }},

final as (
    select * from residuals
)

select * from final
