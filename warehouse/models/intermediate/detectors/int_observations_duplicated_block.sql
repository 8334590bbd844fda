-- grain: one row is one value that stands under two cities of a source, in two of three years or more
-- key: observation_id
with figures as (
    select * from {{ ref('int_values_figures') }}
),

corroborated as (
    select * from {{ ref('int_values_corroborated') }}
),

limits as (
    select
        indicator_id,
        limits['duplicated_block.digits'] as min_digits
    from {{ ref('int_indicator_limits') }}
),

doubled as (
    select
        figures.observation_id,
        figures.series_no,
        figures.city_id,
        figures."year",
        figures.log_value,
        figures.n_digits,
        limits.min_digits,
        twins.city_id as twin_city_id
    from figures
    inner join figures as twins
        on
            figures.series_no = twins.series_no
            and figures."year" = twins."year"
            and figures.value_as_delivered = twins.value_as_delivered
            and figures.city_id <> twins.city_id
    inner join limits on figures.indicator_id = limits.indicator_id
),

-- any three successive years around this one; two short figures may be equal by chance, so digits are counted, not years
counted as (
    select
        *,
        greatest(
            sum(n_digits) over (partition by series_no, city_id, twin_city_id order by "year" range between 2 preceding and current row),
            sum(n_digits) over (partition by series_no, city_id, twin_city_id order by "year" range between 1 preceding and 1 following),
            sum(n_digits) over (partition by series_no, city_id, twin_city_id order by "year" range between current row and 2 following)
        ) as n_shared_digits,
        count(*) over (
            partition by series_no, city_id, twin_city_id order by "year" range between 2 preceding and 2 following
        ) as n_years
    from doubled
),

final as (
    select
        counted.observation_id,
        'duplicated_block' as rule,
        'blocked' as grade,
        'expected a figure of its own, found ' || {{ short_number('exp(counted.log_value)') }} || ', which city ' || counted.twin_city_id
        || ' has too, in ' || counted.n_years || ' years nearby' as detail,
        cast(null as double) as proposed_value
    from counted
    left join corroborated on counted.observation_id = corroborated.observation_id
    where counted.n_years >= 2 and counted.n_shared_digits >= counted.min_digits and not coalesce(corroborated.is_confirmed, false)
    qualify row_number() over (partition by counted.observation_id order by counted.n_years desc, counted.twin_city_id asc) = 1
)

select * from final
