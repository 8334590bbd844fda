-- grain: one row is a level or flow of an edition of a source: its newest year beside the newest year of the edition before, over the
-- cities that both editions have; files without an edition come before all editions
-- key: source_id, indicator_id, edition_year
with newest_values as (
    select
        observations.source_id,
        observations.indicator_id,
        coalesce(observations.edition_year, 0) as edition_year,
        observations.city_id,
        ln(observations."value") as log_value
    from {{ ref('int_raw_observations') }} as observations
    inner join {{ ref('indicator_catalog') }} as catalog on observations.indicator_id = catalog.indicator_id
    where
        catalog.kind in ('level', 'flow')
        and observations."value" > 0
        and observations.place_level = 'city'
    qualify observations."year" = max(observations."year") over (
        partition by observations.source_id, observations.indicator_id, observations.edition_year
    )
),

newest as (
    select
        source_id,
        indicator_id,
        edition_year,
        city_id,
        {{ exact_median('log_value') }} as log_value
    from newest_values
    group by source_id, indicator_id, edition_year, city_id
),

delivered_editions as (
    select distinct
        source_id,
        indicator_id,
        edition_year
    from newest
),

editions as (
    select
        *,
        lag(edition_year) over (partition by source_id, indicator_id order by edition_year) as edition_before
    from delivered_editions
),

paired as (
    select
        editions.source_id,
        editions.indicator_id,
        editions.edition_year,
        list(later.log_value order by later.city_id) as new_logs,
        list(earlier.log_value order by later.city_id) as old_logs
    from editions
    inner join newest as later
        on
            editions.source_id = later.source_id
            and editions.indicator_id = later.indicator_id
            and editions.edition_year = later.edition_year
    inner join newest as earlier
        on
            editions.source_id = earlier.source_id
            and editions.indicator_id = earlier.indicator_id
            and editions.edition_before = earlier.edition_year
            and later.city_id = earlier.city_id
    group by editions.source_id, editions.indicator_id, editions.edition_year
),

-- with fewer than 20 cities in common the editions are not compared
moments as (
    select
        *,
        len(new_logs) as n_cities,
        list_avg(new_logs) as new_mean,
        list_avg(old_logs) as old_mean,
        list_stddev_pop(new_logs) as new_spread,
        list_stddev_pop(old_logs) as old_spread
    from paired
    where len(new_logs) >= 20
),

correlated as (
    select
        source_id,
        indicator_id,
        edition_year,
        n_cities,
        round(new_spread / nullif(old_spread, 0), 6) as spread_ratio,
        round(
            list_sum(list_transform(list_zip(new_logs, old_logs), lambda pair: (pair[1] - new_mean) * (pair[2] - old_mean)))
            / nullif(n_cities * new_spread * old_spread, 0),
            6
        ) as correlation,
        list_median(list_transform(list_zip(new_logs, old_logs), lambda pair: abs(pair[1] - pair[2]))) as median_abs_difference
    from moments
)

-- few cities stop nothing
select
    *,
    case when n_cities >= 50 then correlation end as correlation_large
from correlated
order by source_id, indicator_id, edition_year
