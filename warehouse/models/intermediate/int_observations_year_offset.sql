-- grain: one row is one value of a run of years that another source has a year earlier or later
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
        limits['year_offset.equal'] as equal_within,
        limits['year_offset.differs'] as differs_by,
        limits['year_offset.min_years'] as min_years,
        limits['year_offset.noise_ratio'] as noise_ratio
    from {{ ref('int_indicator_limits') }}
),

shifts as (
    select unnest([-1, 1]) as k
),

offsets as (
    select
        compared.*,
        limits.differs_by,
        limits.min_years,
        limits.noise_ratio,
        shifts.k,
        abs(compared.log_value - others.log_value) <= limits.equal_within and abs(compared.gap) > limits.differs_by as is_offset
    from compared
    inner join limits on compared.indicator_id = limits.indicator_id
    cross join shifts
    inner join trends as witness on compared.other_observation_id = witness.observation_id
    left join trends as others
        on witness.series_no = others.series_no and compared.city_id = others.city_id and compared."year" + shifts.k = others."year"
),

numbered as (
    select
        *,
        "year" - row_number() over (partition by series_no, other_source_id, city_id, k, is_offset order by "year") as run_no
    from offsets
),

runs as (
    select
        *,
        count(*) over run as n_years,
        max(greatest(abs(step_before), abs(step_after))) over run as own_noise,
        max(greatest(abs(other_step_before), abs(other_step_after))) over run as other_noise
    from numbered
    where is_offset
    window run as (partition by series_no, other_source_id, city_id, k, is_offset, run_no)
),

-- which of two sources is a year off: not the one that a third confirms; of two alone the one that
-- leaves its province's growth further, where the run begins or ends
judged as (
    select
        runs.*,
        case
            when bool_or(witnessed.is_confirmed) over run then null
            when runs.own_noise > runs.noise_ratio * runs.other_noise then 'blocked'
            when runs.own_noise * runs.noise_ratio >= runs.other_noise then 'quarantined'
        end as grade
    from runs
    left join witnessed on runs.observation_id = witnessed.observation_id
    where runs.n_years >= runs.min_years
    window run as (partition by runs.series_no, runs.other_source_id, runs.city_id, runs.k, runs.run_no)
),

final as (
    select
        observation_id,
        'year_offset' as rule,
        grade,
        'expected the figure of ' || "year" || ', ' || {{ short_number('exp(other_log_value)') }} || ' in ' || other_source_id || ', found '
        || {{ short_number('exp(log_value)') }} || ', which that source has for ' || ("year" + k) || ', so in ' || n_years
        || ' years running' as detail,
        exp(other_log_value) as proposed_value
    from judged
    where grade is not null
    qualify row_number() over (partition by observation_id order by grade asc, n_years desc, other_source_id asc, k asc) = 1
)

select * from final
