-- grain: one row is one value in a row whose code is shifted that nobody else has: it stands under another code with all its cells
-- key: observation_id
with observations as (
    select * from {{ ref('int_observations_corrected') }}
    where place_level = 'city'
),

compared as (
    select * from {{ ref('int_values_compared') }}
),

corroborated as (
    select * from {{ ref('int_values_corroborated') }}
),

shifted as (
    select * from {{ ref('int_observations_place_shift') }}
),

limits as (
    select
        indicator_id,
        limits['place_shift.min_years'] as min_cells,
        limits['place_shift.min_share'] as min_share
    from {{ ref('int_indicator_limits') }}
),

with_witness as (
    select distinct observation_id from compared
),

-- told by the cells of a city in one file that others have too
city_rows as (
    select
        observations.source_id,
        observations.edition_year,
        observations.file_name,
        observations.city_id,
        count(*) filter (where shifted.grade = 'blocked') as n_shifted,
        count(*) as n_compared
    from observations
    inner join with_witness on observations.observation_id = with_witness.observation_id
    left join shifted on observations.observation_id = shifted.observation_id
    group by observations.source_id, observations.edition_year, observations.file_name, observations.city_id
),

final as (
    select
        observations.observation_id,
        'row_shift' as rule,
        'blocked' as grade,
        'expected a figure of the city, found ' || {{ short_number('observations."value"') }} || ' in a row whose code is shifted: '
        || city_rows.n_shifted || ' of its ' || city_rows.n_compared
        || ' cells in this file that others have too are another city''s' as detail,
        cast(null as double) as proposed_value
    from observations
    inner join city_rows
        on
            observations.source_id = city_rows.source_id
            and observations.edition_year is not distinct from city_rows.edition_year
            and observations.file_name = city_rows.file_name
            and observations.city_id = city_rows.city_id
    inner join limits on observations.indicator_id = limits.indicator_id
    left join corroborated on observations.observation_id = corroborated.observation_id
    left join shifted on observations.observation_id = shifted.observation_id
    where
        city_rows.n_shifted >= limits.min_cells
        and city_rows.n_shifted >= limits.min_share * city_rows.n_compared
        and not coalesce(corroborated.is_confirmed, false)
        and shifted.observation_id is null
)

select * from final
