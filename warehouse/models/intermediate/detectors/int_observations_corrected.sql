-- grain: one row is one accepted value, corrected where a correction still applies, with its source's priority
-- key: observation_id
-- a correction is for one delivered number: once another number is delivered it no longer applies
with corrections as (
    select
        observations.observation_id,
        cast(value_corrections.corrected_value as double) * observations."value" / observations.value_delivered as rescaled_value,
        cast(value_corrections.corrected_value as double) as corrected_value,
        observations."value" = observations.value_delivered as is_same_unit
    from {{ ref('int_raw_observations') }} as observations
    inner join {{ ref('value_corrections') }} as value_corrections
        on
            observations.source_id = value_corrections.source_id
            and observations.file_name = value_corrections.file_name
            and observations.city_id = value_corrections.city_id
            and observations."year" = value_corrections."year"
            and observations.indicator_id = value_corrections.indicator_id
            and observations.value_delivered = cast(value_corrections.delivered_value as double)
)

select
    observations.* exclude ("value"),
    observations."value" as value_as_delivered,
    case
        when corrections.observation_id is null then observations."value"
        when corrections.is_same_unit then corrections.corrected_value
        else corrections.rescaled_value
    end as "value",
    corrections.observation_id is not null as is_corrected,
    priorities.priority
from {{ ref('int_raw_observations') }} as observations
left join corrections on observations.observation_id = corrections.observation_id
left join {{ ref('int_source_priorities') }} as priorities
    on
        observations.source_id = priorities.source_id
        and observations.indicator_id = priorities.indicator_id
        and observations."year" = priorities."year"
