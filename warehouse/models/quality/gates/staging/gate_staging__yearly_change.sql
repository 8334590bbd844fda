-- grain: one row is a level or flow of a source in a year in which at least 20 cities have this year and the one before
-- key: source_id, indicator_id, year
with positive as (
    select
        observations.source_id,
        observations.indicator_id,
        observations.edition_year,
        observations.file_name,
        observations.city_id,
        observations."year",
        ln(observations."value") as log_value
    from {{ ref('int_raw_observations') }} as observations
    inner join {{ ref('indicator_catalog') }} as catalog on observations.indicator_id = catalog.indicator_id
    where catalog.kind in ('level', 'flow') and observations."value" > 0 and observations.place_level = 'city'
),

changes as (
    select
        source_id,
        indicator_id,
        "year",
        log_value - lag(log_value) over city_years as change,
        "year" - lag("year") over city_years as gap
    from positive
    window city_years as (partition by source_id, edition_year, file_name, indicator_id, city_id order by "year")
)

select
    source_id,
    indicator_id,
    "year",
    count(*) as n_changes,
    {{ exact_median('change') }} as median_log_change,
    avg(cast(abs(change) > 0.5 as integer)) as jump_share
from changes
where gap = 1
group by source_id, indicator_id, "year"
having count(*) >= 20
order by source_id, indicator_id, "year"
