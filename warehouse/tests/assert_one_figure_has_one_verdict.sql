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
from {{ ref('int_observations_graded') }} as refused
inner join {{ ref('int_indicator_limits') }} as limits on refused.indicator_id = limits.indicator_id
inner join {{ ref('int_observations_graded') }} as copies
    on
        {{ same_keys('refused', 'copies', ['place_level', 'city_id', '"year"', 'indicator_id']) }}
        and refused.observation_id <> copies.observation_id
left join {{ ref('int_sources_related') }} as related
    on
        refused.source_id = related.source_id
        and copies.source_id = related.other_source_id
        and coalesce(limits.same_as, refused.indicator_id) = related.indicator_id
where
    refused.quality_flag in ('blocked', 'quarantined')
    -- blocked comes before quarantined
    and refused.quality_flag < copies.quality_flag
    and refused.quality_rule <> 'unsupported'
    and (refused.source_id = copies.source_id or related.relation <> 'independent')
    and {{ is_same_figure('refused."value"', 'copies."value"', 'limits.rule_kind', 'limits.lineage_equal') }}
