-- grain: one row is one value in which two sources differ although they agree in the years around
-- key: observation_id
with compared as (
    {{ figures_beside(ref('int_trends_cleaned'), ref('int_sources_related'), ref('int_indicator_limits')) }}
),

checked as (
    select
        *,
        min(gap) filter (where relation = 'independent') over same_value as nearest_gap,
        count(*) over (same_value order by other_log_value range between veto_equal preceding and veto_equal following)
        - count(*) filter (where gap <= veto_equal) over same_value - 1 as n_more,
        count(*) filter (where gap <= mismatch_equal) over years_beside as n_equal_years,
        -- of two sides the one that left its own trend, or left it further
        not coalesce(own_miss < spike_other_share * gap and other_miss >= spike_own_share * gap, false) as may_be_wrong,
        may_be_wrong and is_weaker and gap > stitched_apart as is_contrary,
        is_contrary and coalesce(own_miss < spike_own_share * gap, false) as is_apart,
        may_be_wrong
        and is_heard
        and not is_other_worse
        and gap > mismatch_differs
        and coalesce(own_miss >= other_miss / 4, true)
        and n_equal_years >= mismatch_equal_years as is_isolated
    from compared
    window
        same_value as (partition by observation_id),
        years_beside as (
            partition by source_id, other_source_id, indicator_id, city_id
            order by "year" range between 2 preceding and 2 following exclude current row
        )
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
        case when is_vintage or not is_decided then 'warned' else 'quarantined' end as grade
    from checked
    window province_year as (partition by source_id, other_source_id, indicator_id, province_id, "year")
    -- a third source that has the same, or stands far nearer than the one that differs, confirms the value
    qualify (is_contrary or is_isolated) and coalesce(nearest_gap > greatest(mismatch_equal, gap / 4), true)
)

select
    observation_id,
    rule,
    grade,
    'expected ' || {{ short_figure('other_log_value', 'rate_unit') }} || ' as in ' || other_source_id
    || if(is_contrary, ', which counts for more where the two differ', ', with which it agrees in the years around')
    || ', found ' || {{ short_figure('log_value', 'rate_unit') }}
    || if(is_vintage, '; so in ' || n_isolated || ' of ' || n_cities || ' cities of the province: another vintage', '') as detail
from found
qualify row_number() over (partition by observation_id order by grade asc, rule asc, gap desc, other_source_id asc) = 1
