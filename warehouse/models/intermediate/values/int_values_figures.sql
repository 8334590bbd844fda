-- grain: one row is one value of int_values_series whose delivered figure has enough digits to be recognised elsewhere
-- key: observation_id
select
    series.*,
    observations.value_as_delivered,
    -- significant digits: neither leading nor trailing zeros count, so 1,250.0 has three
    length(regexp_replace(replace(cast(round(observations.value_delivered, 6) as varchar), '.', ''), '^0+|0+$', '', 'g')) as n_digits,
    -- one of the last of them, in parts of the value
    pow(10, floor(log10(nullif(abs(observations.value_delivered), 0))) + 1 - n_digits) / abs(observations.value_delivered) as rounding
from {{ ref('int_values_series') }} as series
inner join {{ ref('int_indicator_limits') }} as limits on series.indicator_id = limits.indicator_id
inner join {{ ref('int_observations_corrected') }} as observations on series.observation_id = observations.observation_id
where n_digits >= limits.stale_digits
