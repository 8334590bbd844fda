-- grain: one row is one value of a source whose codes or names stand beside the rows of their neighbours, in all its years or many
-- key: observation_id
{% set shift_keys = ['series_no', 'other_source_id', 'place_order', 'k'] -%}
{% set shift = shift_keys | join(', ') -%}

with compared as (
    select * from {{ ref('int_values_compared') }}
),

trends as (
    select * from {{ ref('int_trends_delivered') }}
),

corroborated as (
    select * from {{ ref('int_values_corroborated') }}
),

shifted as (
    select * from {{ ref('int_places_shifted') }}
),

limits as (
    select
        indicator_id,
        limits['source.differs'] as differs_by,
        limits['place_shift.fit'] as fit_at
    from {{ ref('int_indicator_limits') }}
),

suspects as (
    select
        compared.*,
        limits.fit_at,
        shifted.k,
        shifted.place_order,
        shifted.giver_city_id,
        shifted.n_cities
    from compared
    inner join limits on compared.indicator_id = limits.indicator_id
    inner join shifted on {{ same_pair('compared', 'shifted') }}
    where abs(compared.gap) > limits.differs_by
),

-- which of the two sources is shifted when nobody else knows: the one whose figures fit worse what other sources say of the size of the
-- same places (population, or product where population itself is judged)
sizes as (
    select
        source_id,
        city_id,
        "year",
        indicator_id = 'gdp_nominal_cny_100m' as is_product,
        {{ exact_median('log_value') }} as log_size
    from trends
    where indicator_id in ('population_registered_10k', 'population_resident_10k', 'gdp_nominal_cny_100m')
    group by all
),

ratios as (
    select
        suspects.series_no,
        suspects.other_source_id,
        suspects.place_order,
        suspects.k,
        suspects.city_id,
        {{ exact_median('suspects.log_value - sizes.log_size') }} as own_ratio,
        {{ exact_median('suspects.other_log_value - sizes.log_size') }} as other_ratio
    from suspects
    inner join sizes
        on
            suspects.city_id = sizes.city_id
            and suspects."year" = sizes."year"
            and suspects.source_id <> sizes.source_id
            and suspects.other_source_id <> sizes.source_id
            and sizes.is_product = (suspects.indicator_id like 'population%')
    group by all
),

-- by how much worse each city fits in the one source than in the other, in whole ten-thousandths so that sums keep no order
misfits as (
    select
        {{ shift }},
        cast(
            round(
                10000 * (
                    pow(own_ratio - median(own_ratio) over same_shift, 2) - pow(other_ratio - median(other_ratio) over same_shift, 2)
                )
            ) as bigint
        ) as misfit
    from ratios
    window same_shift as (partition by {{ shift }})
),

-- the t statistic of these differences over the cities
fits as (
    select
        {{ shift }},
        sum(misfit) / nullif(sqrt(sum(misfit * misfit)), 0) as t_statistic
    from misfits
    group by {{ shift }}
),

judged as (
    select
        suspects.*,
        case
            when corroborated.weight_equal > corroborated.weight_against then null
            when corroborated.n_agreeing >= 1 then 'blocked'
            when fits.t_statistic >= suspects.fit_at then 'blocked'
            when fits.t_statistic <= -suspects.fit_at then null
            else 'quarantined'
        end as grade
    from suspects
    inner join corroborated on suspects.observation_id = corroborated.observation_id
    left join fits on {{ same_keys('suspects', 'fits', shift_keys) }}
),

final as (
    select
        observation_id,
        'row_shift' as rule,
        grade,
        'expected ' || {{ short_number('exp(other_log_value)') }} || ' as in ' || other_source_id || ', found '
        || {{ short_number('exp(log_value)') }} || ', which that source has for city ' || giver_city_id || ', ' || abs(k) || ' row(s) '
        || case when k > 0 then 'on' else 'back' end || ', in ' || n_cities || ' cities over the years: the codes are shifted' as detail,
        exp(other_log_value) as proposed_value
    from judged
    where grade is not null
    qualify row_number() over (partition by observation_id order by grade asc, n_cities desc, other_source_id asc) = 1
)

select * from final
