-- grain: one row is an ordered pair of sources and an indicator that both deliver: whether the second can corroborate the first, and
-- whether its word against the first counts (is_heard), which of the two is wrong where they contradict each other, and the place among
-- the sources that the second has earned, where the seed gives it none
-- key: source_id, other_source_id, indicator_id
{% set suspect_at -%}
    {{ above_noise("indicator_limits.spike_block", "indicator_limits.spike_noise", 'trends.noise') }}
{%- endset -%}

with suspects as (
    select
        trends.*,
        coalesce(abs(trends.spike) >= {{ suspect_at }}, false) as is_suspect,
        indicator_limits.lineage_equal as equal_within,
        indicator_limits.veto_same_move as same_move,
        indicator_limits.match_apart as apart_at,
        indicator_limits.source_differs as near_by,
        indicator_limits.spike_own_share as own_share,
        indicator_limits.spike_other_share as other_share
    from {{ ref('int_trends_delivered') }} as trends
    inner join {{ ref('int_indicator_limits') }} as indicator_limits on trends.indicator_id = indicator_limits.indicator_id
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
        abs(suspects.log_value - suspects.expected_log) as own_miss,
        abs(others.log_value - others.expected_log) as other_miss,
        suspects.apart_at,
        suspects.near_by,
        suspects.own_share,
        suspects.other_share,
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
        abs(paired.gap) <= paired.equal_within or abs(paired.gap - factors.usual_gap) <= paired.equal_within as is_equal,
        abs(paired.gap - factors.usual_gap) as distance
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
        count(*) filter (where abs(gap) <= near_by) as n_near,
        count(*) filter (where is_suspect or is_other_suspect) as n_suspect,
        count(*) filter (where is_suspect) as n_own_suspect,
        count(*) filter (where is_other_suspect) as n_other_suspect,
        count(*) filter (where is_suspect and is_equal and is_spike_of_both) as n_own_repeated,
        count(*) filter (where is_other_suspect and is_equal and is_spike_of_both) as n_other_repeated,
        -- cells in which the two contradict each other and one of them left its trend by as much, while the other stayed
        count(*) filter (
            where distance > apart_at and own_miss >= own_share * distance and other_miss < other_share * distance
        ) as n_own_off,
        count(*) filter (
            where distance > apart_at and other_miss >= own_share * distance and own_miss < other_share * distance
        ) as n_other_off
    from compared
    group by source_id, other_source_id, indicator_id
),

-- a value that leaves the trend and returns is mostly wrong, and independent sources share few such values: the log odds that a source
-- which copies part of another would have repeated as many of them as it did, against one that agrees by chance or on a true event
weighed as (
    select
        counted.*,
        indicator_limits.lineage_min_repeated as min_repeated,
        indicator_limits.lineage_odds as odds_at,
        indicator_limits.lineage_same_share as same_share,
        indicator_limits.lineage_same_values as same_values,
        indicator_limits.lineage_elsewhere_share as elsewhere_share,
        indicator_limits.lineage_worse_cells as worse_cells,
        indicator_limits.lineage_worse_ratio as worse_ratio,
        indicator_limits.lineage_near_share as near_share,
        greatest(counted.n_own_repeated, counted.n_other_repeated) as n_repeated,
        greatest(
            {% for side in ['own', 'other'] -%}
                counted.n_{{ side }}_repeated
                * ln(indicator_limits.lineage_copied_share / indicator_limits.lineage_chance_share)
                + (counted.n_{{ side }}_suspect - counted.n_{{ side }}_repeated)
                * ln((1 - indicator_limits.lineage_copied_share) / (1 - indicator_limits.lineage_chance_share))
                {%- if not loop.last %},{% endif %}
            {% endfor -%}
        ) as copy_log_odds
    from counted
    inner join {{ ref('int_indicator_limits') }} as indicator_limits on counted.indicator_id = indicator_limits.indicator_id
),

judged as (
    select
        *,
        greatest(
            coalesce(n_own_repeated / nullif(n_own_suspect, 0), 0), coalesce(n_other_repeated / nullif(n_other_suspect, 0), 0)
        ) as repeated_share,
        n_repeated >= min_repeated and copy_log_odds >= odds_at as repeats,
        n_common >= same_values and n_equal >= same_share * n_common as is_same,
        n_suspect >= min_repeated or n_equal < elsewhere_share * n_common as is_decided,
        -- of two that agree nearly everywhere
        n_near >= near_share * n_common and n_own_off >= greatest(worse_cells, worse_ratio * n_other_off) as is_worse,
        n_near >= near_share * n_common and n_other_off >= greatest(worse_cells, worse_ratio * n_own_off) as is_other_worse
    from weighed
),

-- the place that the seed gives a source, or a source earns that is right where a ranked one is wrong: right behind that one
ranked as (
    select
        source_id,
        indicator_id,
        min(priority) as priority
    from {{ ref('int_source_priorities') }}
    where priority < 999
    group by source_id, indicator_id
),

earned as (
    select
        judged.other_source_id as source_id,
        judged.indicator_id,
        min(ranked.priority) + 0.5 as priority
    from judged
    inner join ranked on judged.source_id = ranked.source_id and judged.indicator_id = ranked.indicator_id
    left join ranked as own on judged.other_source_id = own.source_id and judged.indicator_id = own.indicator_id
    where judged.is_worse and own.source_id is null
    group by judged.other_source_id, judged.indicator_id
),

known as (
    select * from ranked
    union all
    select * from earned
),

-- a source that has no place says nothing against one that has
heard as (
    select
        judged.*,
        other_known.source_id is not null or own_known.source_id is null as is_heard,
        coalesce(own_known.priority, 999) as priority,
        coalesce(other_known.priority, 999) as other_priority,
        earned.priority as other_earned_priority
    from judged
    left join known as own_known on judged.source_id = own_known.source_id and judged.indicator_id = own_known.indicator_id
    left join known as other_known on judged.other_source_id = other_known.source_id and judged.indicator_id = other_known.indicator_id
    left join earned on judged.other_source_id = earned.source_id and judged.indicator_id = earned.indicator_id
),

elsewhere as (
    select distinct
        source_id,
        other_source_id
    from judged
    where repeats
)

select
    heard.source_id,
    heard.other_source_id,
    heard.indicator_id,
    cast(heard.n_common as integer) as n_common,
    cast(heard.n_suspect as integer) as n_suspect,
    cast(heard.n_repeated as integer) as n_repeated,
    heard.repeated_share,
    heard.copy_log_odds,
    case
        when bool_or(declared.source_id is not null) then 'declared'
        when any_value(heard.repeats) then 'repeats'
        when any_value(heard.is_same) then 'same series'
        when any_value(heard.is_decided) then 'independent'
        when any_value(elsewhere.source_id) is not null then 'repeats elsewhere'
        else 'independent'
    end as relation,
    heard.is_heard,
    heard.is_worse,
    heard.is_other_worse,
    heard.priority,
    heard.other_priority,
    heard.other_earned_priority
from heard
left join {{ ref('source_lineage') }} as declared
    on
        heard.indicator_id like declared.indicator_pattern
        and (
            (heard.source_id = declared.source_id and heard.other_source_id = declared.other_source_id)
            or (heard.source_id = declared.other_source_id and heard.other_source_id = declared.source_id)
        )
left join elsewhere
    on heard.source_id = elsewhere.source_id and heard.other_source_id = elsewhere.other_source_id
group by all
