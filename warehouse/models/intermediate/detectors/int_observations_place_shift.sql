-- grain: one row is one value of a source whose codes or names stand beside the rows of their neighbours, in all its years or many
-- key: observation_id
{% set shift_keys = ['series_no', 'other_source_id'] -%}
{% set shift = shift_keys | join(', ') -%}
{% set side = 'case when suspects.source_id < suspects.other_source_id then 1 else -1 end' -%}

with compared as (
    select * from {{ ref('int_values_compared') }}
),

trends as (
    select * from {{ ref('int_trends_delivered') }}
),

corroborated as (
    select * from {{ ref('int_values_corroborated') }}
),

-- those that agree with the source on the other side of the shift, not with anybody: two that are of another vintage than both say nothing
-- about which of the two is shifted
witnessed as (
    select
        observation_id,
        other_source_id,
        n_agreeing,
        count(*) over (partition by observation_id) as n_witnesses
    from {{ ref('int_values_witnessed') }}
),

shifted as (
    select * from {{ ref('int_places_shifted') }}
),

catalog as (
    select
        indicator_id,
        kind
    from {{ ref('indicator_catalog') }}
),

limits as (
    select
        indicator_id,
        limits['source.differs'] as differs_by,
        limits['place_shift.fit'] as fit_at,
        limits['place_shift.told_share'] as told_share
    from {{ ref('int_indicator_limits') }}
),

suspects as (
    select
        compared.*,
        limits.fit_at,
        limits.told_share,
        witnessed.n_agreeing >= 1 as is_told_against,
        witnessed.n_witnesses >= 2 as is_asked,
        corroborated.weight_equal > corroborated.weight_against as is_confirmed,
        shifted.k,
        shifted.place_order,
        shifted.giver_city_id,
        shifted.n_cities
    from compared
    inner join limits on compared.indicator_id = limits.indicator_id
    inner join shifted on {{ same_pair('compared', 'shifted') }}
    inner join corroborated on compared.observation_id = corroborated.observation_id
    inner join witnessed
        on compared.observation_id = witnessed.observation_id and compared.other_source_id = witnessed.other_source_id
    where abs(compared.gap) > limits.differs_by
),

-- a shift is one fact, and so is whose it is: what most values say for which there are further sources. A single one that agrees says
-- little, since a neighbour may be of like size
told as (
    select
        {{ shift }},
        count(*) filter (where is_asked and is_confirmed) as n_for,
        count(*) filter (where is_asked and is_told_against and not is_confirmed) as n_against,
        count(*) filter (where is_asked) * any_value(told_share) as n_needed
    from suspects
    group by {{ shift }}
),

-- which of the two sources is shifted when nobody else knows: the one whose figures fit worse what other sources say of the size of the
-- same places (population, or product where population itself is judged). What is per head or per area has no size
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
        suspects.source_id,
        suspects.other_source_id,
        suspects.indicator_id,
        suspects.city_id,
        {{ exact_median('suspects.log_value - sizes.log_size') }} as own_ratio,
        {{ exact_median('suspects.other_log_value - sizes.log_size') }} as other_ratio
    from suspects
    inner join catalog on suspects.indicator_id = catalog.indicator_id
    inner join sizes
        on
            suspects.city_id = sizes.city_id
            and suspects."year" = sizes."year"
            and suspects.source_id <> sizes.source_id
            and suspects.other_source_id <> sizes.source_id
            and sizes.is_product = (suspects.indicator_id like 'population%')
    where
        catalog.kind in ('level', 'flow')
        and suspects.indicator_id not like '%per_capita%'
        and suspects.indicator_id not like 'wage_avg%'
    group by all
),

-- by how much worse each city fits in the one source than in the other; distances, not their squares, which a few odd cities would decide
misfits as (
    select
        source_id,
        other_source_id,
        city_id,
        abs(own_ratio - median(own_ratio) over same_figures) - abs(other_ratio - median(other_ratio) over same_figures) as misfit
    from ratios
    window same_figures as (partition by source_id, other_source_id, indicator_id)
),

-- all that the two sources have shifted speaks together, from either side; in whole ten-thousandths so that sums keep no order
city_misfits as (
    select
        least(source_id, other_source_id) as first_source_id,
        greatest(source_id, other_source_id) as second_source_id,
        city_id,
        cast(round(10000 * avg(round(case when source_id < other_source_id then misfit else -misfit end, 9))) as bigint) as misfit
    from misfits
    group by least(source_id, other_source_id), greatest(source_id, other_source_id), city_id
),

-- the t statistic of these differences over the cities
fits as (
    select
        first_source_id,
        second_source_id,
        sum(misfit) / nullif(sqrt(sum(misfit * misfit)), 0) as t_statistic
    from city_misfits
    group by first_source_id, second_source_id
),

judged as (
    select
        suspects.*,
        case
            when suspects.is_confirmed then null
            when told.n_against > 0 and told.n_against >= told.n_needed then 'blocked'
            when told.n_for > 0 and told.n_for >= told.n_needed then null
            when fits.t_statistic * {{ side }} >= suspects.fit_at then 'blocked'
            when fits.t_statistic * {{ side }} <= -suspects.fit_at then null
            else 'quarantined'
        end as grade
    from suspects
    inner join told on {{ same_keys('suspects', 'told', shift_keys) }}
    left join fits
        on
            least(suspects.source_id, suspects.other_source_id) = fits.first_source_id
            and greatest(suspects.source_id, suspects.other_source_id) = fits.second_source_id
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
