-- grain: one row is one indicator with a column for each threshold of the seed, its kind, `growth_of` and `same_as`
-- key: indicator_id
with kinds as (
    select
        indicator_id,
        growth_of,
        same_as,
        {{ rule_kind('kind', 'canonical_unit') }} as rule_kind
    from {{ in_full(ref('indicator_catalog')) }}
),

-- the pattern with the most characters of an indicator's name wins; a kind comes before the pattern for all and after every other. Patterns
-- of names speak of levels: a rate takes those of its kind and of its whole name
matching as (
    select
        kinds.*,
        replace(thresholds.threshold, '.', '_') as threshold,
        thresholds."value"
    from kinds
    inner join {{ in_full(ref('quality_thresholds')) }} as thresholds
        on
            (
                kinds.indicator_id like thresholds.indicator_pattern
                and (kinds.rule_kind <> 'rate' or thresholds.indicator_pattern in ('%', kinds.indicator_id))
            )
            or 'kind:' || kinds.rule_kind = thresholds.indicator_pattern
    qualify row_number() over (
        partition by kinds.indicator_id, thresholds.threshold
        order by
            thresholds.indicator_pattern = '%' asc,
            thresholds.indicator_pattern like 'kind:%' asc,
            length(replace(thresholds.indicator_pattern, '%', '')) desc,
            thresholds.indicator_pattern asc
    ) = 1
)

select *
from (
    pivot matching on threshold using any_value("value")
    group by indicator_id, rule_kind, growth_of, same_as
)
