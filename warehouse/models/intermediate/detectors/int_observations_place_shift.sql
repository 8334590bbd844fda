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

observations as (
    select
        observation_id,
        row_no
    from {{ ref('int_observations_corrected') }}
),

limits as (
    select
        indicator_id,
        limits['source.equal'] as equal_within,
        limits['source.differs'] as differs_by,
        limits['place_shift.min_years'] as min_years,
        limits['place_shift.min_share'] as min_share,
        limits['place_shift.min_cities'] as min_cities,
        limits['place_shift.fit_ratio'] as fit_ratio
    from {{ ref('int_indicator_limits') }}
    where limits['place_shift.min_years'] is not null
),

-- places in the order of codes, and in the order in which the source lists its cities
placed as (
    select
        trends.series_no,
        trends.city_id,
        row_number() over (partition by trends.series_no order by trends.city_id) as code_place,
        row_number() over (partition by trends.series_no order by min(observations.row_no), trends.city_id) as file_place
    from trends
    inner join observations on trends.observation_id = observations.observation_id
    group by trends.series_no, trends.city_id
),

contradicted as (
    select
        compared.*,
        limits.* exclude (indicator_id),
        witness.series_no as other_series_no,
        count(*) over (partition by compared.series_no, compared.other_source_id, compared.city_id) as n_contradicted
    from compared
    inner join limits on compared.indicator_id = limits.indicator_id
    inner join trends as witness on compared.other_observation_id = witness.observation_id
    where abs(compared.gap) > limits.differs_by
),

-- whose figures the witness has, over the years: a neighbour's, at the same distance for many cities, is a shift
givers as (
    select
        contradicted.series_no,
        contradicted.indicator_id,
        contradicted.other_source_id,
        contradicted.city_id,
        there.city_id as giver_city_id,
        giver.code_place - here.code_place as code_distance,
        giver.file_place - here.file_place as file_distance,
        any_value(contradicted.min_cities) as min_cities
    from contradicted
    inner join placed as here on contradicted.series_no = here.series_no and contradicted.city_id = here.city_id
    inner join placed as giver
        on
            contradicted.series_no = giver.series_no
            and (
                abs(giver.code_place - here.code_place) between 1 and 3
                or abs(giver.file_place - here.file_place) between 1 and 3
            )
    inner join trends as there
        on
            contradicted.other_series_no = there.series_no
            and contradicted."year" = there."year"
            and giver.city_id = there.city_id
    where abs(contradicted.log_value - there.log_value) <= contradicted.equal_within
    group by
        contradicted.series_no, contradicted.indicator_id, contradicted.other_source_id, contradicted.city_id, there.city_id,
        here.code_place, giver.code_place, here.file_place, giver.file_place
    having
        count(distinct contradicted."year")
        >= greatest(any_value(contradicted.min_years), any_value(contradicted.min_share) * any_value(contradicted.n_contradicted))
),

by_order as (
    select
        *,
        'code' as place_order,
        code_distance as k
    from givers
    union all
    select
        *,
        'file' as place_order,
        file_distance as k
    from givers
),

shifts as (
    select
        *,
        count(*) over (partition by series_no, other_source_id, place_order, k) as n_cities
    from by_order
    where abs(k) between 1 and 3
),

shifted_cities as (
    select *
    from shifts
    where n_cities >= min_cities
    qualify row_number() over (
        partition by series_no, other_source_id, city_id order by n_cities desc, abs(k) asc, place_order asc
    ) = 1
),

-- which of the two sources is shifted when nobody else knows: the one whose figures stand further from what other sources say of the size
-- of the same places (population, or product where population itself is judged)
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

suspects as (
    select
        contradicted.*,
        shifted_cities.k,
        shifted_cities.place_order,
        shifted_cities.giver_city_id,
        shifted_cities.n_cities
    from contradicted
    inner join shifted_cities
        on
            contradicted.series_no = shifted_cities.series_no
            and contradicted.other_source_id = shifted_cities.other_source_id
            and contradicted.city_id = shifted_cities.city_id
),

sized as (
    select
        suspects.observation_id,
        suspects.other_source_id,
        any_value(suspects.log_value) - {{ exact_median('sizes.log_size') }} as own_ratio,
        any_value(suspects.other_log_value) - {{ exact_median('sizes.log_size') }} as other_ratio
    from suspects
    inner join sizes
        on
            suspects.city_id = sizes.city_id
            and suspects."year" = sizes."year"
            and suspects.source_id <> sizes.source_id
            and suspects.other_source_id <> sizes.source_id
            and sizes.is_product = (suspects.indicator_id like 'population%')
    group by suspects.observation_id, suspects.other_source_id
),

fits as (
    select
        suspects.series_no,
        suspects.other_source_id,
        suspects.place_order,
        suspects.k,
        mad(sized.own_ratio) as own_misfit,
        mad(sized.other_ratio) as other_misfit
    from suspects
    inner join sized on suspects.observation_id = sized.observation_id and suspects.other_source_id = sized.other_source_id
    group by suspects.series_no, suspects.other_source_id, suspects.place_order, suspects.k
),

judged as (
    select
        suspects.*,
        case
            when corroborated.weight_equal > corroborated.weight_against then null
            when corroborated.n_agreeing >= 1 then 'blocked'
            when fits.own_misfit > suspects.fit_ratio * fits.other_misfit then 'blocked'
            when fits.other_misfit > suspects.fit_ratio * fits.own_misfit then null
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
