-- grain: one row is one value of a run of years that another source has under another city: two places with similar names exchanged
-- key: observation_id
with compared as (
    select * from {{ ref('int_values_compared') }}
),

trends as (
    select * from {{ ref('int_trends_delivered') }}
),

shifted as (
    select * from {{ ref('int_places_shifted') }}
),

limits as (
    select
        indicator_id,
        limits['source.equal'] as equal_within,
        limits['mixed_up.min_years'] as min_years,
        limits['mixed_up.left_share'] as left_share,
        limits['mixed_up.noise_ratio'] as noise_ratio,
        limits['mixed_up.apart'] as apart_by,
        limits['mixed_up.apart_across'] as apart_across
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
    where abs(compared.gap) > 2 * limits.equal_within
),

scaled as (
    select
        trends.*,
        cast(round(trends.log_value / limits.equal_within) as integer) as place_on_scale
    from trends
    inner join limits on trends.indicator_id = limits.indicator_id
),

-- among hundreds of cities equal figures by chance are common, but not for the same two cities over years
pairs as (
    select
        contradicted.series_no,
        contradicted.other_source_id,
        least(contradicted.city_id, scaled.city_id) as city_id,
        greatest(contradicted.city_id, scaled.city_id) as partner_city_id
    from contradicted
    inner join scaled
        on
            contradicted.other_series_no = scaled.series_no
            and contradicted."year" = scaled."year"
            and contradicted.place_on_scale = scaled.place_on_scale
            and contradicted.city_id <> scaled.city_id
    where abs(contradicted.log_value - scaled.log_value) <= contradicted.equal_within
    group by all
    having count(distinct contradicted."year") >= any_value(contradicted.min_years)
),

-- in some years the sources are of different vintages: then the exchanged figures are not equal, but far closer than each to its own city
distances as (
    select
        pairs.*,
        here."year",
        limits.* exclude (indicator_id),
        abs(here.gap) + abs(there.gap) as own_distance,
        abs(here.log_value - there.other_log_value) as here_to_there,
        abs(there.log_value - here.other_log_value) as there_to_here,
        [abs(here.step_before), abs(there.step_before)] as steps_before,
        [abs(here.step_after), abs(there.step_after)] as steps_after,
        [abs(here.other_step_before), abs(there.other_step_before)] as other_steps_before,
        [abs(here.other_step_after), abs(there.other_step_after)] as other_steps_after
    from pairs
    inner join compared as here
        on
            pairs.series_no = here.series_no
            and pairs.other_source_id = here.other_source_id
            and pairs.city_id = here.city_id
    inner join compared as there
        on
            pairs.series_no = there.series_no
            and pairs.other_source_id = there.other_source_id
            and pairs.partner_city_id = there.city_id
            and here."year" = there."year"
    inner join limits on here.indicator_id = limits.indicator_id
),

-- a year in which the two cities have the same figure shows nothing and ends no run; the same holds for a year whose figures are of
-- another vintage and still closer to the other city's
judged as (
    select
        *,
        here_to_there + there_to_here <= left_share * own_distance as is_exchanged,
        least(here_to_there, there_to_here) <= equal_within as is_exact
    from distances
    where
        greatest(own_distance, here_to_there + there_to_here) > 2 * equal_within
        and (
            here_to_there + there_to_here <= left_share * own_distance
            or own_distance <= here_to_there + there_to_here
        )
),

numbered as (
    select
        *,
        {{ run_number('is_exchanged', keys='series_no, other_source_id, city_id, partner_city_id') }} as run_no
    from judged
    window pair_years as (partition by series_no, other_source_id, city_id, partner_city_id order by "year")
),

run_years as (
    select
        *,
        min("year") over run as first_year,
        max("year") over run as last_year
    from numbered
    where is_exchanged
    window run as (partition by series_no, other_source_id, city_id, partner_city_id, run_no)
),

-- of two sources that disagree, the wrong one leaves the trends of both cities at the beginning and at the end of the run
runs as (
    select
        series_no,
        other_source_id,
        city_id,
        partner_city_id,
        first_year,
        last_year,
        list("year" order by "year") as exchanged_years,
        count(*) as n_years,
        list_avg(
            list_concat(
                any_value(steps_before) filter (where "year" = first_year), any_value(steps_after) filter (where "year" = last_year)
            )
        ) as own_noise,
        list_avg(
            list_concat(
                any_value(other_steps_before) filter (where "year" = first_year),
                any_value(other_steps_after) filter (where "year" = last_year)
            )
        ) as other_noise,
        any_value(noise_ratio) as noise_ratio,
        any_value(equal_within) as equal_within
    from run_years
    group by series_no, other_source_id, city_id, partner_city_id, run_no, first_year, last_year
    having
        count(*) filter (where is_exact) >= any_value(min_years)
        -- figures that are nearly alike crosswise are nothing in common; least of all those of two provinces, which have no file order,
        -- no name and no border that would exchange them
        and median(own_distance) >= any_value(case when city_id // 10000 = partner_city_id // 10000 then apart_by else apart_across end)
),

cities_of_runs as (
    select
        *,
        city_id as flagged_city_id,
        partner_city_id as owner_city_id
    from runs
    union all
    select
        *,
        partner_city_id as flagged_city_id,
        city_id as owner_city_id
    from runs
),

-- further sources that stand nearer to the value than to what the witness has, and those that do not
third_sources as (
    select
        compared.observation_id,
        compared.other_source_id,
        count(*) filter (where abs(third.gap) < abs(third.other_log_value - compared.other_log_value)) as n_for,
        count(*) filter (where abs(third.gap) > abs(third.other_log_value - compared.other_log_value)) as n_against
    from compared
    inner join limits on compared.indicator_id = limits.indicator_id
    inner join compared as third
        on compared.observation_id = third.observation_id and compared.other_source_id <> third.other_source_id
    where abs(compared.gap) > 2 * limits.equal_within
    group by compared.observation_id, compared.other_source_id
),

final as (
    select
        compared.observation_id,
        'swap' as rule,
        {{ grade_of_the_mover('cities_of_runs.own_noise', 'cities_of_runs.other_noise', 'cities_of_runs.noise_ratio') }} as grade,
        'expected ' || {{ short_number('exp(compared.other_log_value)') }} || ' as in ' || compared.other_source_id || ', found '
        || {{ short_number('exp(compared.log_value)') }} || ', which that source has for city ' || cities_of_runs.owner_city_id
        || ', so in ' || cities_of_runs.n_years || ' years from ' || cities_of_runs.first_year || ' to ' || cities_of_runs.last_year
            as detail,
        exp(compared.other_log_value) as proposed_value
    from cities_of_runs
    inner join compared
        on
            cities_of_runs.series_no = compared.series_no
            and cities_of_runs.other_source_id = compared.other_source_id
            and cities_of_runs.flagged_city_id = compared.city_id
            and list_contains(cities_of_runs.exchanged_years, compared."year")
    left join third_sources
        on
            compared.observation_id = third_sources.observation_id
            and compared.other_source_id = third_sources.other_source_id
    left join shifted on {{ same_pair('compared', 'shifted') }}
    where
        shifted.city_id is null
        and coalesce(third_sources.n_for, 0) <= coalesce(third_sources.n_against, 0)
        and grade is not null
    qualify row_number() over (
        partition by compared.observation_id
        order by grade asc, cities_of_runs.n_years desc, cities_of_runs.owner_city_id asc, cities_of_runs.other_source_id asc
    ) = 1
)

select * from final
