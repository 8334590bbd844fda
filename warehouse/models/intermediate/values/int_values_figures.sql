-- grain: one row is one value of int_values_series whose delivered figure has enough digits to be recognised elsewhere
-- key: observation_id
with observations as (
    select
        observation_id,
        value_as_delivered,
        value_delivered
    from {{ ref('int_observations_corrected') }}
),

limits as (
    select
        indicator_id,
        limits['stale.digits'] as min_digits
    from {{ ref('int_indicator_limits') }}
    where limits['stale.digits'] is not null
),

-- significant digits: neither leading nor trailing zeros count, so 1,250.0 has three
counted as (
    select
        series.*,
        observations.value_as_delivered,
        limits.min_digits,
        length(regexp_replace(replace(cast(observations.value_delivered as varchar), '.', ''), '^0+|0+$', '', 'g')) as n_digits
    from {{ ref('int_values_series') }} as series
    inner join limits on series.indicator_id = limits.indicator_id
    inner join observations on series.observation_id = observations.observation_id
)

select * exclude (min_digits)
from counted
where n_digits >= min_digits
