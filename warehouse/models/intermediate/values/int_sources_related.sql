-- grain: one row is an ordered pair of sources and an indicator that both deliver: whether the second can corroborate the first, and
-- whether its word against the first counts (is_heard), which of the two is wrong where they contradict each other, and the place among
-- the sources that the second has earned, where the seed gives it none
-- key: source_id, other_source_id, indicator_id
with suspects as (
    select
        trends.*,
        abs(trends.log_value - trends.expected_log) as miss,
        coalesce(abs(trends.spike) >= {{ above_noise('limits.spike_block', 'limits.spike_noise', 'trends.noise') }}, false) as is_suspect
    from {{ ref('int_trends_delivered') }} as trends
    inner join {{ ref('int_indicator_limits') }} as limits on trends.indicator_id = limits.indicator_id
),

-- a copy in another unit, or of another multiple of the quantity, is a copy too: the same figure but for the factor between the two sources
paired as (
    select
        own.source_id,
        other.source_id as other_source_id,
        own.indicator_id,
        own.is_suspect as is_own_suspect,
        other.is_suspect as is_other_suspect,
        own.miss as own_miss,
        other.miss as other_miss,
        own.log_value - other.log_value as gap,
        abs(gap - median(gap) over (partition by own.source_id, other.source_id, own.indicator_id)) as distance,
        abs(gap) <= limits.lineage_equal as is_same_figure,
        distance <= limits.lineage_equal as is_multiple,
        is_same_figure or is_multiple as is_equal,
        -- a copied error leaves the trend of the copy too: a right value among wrong ones, where codes of a source are shifted in some
        -- years only, leaves the trend of one source and lies on that of the other
        (own.is_end or abs(own.spike) >= limits.veto_same_move * abs(other.spike))
        and (other.is_end or abs(other.spike) >= limits.veto_same_move * abs(own.spike)) as is_spike_of_both
    from suspects as own
    inner join suspects as other
        on
            {{ same_keys('own', 'other', ['indicator_id', 'city_id', '"year"']) }}
            and own.source_id <> other.source_id
    inner join {{ ref('int_indicator_limits') }} as limits on own.indicator_id = limits.indicator_id
),

counted as (
    select
        paired.source_id,
        paired.other_source_id,
        paired.indicator_id,
        count(*) as n_common,
        -- a copy whose unit changes on the way has two factors: it contradicts the other one from then on
        greatest(count(*) filter (where paired.is_same_figure), count(*) filter (where paired.is_multiple)) as n_equal,
        least(
            count(*) filter (where paired.is_same_figure and not paired.is_multiple),
            count(*) filter (where paired.is_multiple and not paired.is_same_figure)
        ) as n_of_other_factor,
        count(*) filter (where abs(paired.gap) <= limits.source_differs) as n_near,
        count(*) filter (where paired.is_own_suspect or paired.is_other_suspect) as n_suspect,
        {% for side, beside in [('own', 'other'), ('other', 'own')] -%}
            count(*) filter (where paired.is_{{ side }}_suspect) as n_{{ side }}_suspect,
            count(*) filter (where paired.is_{{ side }}_suspect and paired.is_equal and paired.is_spike_of_both) as n_{{ side }}_repeated,
            -- cells in which the two contradict each other and one of them left its trend by as much, while the other stayed
            count(*) filter (
                where
                paired.distance > limits.match_apart
                and paired.{{ side }}_miss >= limits.spike_own_share * paired.distance
                and paired.{{ beside }}_miss < limits.spike_other_share * paired.distance
            ) as n_{{ side }}_off
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from paired
    inner join {{ ref('int_indicator_limits') }} as limits on paired.indicator_id = limits.indicator_id
    group by paired.source_id, paired.other_source_id, paired.indicator_id
),

