-- grain: one row is one accepted value, corrected where a correction still applies
-- key: observation_id
-- a correction is for one delivered number: once another number is delivered it no longer applies
select
    observations.* exclude ("value"),
    observations."value" as value_as_delivered,
    case
        when corrections.source_id is null then observations."value"
        when observations."value" = observations.value_delivered then cast(corrections.corrected_value as double)
        else cast(corrections.corrected_value as double) * observations."value" / observations.value_delivered
    end as "value",
    corrections.source_id is not null as is_corrected
from {{ ref('int_raw_observations') }} as observations
left join {{ ref('value_corrections') }} as corrections
    on
        {{ same_keys('observations', 'corrections', ['source_id', 'file_name', 'city_id', '"year"', 'indicator_id']) }}
        and observations.value_delivered = cast(corrections.delivered_value as double)
