-- grain: one row is an ordered pair of sources and an indicator that both deliver, and whether the second can corroborate the first
-- key: source_id, other_source_id, indicator_id
{% set suspect_at -%}
    {{ above_noise("indicator_limits.limits['spike.block']", "indicator_limits.limits['spike.noise']", 'trends.noise') }}
{%- endset -%}

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
        coalesce(abs(trends.spike) >= {{ suspect_at }}, false) as is_suspect,
        indicator_limits.limits['lineage.equal'] as equal_within,
        indicator_limits.limits['veto.same_move'] as same_move
    from trends
    inner join indicator_limits on trends.indicator_id = indicator_limits.indicator_id
),

paired as (
    select
        suspects.source_id,
        others.source_id as other_source_id,
        suspects.indicator_id,
        suspects.is_suspect,
        others.is_suspect as is_other_suspect,
        suspects.equal_within,
        suspects.log_value - others.log_value as gap,
        -- a copied error leaves the trend of the copy too: a right value among wrong ones, where codes of a source are shifted in some
        -- years only, leaves the trend of one source and lies on that of the other
        (suspects.is_end or abs(suspects.spike) >= suspects.same_move * abs(others.spike))
        and (others.is_end or abs(others.spike) >= suspects.same_move * abs(suspects.spike)) as is_spike_of_both
    from suspects
    inner join suspects as others
        on
            suspects.indicator_id = others.indicator_id
            and suspects.city_id = others.city_id
            and suspects."year" = others."year"
            and suspects.source_id <> others.source_id
),

-- a copy in another unit, or of another multiple of the quantity, is a copy too: the same figure but for the factor between the two sources
factors as (
    select
        source_id,
        other_source_id,
        indicator_id,
        {{ exact_median('gap') }} as usual_gap
    from paired
    group by source_id, other_source_id, indicator_id
),

compared as (
    select
        paired.*,
        abs(paired.gap) <= paired.equal_within or abs(paired.gap - factors.usual_gap) <= paired.equal_within as is_equal
    from paired
    inner join factors
        on
            paired.source_id = factors.source_id
            and paired.other_source_id = factors.other_source_id
            and paired.indicator_id = factors.indicator_id
),

counted as (
    select
        source_id,
        other_source_id,
        indicator_id,
        count(*) as n_common,
        count(*) filter (where is_equal) as n_equal,
        count(*) filter (where is_suspect or is_other_suspect) as n_suspect,
        count(*) filter (where is_suspect) as n_own_suspect,
        count(*) filter (where is_other_suspect) as n_other_suspect,
        count(*) filter (where is_suspect and is_equal and is_spike_of_both) as n_own_repeated,
        count(*) filter (where is_other_suspect and is_equal and is_spike_of_both) as n_other_repeated
    from compared
    group by source_id, other_source_id, indicator_id
),

-- a value that leaves the trend and returns is mostly wrong, and independent sources share few such values: the log odds that a source
-- which copies part of another would have repeated as many of them as it did, against one that agrees by chance or on a true event
weighed as (
    select
        counted.*,
        indicator_limits.limits['lineage.min_repeated'] as min_repeated,
        indicator_limits.limits['lineage.odds'] as odds_at,
        indicator_limits.limits['lineage.same_share'] as same_share,
        indicator_limits.limits['lineage.same_values'] as same_values,
        indicator_limits.limits['lineage.elsewhere_share'] as elsewhere_share,
        greatest(counted.n_own_repeated, counted.n_other_repeated) as n_repeated,
        greatest(
            {% for side in ['own', 'other'] -%}
                counted.n_{{ side }}_repeated
                * ln(indicator_limits.limits['lineage.copied_share'] / indicator_limits.limits['lineage.chance_share'])
                + (counted.n_{{ side }}_suspect - counted.n_{{ side }}_repeated)
                * ln((1 - indicator_limits.limits['lineage.copied_share']) / (1 - indicator_limits.limits['lineage.chance_share']))
                {%- if not loop.last %},{% endif %}
            {% endfor -%}
        ) as copy_log_odds
    from counted
    inner join indicator_limits on counted.indicator_id = indicator_limits.indicator_id
),

judged as (
    select
        *,
        greatest(
            coalesce(n_own_repeated / nullif(n_own_suspect, 0), 0), coalesce(n_other_repeated / nullif(n_other_suspect, 0), 0)
        ) as repeated_share,
        n_repeated >= min_repeated and copy_log_odds >= odds_at as repeats,
        n_common >= same_values and n_equal >= same_share * n_common as is_same,
        n_suspect >= min_repeated or n_equal < elsewhere_share * n_common as is_decided
    from weighed
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
        judged.copy_log_odds,
        case
            when bool_or(declared.source_id is not null) then 'declared'
            when any_value(judged.repeats) then 'repeats'
            when any_value(judged.is_same) then 'same series'
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
