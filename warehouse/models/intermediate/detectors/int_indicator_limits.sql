-- grain: one row is one indicator with the thresholds of all rules that apply to it, by name
-- key: indicator_id
with kinds as (
    select
        indicator_id,
        kind,
        {{ rule_kind('kind', 'canonical_unit') }} as rule_kind
    from {{ ref('indicator_catalog') }}
),

-- the pattern with the most characters of an indicator's name wins; a kind comes before the pattern for all and after every other
matching as (
    select
        kinds.*,
        thresholds.threshold,
        thresholds."value"
    from kinds
    inner join {{ ref('quality_thresholds') }} as thresholds
        on
            kinds.indicator_id like thresholds.indicator_pattern
            or 'kind:' || kinds.rule_kind = thresholds.indicator_pattern
    qualify row_number() over (
        partition by kinds.indicator_id, thresholds.threshold
        order by
            case
                when thresholds.indicator_pattern = '%' then 2
                when thresholds.indicator_pattern like 'kind:%' then 1
                else 0
            end asc,
            length(replace(thresholds.indicator_pattern, '%', '')) desc,
            thresholds.indicator_pattern asc
    ) = 1
)

select
    indicator_id,
    any_value(kind) as kind,
    any_value(rule_kind) as rule_kind,
    map_from_entries(list(struct_pack(k := threshold, v := "value") order by threshold)) as limits
from matching
group by indicator_id
