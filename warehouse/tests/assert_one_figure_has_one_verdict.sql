-- a figure that is refused in one source is current from none that copies it
select
    refused.observation_id,
    copies.observation_id as copy_id,
    refused.city_id,
    refused."year",
    refused.indicator_id,
    refused.source_id,
    copies.source_id as copy_source_id,
    refused.quality_flag,
    copies.quality_flag as copy_quality_flag
from {{ ref('int_values_copied') }} as copied
inner join {{ ref('int_observations_graded') }} as refused on copied.observation_id = refused.observation_id
inner join {{ ref('int_observations_graded') }} as copies on copied.copy_id = copies.observation_id
where
    refused.quality_flag in ('blocked', 'quarantined')
    -- blocked comes before quarantined
    and refused.quality_flag < copies.quality_flag
    and refused.quality_rule <> 'unsupported'
    -- a shifted row is refused for its place: where the figure that belongs there is the copy's, the two do not contradict each other
    and round(refused.proposed_value, 6) is distinct from round(copies."value", 6)