-- a value that leaves the trend and returns is mostly wrong, and independent sources share few such values: the log odds that a source
-- which copies part of another would have repeated as many of them as it did, against one that agrees by chance or on a true event
judged as (
    select
        counted.source_id,
        counted.other_source_id,
        counted.indicator_id,
        greatest(
            {% for side in ['own', 'other'] -%}
                counted.n_{{ side }}_repeated * ln(limits.lineage_copied_share / limits.lineage_chance_share)
                + (counted.n_{{ side }}_suspect - counted.n_{{ side }}_repeated)
                * ln((1 - limits.lineage_copied_share) / (1 - limits.lineage_chance_share))
                {%- if not loop.last %},{% endif %}
            {% endfor -%}
        ) >= limits.lineage_odds
        and greatest(counted.n_own_repeated, counted.n_other_repeated) >= limits.lineage_min_repeated
        and counted.n_of_other_factor < limits.lineage_factor_share * counted.n_common as repeats,
        counted.n_common >= limits.lineage_same_values and counted.n_equal >= limits.lineage_same_share * counted.n_common as is_same,
        counted.n_suspect >= limits.lineage_min_repeated
        or counted.n_equal < limits.lineage_elsewhere_share * counted.n_common as is_decided,
        -- of two that agree nearly everywhere
        {% for side, beside, name in [('own', 'other', 'is_worse'), ('other', 'own', 'is_other_worse')] -%}
            counted.n_near >= limits.lineage_near_share * counted.n_common
            and counted.n_{{ side }}_off
            >= greatest(limits.lineage_worse_cells, limits.lineage_worse_ratio * counted.n_{{ beside }}_off) as {{ name }}
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from counted
    inner join {{ ref('int_indicator_limits') }} as limits on counted.indicator_id = limits.indicator_id
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
        {{ publisher_of('judged.other_source_id') }} as source_id,
        judged.indicator_id,
        min(ranked.priority) + 0.5 as priority
    from judged
    inner join ranked on {{ publisher_of('judged.source_id') }} = ranked.source_id and judged.indicator_id = ranked.indicator_id
    left join ranked as own on {{ publisher_of('judged.other_source_id') }} = own.source_id and judged.indicator_id = own.indicator_id
    where judged.is_worse and own.source_id is null
    group by {{ publisher_of('judged.other_source_id') }}, judged.indicator_id
),

known as (
    select * from ranked
    union all
    select * from earned
)

select
    judged.source_id,
    judged.other_source_id,
    judged.indicator_id,
    {{ publisher_of('judged.source_id') }} = {{ publisher_of('judged.other_source_id') }} as is_edition,
    case
        when is_edition then 'edition'
        when exists (
            select 1
            from {{ ref('source_lineage') }} as declared
            where
                judged.indicator_id like declared.indicator_pattern
                and {{ publisher_of('judged.source_id') }} in (declared.source_id, declared.other_source_id)
                and {{ publisher_of('judged.other_source_id') }} in (declared.source_id, declared.other_source_id)
        ) then 'declared'
        when judged.repeats then 'repeats'
        when judged.is_same then 'same series'
        when judged.is_decided then 'independent'
        when bool_or(judged.repeats) over (partition by judged.source_id, judged.other_source_id) then 'repeats elsewhere'
        else 'independent'
    end as relation,
    -- a source that has no place says nothing against one that has
    other_known.source_id is not null or own_known.source_id is null as is_heard,
    judged.is_worse,
    judged.is_other_worse,
    -- a new edition revises figures, but moves none to other years, rows or units: where nothing else tells, the older one is right
    coalesce(own_known.priority, 999)
    + case when is_edition and judged.source_id > judged.other_source_id then 0.25 else 0 end as priority,
    coalesce(other_known.priority, 999)
    + case when is_edition and judged.source_id < judged.other_source_id then 0.25 else 0 end as other_priority,
    earned.priority as other_earned_priority
from judged
left join known as own_known
    on {{ publisher_of('judged.source_id') }} = own_known.source_id and judged.indicator_id = own_known.indicator_id
left join known as other_known
    on {{ publisher_of('judged.other_source_id') }} = other_known.source_id and judged.indicator_id = other_known.indicator_id
left join earned on {{ publisher_of('judged.other_source_id') }} = earned.source_id and judged.indicator_id = earned.indicator_id
