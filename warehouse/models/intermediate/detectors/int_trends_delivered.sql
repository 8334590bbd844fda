-- grain: one row is one value of int_values_series with its deviation from the growth of its province
-- key: observation_id
with series as (
    select * from {{ ref('int_values_series') }}
),

indicator_limits as (
    select * from {{ ref('int_indicator_limits') }}
),

{{ trend_residual_ctes('series') }}

select * from residuals
