-- grain: one row is one value outside the catalog's plausible range, or one of a delivered row that holds nothing but zeros
-- key: observation_id
with observations as (
    select * from {{ ref('int_observations_corrected') }}
),

catalog as (
    select * from {{ ref('indicator_catalog') }}
),

-- two cells may both be true zeros (mining and fishing in an inland city); three or more are an unfilled row
zero_rows as (
    select
        source_id,
        edition_year,
        file_name,
        sheet_name,
        row_no
    from observations
    where row_no is not null
    group by source_id, edition_year, file_name, sheet_name, row_no
    having count(*) >= 3 and max(abs("value")) = 0
),

in_zero_rows as (
    select
        observations.observation_id,
        'structure' as rule,
        'blocked' as grade,
        'expected values, found nothing but zeros in the row' as detail,
        cast(null as double) as proposed_value
    from observations
    inner join zero_rows
        on
            observations.source_id = zero_rows.source_id
            and observations.edition_year is not distinct from zero_rows.edition_year
            and observations.file_name = zero_rows.file_name
            and observations.sheet_name is not distinct from zero_rows.sheet_name
            and observations.row_no = zero_rows.row_no
),

out_of_range as (
    select
        observations.observation_id,
        'structure' as rule,
        'warned' as grade,
        'expected ' || coalesce(cast(catalog.min_value as varchar), 'anything') || ' to '
        || coalesce(cast(catalog.max_value as varchar), 'anything') || ' ' || catalog.canonical_unit
        || ', found ' || observations."value" as detail,
        cast(null as double) as proposed_value
    from observations
    inner join catalog on observations.indicator_id = catalog.indicator_id
    where observations."value" < catalog.min_value or observations."value" > catalog.max_value
),

final as (
    select * from in_zero_rows
    union all
    select * from out_of_range
    where observation_id not in (select observation_id from in_zero_rows)
)

select * from final
