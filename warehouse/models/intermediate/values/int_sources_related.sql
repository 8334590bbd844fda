-- grain: one row is an ordered pair of sources and an indicator that both deliver, with what the second says of the first
-- key: source_id, other_source_id, indicator_id
-- a copy in another unit, or of another multiple of the quantity, is a copy too: the same figure but for the factor between the two sources
with paired as (
    select
        own.source_id,
        other.source_id as other_source_id,
        own.indicator_id,
        abs(own.spike) >= {{ above_noise('limits.spike_block', 'limits.spike_noise', 'own.noise') }} as is_suspect,
        own.log_value - other.log_value as gap,
        abs(gap - median(gap) over (partition by own.source_id, other.source_id, own.indicator_id)) as distance,
        abs(gap) <= limits.source_differs as is_near,
        abs(gap) <= limits.lineage_equal as is_same_figure,
        distance <= limits.lineage_equal as is_multiple,
        -- a copied error leaves the trend of the copy too: a right value among wrong ones, where codes of a source are shifted in some
        -- years only, leaves the trend of one source and lies on that of the other
        is_suspect
        and (is_same_figure or is_multiple)
        and (own.is_end or abs(own.spike) >= limits.veto_same_move * abs(other.spike))
        and (other.is_end or abs(other.spike) >= limits.veto_same_move * abs(own.spike)) as is_repeated,
        -- a value that leaves the trend and returns is mostly wrong, and independent sources share few such values: the log odds that a
        -- source which copies part of another has it too or not, against one that agrees by chance or on a true event
        case
            when is_repeated then ln(limits.lineage_copied_share / limits.lineage_chance_share)
            when is_suspect then ln((1 - limits.lineage_copied_share) / (1 - limits.lineage_chance_share))
        end as log_odds,
        -- the two contradict each other and this one left its trend by as much, while the other stayed
        distance > limits.match_apart
        and abs(own.log_value - own.expected_log) >= limits.spike_own_share * distance
        and abs(other.log_value - other.expected_log) < limits.spike_other_share * distance as is_off
    from {{ ref('int_trends_delivered') }} as own
    inner join {{ ref('int_trends_delivered') }} as other
        on {{ same_keys('own', 'other', ['indicator_id', 'city_id', '"year"']) }} and own.source_id <> other.source_id
    inner join {{ ref('int_indicator_limits') }} as limits on own.indicator_id = limits.indicator_id
),

counted as (
    select
        source_id,
        other_source_id,
        indicator_id,
        {{ publisher_of('source_id') }} as publisher,
        {{ publisher_of('other_source_id') }} as other_publisher,
        count(*) as n_common,
        -- a copy whose unit changes on the way has two factors: it contradicts the other one from then on
        greatest(count_if(is_same_figure), count_if(is_multiple)) as n_equal,
        least(count_if(is_same_figure and not is_multiple), count_if(is_multiple and not is_same_figure)) as n_of_other_factor,
        count_if(is_near) as n_near,
        count_if(is_repeated) as n_repeated,
        sum(log_odds) as log_odds,
        count_if(is_off) as n_off
    from paired
    group by source_id, other_source_id, indicator_id
),

-- the place that the seed gives a source
ranked as (
    select
        source_id,
        indicator_id,
        min(priority) as priority
    from {{ ref('int_source_priorities') }}
    where priority < 999
    group by source_id, indicator_id
),

checked as (
    select
        own.*,
        own.publisher = own.other_publisher as is_edition,
        own_rank.priority as seed_priority,
        other_rank.priority as other_seed_priority,
        greatest(own.log_odds, other.log_odds) >= limits.lineage_odds
        and greatest(own.n_repeated, other.n_repeated) >= limits.lineage_min_repeated
        and own.n_of_other_factor < limits.lineage_factor_share * own.n_common as repeats,
        own.n_common >= limits.lineage_same_values and own.n_equal >= limits.lineage_same_share * own.n_common as is_same,
        own.n_near >= limits.lineage_near_share * own.n_common as is_near,
        is_near and own.n_off >= greatest(limits.lineage_worse_cells, limits.lineage_worse_ratio * other.n_off) as is_worse,
        is_near and other.n_off >= greatest(limits.lineage_worse_cells, limits.lineage_worse_ratio * own.n_off) as is_other_worse
    from counted as own
    inner join counted as other
        on (own.source_id, own.other_source_id, own.indicator_id) = (other.other_source_id, other.source_id, other.indicator_id)
    inner join {{ ref('int_indicator_limits') }} as limits on own.indicator_id = limits.indicator_id
    left join ranked as own_rank on own.publisher = own_rank.source_id and own.indicator_id = own_rank.indicator_id
    left join ranked as other_rank on own.other_publisher = other_rank.source_id and own.indicator_id = other_rank.indicator_id
)

select
    source_id,
    other_source_id,
    indicator_id,
    case
        when is_edition then 'edition'
        when exists (
            select 1
            from {{ ref('source_lineage') }} as declared
            where
                checked.indicator_id like declared.indicator_pattern
                and checked.publisher in (declared.source_id, declared.other_source_id)
                and checked.other_publisher in (declared.source_id, declared.other_source_id)
        ) then 'declared'
        when repeats then 'repeats'
        when is_same then 'same series'
        else 'independent'
    end as relation,
    is_worse,
    is_other_worse,
    -- a source without a place earns one where it is right and one with a place is wrong: right behind that one
    0.5 + min(other_seed_priority) filter (where is_other_worse and seed_priority is null)
        over (partition by publisher, indicator_id) as earned_priority,
    -- a new edition revises figures, but moves none to other years, rows or units: where nothing else tells, the older one is right
    coalesce(seed_priority, earned_priority, 999)
    + case when is_edition and source_id > other_source_id then 0.25 else 0 end as priority,
    coalesce(
        other_seed_priority,
        0.5 + min(seed_priority) filter (where is_worse and other_seed_priority is null) over (partition by other_publisher, indicator_id),
        999
    )
    + case when is_edition and source_id < other_source_id then 0.25 else 0 end as other_priority,
    -- a source that has no place says nothing against one that has
    other_priority < 999 or priority >= 999 as is_heard
from checked
