-- grain: one row in all, the study window cut to the years of the landing
-- key: none; the table has one row
with requested as (
    select
        {{ window_first_year() }} as first_year,
        {{ window_last_year() }} as last_year
),

span as (
    select
        min("year") as span_first_year,
        max("year") as span_last_year
    from {{ ref('int_values_current') }}
    where place_level = 'city'
),

cut as (
    select
        span.span_first_year,
        span.span_last_year,
        greatest(requested.first_year, span.span_first_year) as first_year,
        least(requested.last_year, span.span_last_year) as last_year
    from span
    cross join requested
)

-- fewer than 8 years are too few for a cycle: then the window is the whole landing
select
    cast(case when last_year - first_year + 1 < 8 then span_first_year else first_year end as integer) as window_first_year,
    cast(case when last_year - first_year + 1 < 8 then span_last_year else last_year end as integer) as window_last_year
from cut
