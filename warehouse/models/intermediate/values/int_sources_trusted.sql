-- grain: one row is a source and an indicator whose series can be followed, with the weight of its word about the values of others
-- key: source_id, indicator_id
with trends as (
    select * from {{ ref('int_trends_delivered') }}
),

related as (
    select * from {{ ref('int_sources_related') }}
    where relation <> 'independent'
),

indicator_limits as (
    select * from {{ ref('int_indicator_limits') }}
),

sources as (
    select
        source_id,
        indicator_id,
        {{ exact_median('abs(step_before)') }} as noise
    from trends
    group by source_id, indicator_id
),

-- what an indicator moves by itself: the middle of its sources, so that no single one sets it
usual as (
    select
        indicator_id,
        {{ exact_median('noise') }} as noise
    from sources
    group by indicator_id
),

relatives as (
    select
        source_id,
        indicator_id,
        count(*) as n_related
    from related
    group by source_id, indicator_id
),

-- a source that jumps about much more than the others agrees with anything now and then: its word counts for less
final as (
    select
        sources.source_id,
        sources.indicator_id,
        coalesce(
            least(
                1.0,
                pow(
                    indicator_limits.limits['witness.noise_ratio']
                    * greatest(usual.noise, indicator_limits.limits['witness.least_noise'])
                    / nullif(sources.noise, 0),
                    2
                )
            ),
            1.0
        ) as weight,
        coalesce(relatives.n_related, 0) as n_related
    from sources
    inner join usual on sources.indicator_id = usual.indicator_id
    inner join indicator_limits on sources.indicator_id = indicator_limits.indicator_id
    left join relatives on sources.source_id = relatives.source_id and sources.indicator_id = relatives.indicator_id
)

select * from final
