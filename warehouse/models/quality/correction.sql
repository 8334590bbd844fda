-- grain: one row is a correction of the seed value_corrections and whether it applies to this landing
-- key: source_id, file_name, city_id, year, indicator_id, delivered_value
-- a file that is delivered in two editions may hold the number in one of them
select
    value_corrections.source_id,
    value_corrections.file_name,
    value_corrections.city_id,
    value_corrections.indicator_id,
    value_corrections.delivered_value,
    value_corrections.corrected_value,
    value_corrections.reason,
    value_corrections.evidence,
    max(observations.value_delivered) as value_found,
    case
        when bool_or(observations.value_delivered = value_corrections.delivered_value) then 'applies'
        when max(observations.value_delivered) is not null then 'other_number'
        when bool_or(files.file_path is not null) then 'no_value'
        else 'not_delivered'
    end as correction_state,
    value_corrections."year"
from {{ ref('value_corrections') }} as value_corrections
left join {{ ref('int_raw_observations') }} as observations
    on {{ same_keys('observations', 'value_corrections', ['source_id', 'file_name', 'city_id', '"year"', 'indicator_id']) }}
left join {{ ref('stg_raw__input_files') }} as files
    on value_corrections.source_id || '/' || value_corrections.file_name = files.file_path
group by all
