-- grain: one row is one value that repeats last year's to the last digit
with figures as (
    select * from {{ ref('int_values_figures') }}
),

trends as (
    select * from {{ ref('int_trends_delivered') }}
),

compared as (
    select * from {{ ref('int_values_compared') }}
),

limits as (
    select
        indicator_id,
        limits['stale.table_share'] as table_share,
        limits['stale.table_min'] as table_min,
        limits['source.differs'] as differs_by
    from {{ ref('int_indicator_limits') }}
),

table_years as (
    select
        series_no,
        "year",
        count(*) as n_values
    from trends
    group by series_no, "year"
),

repeated as (
    select
        figures.*,
        trends.step_before,
        count(*) over (partition by figures.series_no, figures."year") as n_repeated
    from figures
    inner join figures as earlier
        on
            figures.series_no = earlier.series_no
            and figures.city_id = earlier.city_id
            and figures."year" = earlier."year" + 1
            and figures.value_as_delivered = earlier.value_as_delivered
    inner join trends on figures.observation_id = trends.observation_id
),

-- a witness that agreed last year and has moved on
moved_on as (
    select distinct repeated.observation_id
    from repeated
    inner join limits on repeated.indicator_id = limits.indicator_id
    inner join compared on repeated.observation_id = compared.observation_id
    inner join compared as earlier
        on
            compared.series_no = earlier.series_no
            and compared.city_id = earlier.city_id
            and compared.other_source_id = earlier.other_source_id
            and compared."year" = earlier."year" + 1
    where abs(compared.gap) > limits.differs_by and abs(earlier.gap) < abs(compared.gap) / 2
),

judged as (
    select
        repeated.observation_id,
        repeated."year",
        repeated.log_value,
        repeated.n_repeated,
        table_years.n_values,
        repeated.n_repeated >= limits.table_min and repeated.n_repeated > limits.table_share * table_years.n_values as is_table,
        moved_on.observation_id is not null as has_moved_on
    from repeated
    inner join limits on repeated.indicator_id = limits.indicator_id
    inner join table_years on repeated.series_no = table_years.series_no and repeated."year" = table_years."year"
    left join moved_on on repeated.observation_id = moved_on.observation_id
),

final as (
    select
        observation_id,
        'stale' as rule,
        case when is_table or has_moved_on then 'blocked' else 'quarantined' end as grade,
        'expected another figure than that of ' || ("year" - 1) || ', found the same, ' || {{ short_number('exp(log_value)') }}
        || case when has_moved_on then '; another source has moved on' else '' end
        || case when is_table then '; so have ' || n_repeated || ' of ' || n_values || ' cities' else '' end as detail,
        cast(null as double) as proposed_value
    from judged
)

select * from final
