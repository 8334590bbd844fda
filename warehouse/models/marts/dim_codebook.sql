-- grain: one row is an indicator of the catalog with what this landing holds of it
-- key: indicator_id
with source_spans as (
    select
        indicator_id,
        source_id,
        min("year") as first_year,
        max("year") as last_year,
        sum(n_cities_current) as n_current
    from {{ ref('fct_coverage') }}
    where n_cities_taken > 0
    group by indicator_id, source_id
),

sources as (
    select
        indicator_id,
        string_agg(
            source_id || ' ' || first_year || '-' || last_year || ' (' || n_current || ' current)', '; '
            order by n_current desc, source_id asc
        ) as sources
    from source_spans
    group by indicator_id
),

held as (
    select
        indicator_id,
        min("year") as first_year,
        max("year") as last_year,
        count(*) as n_values,
        count(distinct city_id) as n_cities,
        count(*) filter (where quality_flag = 'quarantined') as n_quarantined,
        min("value") as smallest_value,
        max("value") as largest_value
    from {{ ref('int_values_current') }}
    group by indicator_id
),

-- of the cities that there were in a year, from the first year of the indicator to its last
expected as (
    select
        held.indicator_id,
        sum(greatest(
            least(held.last_year, coalesce(cities.valid_to_year, held.last_year)) - greatest(held.first_year, cities.valid_from_year) + 1, 0
        )) as n_expected
    from held
    cross join {{ ref('dim_city') }} as cities
    group by held.indicator_id
),

-- after what the definition says, each change of it with its document
revisions as (
    select
        catalog.indicator_id,
        string_agg(
            revisions.change_en || ' (' || revisions.document || ')', ' '
            order by revisions.first_year, revisions.revision_id
        ) as changes_en,
        string_agg(
            revisions.change_zh || '（' || revisions.document || '）', ''
            order by revisions.first_year, revisions.revision_id
        ) as changes_zh
    from {{ ref('indicator_catalog') }} as catalog
    inner join {{ ref('statistical_revisions') }} as revisions
        on len(list_filter(string_split(revisions.indicators, ' '), lambda pattern: catalog.indicator_id glob pattern)) > 0
    group by catalog.indicator_id
)

select
    cast(catalog.indicator_id as varchar) as indicator_id,
    cast(catalog.label_en as varchar) as label_en,
    cast(catalog.label_zh as varchar) as label_zh,
    cast(definitions.definition_en || coalesce(' ' || revisions.changes_en, '') as varchar) as definition_en,
    cast(definitions.definition_zh || coalesce(revisions.changes_zh, '') as varchar) as definition_zh,
    cast(catalog.canonical_unit as varchar) as unit,
    cast(catalog.kind as varchar) as kind,
    cast(catalog.place_level as varchar) as place_level,
    cast(catalog.min_value as double) as lowest_possible,
    cast(catalog.max_value as double) as highest_possible,
    cast(held.smallest_value as double) as smallest_value,
    cast(held.largest_value as double) as largest_value,
    cast(sources.sources as varchar) as sources,
    cast(held.n_values as integer) as n_values,
    cast(held.n_cities as integer) as n_cities,
    cast(held.n_quarantined as integer) as n_quarantined,
    cast(case when catalog.place_level = 'city' then greatest(expected.n_expected - held.n_values, 0) end as integer) as n_missing,
    cast(held.first_year as integer) as first_year,
    cast(held.last_year as integer) as last_year
from {{ ref('indicator_catalog') }} as catalog
left join {{ ref('indicator_definitions') }} as definitions on catalog.indicator_id = definitions.indicator_id
left join held on catalog.indicator_id = held.indicator_id
left join expected on catalog.indicator_id = expected.indicator_id
left join sources on catalog.indicator_id = sources.indicator_id
left join revisions on catalog.indicator_id = revisions.indicator_id
