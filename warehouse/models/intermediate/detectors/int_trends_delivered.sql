-- grain: one row is one value of int_values_series with its deviation from the growth of its province
-- key: observation_id
with {{ trend_residual_ctes(ref('int_values_series')) }}

select * from residuals
