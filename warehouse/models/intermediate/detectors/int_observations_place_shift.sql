-- grain: one row is one value of a source whose codes or names stand beside the rows of their neighbours, in all its years or many
-- key: observation_id
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
    inner join shifted
        on
            compared.series_no = shifted.series_no
            and compared.other_source_id = shifted.other_source_id
            and compared.city_id = shifted.city_id
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
    group by suspects.series_no, suspects.other_source_id, suspects.place_order, suspects.k, suspects.city_id
),

centres as (
    select
        series_no,
        other_source_id,
        place_order,
        k,
        {{ exact_median('own_ratio') }} as own_centre,
        {{ exact_median('other_ratio') }} as other_centre
    from ratios
    group by series_no, other_source_id, place_order, k
),

-- by how much worse each city fits in the one source than in the other, in whole ten-thousandths so that sums keep no order
misfits as (
    select
        ratios.series_no,
        ratios.other_source_id,
        ratios.place_order,
        ratios.k,
        cast(
            round(10000 * (pow(ratios.own_ratio - centres.own_centre, 2) - pow(ratios.other_ratio - centres.other_centre, 2))) as bigint
        ) as misfit
    from ratios
    inner join centres
        on
            ratios.series_no = centres.series_no
            and ratios.other_source_id = centres.other_source_id
            and ratios.place_order = centres.place_order
            and ratios.k = centres.k
),

-- the t statistic of these differences over the cities
fits as (
    select
        series_no,
        other_source_id,
        place_order,
        k,
        sum(misfit) / nullif(sqrt(sum(misfit * misfit)), 0) as t_statistic
    from misfits
    group by series_no, other_source_id, place_order, k
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
    left join fits
        on
            suspects.series_no = fits.series_no
            and suspects.other_source_id = fits.other_source_id
            and suspects.place_order = fits.place_order
            and suspects.k = fits.k
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
