-- grain: one row is a place named in a list of another pilot programme
-- key: policy, batch, city_id, unit_zh, scope
with dated as (
    select
        *,
        cast(document_date as date) as issued_date
    from {{ ref('other_policies') }}
)

select
    cast(policy as varchar) as policy,
    cast(batch as integer) as batch,
    cast(city_id as integer) as city_id,
    cast(unit_zh as varchar) as unit_zh,
    cast(scope as varchar) as scope,
    -- a county-level unit does not treat its prefecture; an area inside the city, such as a free trade zone, does
    coalesce(scope <> 'county', false) as covers_city,
    cast(document_no as varchar) as document_no,
    cast(is_verified as boolean) as is_verified,
    cast(evidence as varchar) as evidence,
    issued_date as document_date,
    {{ treated_year('issued_date', 'second_half_next_year') }} as treated_year,
    {{ treated_year('issued_date', 'calendar_year') }} as treated_year_calendar_year
from dated
