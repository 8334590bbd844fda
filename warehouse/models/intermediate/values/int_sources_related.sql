-- grain: one row is an ordered pair of sources and an indicator that both deliver, and whether the second can corroborate the first
-- key: source_id, other_source_id, indicator_id
with trends as (
    select * from {{ ref('int_trends_delivered') }}
),

indicator_limits as (
    select * from {{ ref('int_indicator_limits') }}
),

declared as (
    select * from {{ ref('source_lineage') }}
),

suspects as (
    select
        trends.*,
        coalesce(abs(trends.spike) >= indicator_limits.limits['spike.block'], false) as is_suspect,
        indicator_limits.limits['lineage.min_repeated'] as min_repeated,
        indicator_limits.limits['lineage.min_share'] as min_share,
        indicator_limits.limits['lineage.equal'] as equal_within
    from trends
    inner join indicator_limits on trends.indicator_id = indicator_limits.indicator_id
),

-- a value that leaves the trend and returns is mostly wrong; an independent source does not repeat another's errors to the last digit
repetitions as (
    select
        suspects.source_id,
        others.source_id as other_source_id,
        suspects.indicator_id,
        count(*) as n_common,
        count(*) filter (where suspects.is_suspect or others.is_suspect) as n_suspect,
        count(*) filter (where suspects.is_suspect and abs(suspects.log_value - others.log_value) <= suspects.equal_within) as n_repeated,
        greatest(
            coalesce(
                count(*) filter (where suspects.is_suspect and abs(suspects.log_value - others.log_value) <= suspects.equal_within)
                / nullif(count(*) filter (where suspects.is_suspect), 0), 0
            ),
            coalesce(
                count(*) filter (where others.is_suspect and abs(suspects.log_value - others.log_value) <= suspects.equal_within)
                / nullif(count(*) filter (where others.is_suspect), 0), 0
            )
        ) as repeated_share,
        any_value(suspects.min_repeated) as min_repeated,
        any_value(suspects.min_share) as min_share
    from suspects
    inner join suspects as others
        on
            suspects.indicator_id = others.indicator_id
            and suspects.city_id = others.city_id
            and suspects."year" = others."year"
            and suspects.source_id <> others.source_id
    group by suspects.source_id, others.source_id, suspects.indicator_id
),

judged as (
    select
        *,
        n_repeated >= min_repeated and repeated_share >= min_share as repeats,
        n_suspect >= min_repeated as is_decided
    from repetitions
),

elsewhere as (
    select distinct
        source_id,
        other_source_id
    from judged
    where repeats
),

final as (
    select
        judged.source_id,
        judged.other_source_id,
        judged.indicator_id,
        cast(judged.n_common as integer) as n_common,
        cast(judged.n_suspect as integer) as n_suspect,
        cast(judged.n_repeated as integer) as n_repeated,
        judged.repeated_share,
        case
            when bool_or(declared.source_id is not null) then 'declared'
            when any_value(judged.repeats) then 'repeats'
            when any_value(judged.is_decided) then 'independent'
            when any_value(elsewhere.source_id) is not null then 'repeats elsewhere'
            else 'independent'
        end as relation
    from judged
    left join declared
        on
            judged.indicator_id like declared.indicator_pattern
            and (
                (judged.source_id = declared.source_id and judged.other_source_id = declared.other_source_id)
                or (judged.source_id = declared.other_source_id and judged.other_source_id = declared.source_id)
            )
    left join elsewhere
        on judged.source_id = elsewhere.source_id and judged.other_source_id = elsewhere.other_source_id
    group by all
)

select * from final
