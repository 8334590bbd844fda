-- grain: one row is one flag of a rule on a value in which two sources differ although they agree in the years around: alone
-- (isolated_mismatch), or with most cities of the province, as when only one source adopted a revision (vintage); of three sources the one
-- that two contradict. Of rates, also one that lost its sign (sign), and one for which two others have the same other figure (outvoted).
-- Sectors exchanged (swap)
-- key: observation_id, rule
with speaking as (
    {{ latest_edition(ref('int_trends_cleaned')) }}
),

compared as (
    select
        speaking.*,
        others.source_id as other_source_id,
        others.log_value as other_log_value,
        others.observation_id as other_observation_id,
        others.rate_unit as other_rate_unit,
        limits.* exclude (indicator_id),
        related.relation,
        related.is_heard,
        related.is_heard
        and (related.is_worse or (related.priority = 999 and related.other_priority < 999)) as is_weaker,
        related.is_other_worse,
        abs(speaking.log_value - others.log_value) as gap,
        abs(speaking.log_value - speaking.expected_log) as own_miss,
        abs(others.log_value - others.expected_log) as other_miss
    from speaking
    inner join {{ ref('int_indicator_limits') }} as limits on speaking.indicator_id = limits.indicator_id
    inner join speaking as others on {{ same_keys('speaking', 'others', ['indicator_id', 'city_id', '"year"']) }}
    inner join {{ ref('int_sources_related') }} as related
        on {{ same_keys('speaking', 'related', ['source_id', 'indicator_id']) }} and others.source_id = related.other_source_id
),

judged as (
    select
        *,
        min(gap) filter (where relation = 'independent') over same_value as nearest_gap,
        count(*) over (same_value order by other_log_value range between veto_equal preceding and veto_equal following)
        - count(*) filter (where gap <= veto_equal) over same_value - 1 as n_more,
        -- of two sides the one that left its own trend, or left it further
        not coalesce(own_miss < spike_other_share * gap and other_miss >= spike_own_share * gap, false) as may_be_wrong,
        may_be_wrong and is_weaker and gap > stitched_apart as is_contrary,
        is_contrary and coalesce(own_miss < spike_own_share * gap, false) as is_apart,
        may_be_wrong
        and is_heard
        and not is_other_worse
        and gap > mismatch_differs
        and coalesce(own_miss >= other_miss / 4, true)
        and count(*) filter (where gap <= mismatch_equal) over (
            partition by source_id, other_source_id, indicator_id, city_id
            order by "year" range between 2 preceding and 2 following exclude current row
        ) >= mismatch_equal_years as is_isolated
    from compared
    window same_value as (partition by observation_id)
),

found as (
    select
        *,
        count(*) filter (where is_isolated or is_apart) over province_year as n_isolated,
        count(*) over province_year as n_cities,
        -- this one leaves its trend further than the other, by twice what the city, or cities in that year, move by; or the other counts
        -- for more and did not leave its trend further itself, or two sources more have its figure: else the files do not say
        case
            when not is_contrary then coalesce(other_miss < spike_other_share * gap and own_miss - other_miss >= 2 * city_noise, false)
            else coalesce(other_miss < spike_other_share * gap or (own_miss >= other_miss and not is_end) or n_more >= 2, true)
        end as is_decided,
        (is_apart or not is_contrary) and n_isolated >= vintage_min_cities and n_isolated >= vintage_share * n_cities as is_vintage,
        case when is_vintage then 'vintage' else 'isolated_mismatch' end as rule,
        case when is_vintage or not is_decided then 'warned' else 'quarantined' end as grade,
        case
            when is_contrary then ', which counts for more where the two differ' else ', with which it agrees in the years around'
        end as why_other,
        case
            when is_vintage then 'so in ' || n_isolated || ' of ' || n_cities || ' cities of the province: another vintage'
        end as reason
    from judged
    window province_year as (partition by source_id, other_source_id, indicator_id, province_id, "year")
    -- a third source that has the same, or stands far nearer than the one that differs, confirms the value
    qualify (is_contrary or is_isolated) and coalesce(nearest_gap > greatest(mismatch_equal, gap / 4), true)
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
        and other_observation_id not in (select made.observation_id from {{ ref('int_observations_constructed') }} as made)
),

-- which of the two lost or gained a minus, their trends tell, or a level that fell even at current prices
without_sign as (
    select
        rates.*,
        'sign' as rule,
        case when rates.own_miss > rates.other_miss or beside.level_growth_pct < 0 then 'blocked' else 'warned' end as grade,
        'its sign is lost' as reason
    from rates
    left join {{ ref('int_rates_delivered') }} as beside on rates.observation_id = beside.observation_id
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
            when least(here.gap, there.gap) < here.outvoted_block or here.other_rate_unit = there.other_rate_unit then 'warned'
            when
                count(distinct here.city_id) over province_year
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
    'expected ' || {{ short_figure('other_log_value', 'rate_unit') }} || ' as in ' || other_source_id || coalesce(why_other, '')
    || ', found ' || {{ short_figure('log_value', 'rate_unit') }} || coalesce('; ' || reason, '') as detail,
    case when why_other is null then {{ figure_of('other_log_value', 'rate_unit') }} end as proposed_value
from (
    select * from without_sign
    union all by name
    select * from exchanged
    union all by name
    select * from outvoted
    union all by name
    select * from found
) as contradicted
where why_other is not null or coalesce(nearest_gap > veto_equal, true)
qualify row_number() over (
    partition by observation_id, why_other is null order by grade asc, rule asc, gap desc, other_source_id asc
) = 1
