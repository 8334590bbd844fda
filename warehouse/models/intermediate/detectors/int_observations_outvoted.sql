-- grain: one row is one value that other sources show to be wrong: a rate, or one of two sectors exchanged
-- key: observation_id
with compared as (
    {{ figures_beside(ref('int_trends_cleaned'), ref('int_sources_related'), ref('int_indicator_limits')) }}
),

-- rates beside what another source that is heard has, but for figures that were made
rates as (
    select
        *,
        min(gap) filter (where relation = 'independent') over (partition by observation_id) as nearest_gap,
        count(distinct city_id) over (partition by source_id, indicator_id, province_id, "year") as n_cities
    from compared
    where
        outvoted_block is not null
        and other_observation_id not in {{ observations_where(ref('int_observations_constructed')) }}
),

-- which of the two lost or gained a minus, their trends tell
without_sign as (
    select
        *,
        'sign' as rule,
        case when own_miss > other_miss then 'blocked' else 'warned' end as grade,
        'its sign is lost' as reason
    from rates
    where
        is_heard
        and log_value > 0
        and abs({{ figure_of('log_value', 'rate_unit') }} + {{ figure_of('other_log_value', 'rate_unit') }}) <= sign_lost
        and gap > 2 * veto_equal
),

-- two sectors of a row exchanged: each has the figure that another source has for the other one, and both stray further than there
of_sectors as (
    select
        *,
        regexp_replace(indicator_id, '_(primary|secondary|tertiary)_', '_') as total
    from compared
    where is_heard and gap > mismatch_differs
),

exchanged as (
    select
        here.* exclude (total),
        'swap' as rule,
        case when here.own_miss + there.own_miss > here.other_miss + there.other_miss then 'blocked' else 'warned' end as grade,
        'that source has it for ' || there.indicator_id as reason
    from of_sectors as here
    inner join of_sectors as there
        on
            {{ same_keys('here', 'there', ['source_id', 'other_source_id', 'total', 'city_id', '"year"']) }}
            and here.indicator_id <> there.indicator_id
            and abs(here.log_value - there.other_log_value) <= here.source_equal
            and abs(there.log_value - here.other_log_value) <= here.source_equal
    where coalesce(here.own_miss + there.own_miss >= here.other_miss + there.other_miss, true)
),

-- small differences are those of vintages and of digits, and most of a province has another vintage; two that print rates may have them
-- from one book, one that prints rates and one of an index have not
outvoted as (
    select
        here.*,
        'outvoted' as rule,
        case
            when
                least(here.gap, there.gap) < here.outvoted_block
                or here.other_rate_unit = there.other_rate_unit
                or count(distinct here.city_id) over province_year
                >= greatest(here.vintage_min_cities, here.vintage_share * here.n_cities)
                then 'warned'
            else 'blocked'
        end as grade,
        'so has ' || there.other_source_id as reason
    from rates as here
    inner join rates as there
        on here.observation_id = there.observation_id and here.other_source_id < there.other_source_id
    inner join {{ ref('int_sources_related') }} as related
        on
            here.other_source_id = related.source_id
            and there.other_source_id = related.other_source_id
            and here.indicator_id = related.indicator_id
            and related.relation = 'independent'
    where
        here.is_heard
        and there.is_heard
        and abs(here.other_log_value - there.other_log_value) <= here.veto_equal
        and least(here.gap, there.gap) > here.veto_equal
    window province_year as (partition by here.source_id, here.indicator_id, here.province_id, here."year")
)

select
    observation_id,
    rule,
    grade,
    'expected ' || {{ short_figure('other_log_value', 'rate_unit') }} || ' as in ' || other_source_id
    || ', found ' || {{ short_figure('log_value', 'rate_unit') }} || '; ' || reason as detail,
    {{ figure_of('other_log_value', 'rate_unit') }} as proposed_value
from (
    select * from without_sign
    union all by name
    select * from exchanged
    union all by name
    select * from outvoted
) as contradicted
where coalesce(nearest_gap > veto_equal, true)
qualify row_number() over (partition by observation_id order by grade asc, rule asc, gap desc, other_source_id asc, reason asc) = 1
