-- grain: one row is one indicator with the thresholds of all rules that apply to it, by name
-- key: indicator_id
with catalog as (
    select * from {{ ref('indicator_catalog') }}
),

thresholds as (
    select * from {{ ref('quality_thresholds') }}
),

-- the pattern with the most characters of an indicator's name wins
matching as (
    select
        catalog.indicator_id,
        catalog.kind,
        thresholds.threshold,
        thresholds."value"
    from catalog
    inner join thresholds on catalog.indicator_id like thresholds.indicator_pattern
    qualify row_number() over (
        partition by catalog.indicator_id, thresholds.threshold
        order by length(replace(thresholds.indicator_pattern, '%', '')) desc, thresholds.indicator_pattern asc
    ) = 1
),

final as (
    select
        indicator_id,
        any_value(kind) as kind,
        map_from_entries(list(struct_pack(k := threshold, v := "value") order by threshold)) as limits
    from matching
    group by indicator_id
)

select * from final
