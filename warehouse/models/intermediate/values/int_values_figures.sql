-- grain: one row is one value of int_values_series whose delivered figure has enough digits to be recognised elsewhere
-- key: observation_id
with observations as (
    select
        observation_id,
        value_as_delivered,
        value_delivered
    from {{ ref('int_observations_corrected') }}
),

-- significant digits: neither leading nor trailing zeros count, so 1,250.0 has three
counted as (
    select
        series.*,
        observations.value_as_delivered,
        limits.stale_digits,
        length(regexp_replace(replace(cast(observations.value_delivered as varchar), '.', ''), '^0+|0+$', '', 'g')) as n_digits
    from {{ ref('int_values_series') }} as series
    inner join {{ ref('int_indicator_limits') }} as limits on series.indicator_id = limits.indicator_id and limits.stale_digits is not null
    inner join observations on series.observation_id = observations.observation_id
)

select * exclude (stale_digits)
from counted
where n_digits >= stale_digits
