-- grain: one row is one value of a run of years that another source has under another city: two places of like name exchanged
with compared as (
    select * from {{ ref('int_values_compared') }}
),

trends as (
    select * from {{ ref('int_trends_delivered') }}
),

witnessed as (
    select * from {{ ref('int_values_witnessed') }}
),

limits as (
    select
        indicator_id,
        limits['source.equal'] as equal_within,
        limits['source.differs'] as differs_by,
        limits['mixed_up.min_years'] as min_years
    from {{ ref('int_indicator_limits') }}
    where limits['mixed_up.min_years'] is not null
),

contradicted as (
    select
        compared.*,
        limits.equal_within,
        limits.min_years,
        witness.series_no as other_series_no,
        unnest([-1, 0, 1]) + cast(round(compared.log_value / limits.equal_within) as integer) as place_on_scale
    from compared
    inner join limits on compared.indicator_id = limits.indicator_id
    inner join trends as witness on compared.other_observation_id = witness.observation_id
    where abs(compared.gap) > limits.differs_by
),

scaled as (
    select
        trends.*,
        cast(round(trends.log_value / limits.equal_within) as integer) as place_on_scale
    from trends
    inner join limits on trends.indicator_id = limits.indicator_id
),

alike as (
    select
        contradicted.*,
        scaled.city_id as owner_city_id,
        scaled.log_value as owner_log_value
    from contradicted
    inner join scaled
        on
            contradicted.other_series_no = scaled.series_no
            and contradicted."year" = scaled."year"
            and contradicted.place_on_scale = scaled.place_on_scale
            and contradicted.city_id <> scaled.city_id
    where abs(contradicted.log_value - scaled.log_value) <= contradicted.equal_within
),

-- figures alike by chance are common among hundreds of cities; both cities must have each other's
found as (
    select alike.*
    from alike
    inner join alike as mutual
        on
            alike.series_no = mutual.series_no
            and alike.other_source_id = mutual.other_source_id
            and alike."year" = mutual."year"
            and alike.city_id = mutual.owner_city_id
            and alike.owner_city_id = mutual.city_id
),

numbered as (
    select
        *,
        "year" - row_number() over (partition by series_no, other_source_id, city_id, owner_city_id order by "year") as run_no
    from found
),

runs as (
    select
        *,
        count(*) over run as n_years,
        max(greatest(abs(step_before), abs(step_after))) over run as own_noise,
        max(greatest(abs(other_step_before), abs(other_step_after))) over run as other_noise
    from numbered
    window run as (partition by series_no, other_source_id, city_id, owner_city_id, run_no)
),

-- of two sources that disagree the wrong one leaves its trend where the run begins or ends
final as (
    select
        runs.observation_id,
        'swap' as rule,
        case when runs.own_noise > runs.other_noise then 'blocked' else 'quarantined' end as grade,
        'expected ' || {{ short_number('exp(runs.other_log_value)') }} || ' as in ' || runs.other_source_id || ', found '
        || {{ short_number('exp(runs.log_value)') }} || ', which that source has for city ' || runs.owner_city_id
        || ', so in ' || runs.n_years || ' years running' as detail,
        exp(runs.other_log_value) as proposed_value
    from runs
    left join witnessed on runs.observation_id = witnessed.observation_id
    where runs.n_years >= runs.min_years and not coalesce(witnessed.is_confirmed, false) and 2 * runs.own_noise >= runs.other_noise
    qualify row_number() over (
        partition by runs.observation_id
        order by
            runs.own_noise > runs.other_noise desc,
            runs.n_years desc,
            runs.owner_city_id asc,
            runs.other_source_id asc
    ) = 1
)

select * from final
