-- grain: one row is a city of a series and another source that has its figures, over the years, one to three rows away, as it has those of
-- several cities at the same distance: the codes or names of one of the two are shifted; then also cities whose figures it has further away
-- key: series_no, other_source_id, city_id
with compared as (
    select * from {{ ref('int_values_compared') }}
),

trends as (
    select * from {{ ref('int_trends_delivered') }}
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
        limits['place_shift.min_cities'] as min_cities
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
        partition by series_no, other_source_id, city_id order by n_cities desc, abs(k) asc, place_order asc, giver_city_id asc
    ) = 1
),

-- where two sources are shifted, a city whose figures the other has elsewhere belongs to it at any distance: at the end of a block, or
-- where the file lists other cities in other years
shifted_series as (
    select
        series_no,
        other_source_id,
        max(n_cities) as n_cities
    from shifted_cities
    group by series_no, other_source_id
),

further_cities as (
    select
        contradicted.series_no,
        contradicted.indicator_id,
        contradicted.other_source_id,
        contradicted.city_id,
        there.city_id as giver_city_id,
        'code' as place_order,
        giver.code_place - here.code_place as k,
        any_value(shifted_series.n_cities) as n_cities,
        count(distinct contradicted."year") as n_years
    from contradicted
    inner join shifted_series
        on contradicted.series_no = shifted_series.series_no and contradicted.other_source_id = shifted_series.other_source_id
    left join shifted_cities on {{ same_pair('contradicted', 'shifted_cities') }}
    inner join trends as there
        on
            contradicted.other_series_no = there.series_no
            and contradicted."year" = there."year"
            and contradicted.city_id <> there.city_id
    inner join placed as here on contradicted.series_no = here.series_no and contradicted.city_id = here.city_id
    inner join placed as giver on contradicted.series_no = giver.series_no and there.city_id = giver.city_id
    where shifted_cities.city_id is null and abs(contradicted.log_value - there.log_value) <= contradicted.equal_within
    group by
        contradicted.series_no, contradicted.indicator_id, contradicted.other_source_id, contradicted.city_id, there.city_id,
        here.code_place, giver.code_place
    having
        count(distinct contradicted."year")
        >= greatest(any_value(contradicted.min_years), any_value(contradicted.min_share) * any_value(contradicted.n_contradicted))
    qualify row_number() over (
        partition by contradicted.series_no, contradicted.other_source_id, contradicted.city_id
        order by count(distinct contradicted."year") desc, there.city_id asc
    ) = 1
),

final as (
    select
        series_no,
        indicator_id,
        other_source_id,
        city_id,
        giver_city_id,
        place_order,
        k,
        n_cities
    from shifted_cities
    union all
    select * exclude (n_years) from further_cities
)

select * from final
