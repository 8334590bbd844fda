-- grain: one row is one value that was made and not measured
-- key: observation_id
-- the distance of each value from the middle of those before and after it, in parts of the value
with bent as (
    select
        series.*,
        observations.file_name,
        limits.constructed_exact,
        limits.constructed_evidence,
        observations.value_delivered as figure,
        length(rtrim(split_part(cast(figure as varchar), '.', 2), '0')) as n_decimals,
        -- what rounding leaves of a value, in parts of it: one of the last digit given here
        greatest(
            limits.constructed_exact,
            pow(10, -greatest(n_decimals, lag(n_decimals) over city_years, lead(n_decimals) over city_years)) / abs(figure)
        ) as rounding,
        lag(series."year") over city_years = series."year" - 1 and lead(series."year") over city_years = series."year" + 1 as is_between,
        (lag(figure) over city_years + lead(figure) over city_years) / (2 * figure) - 1 as steps_bend,
        (lag(series.log_value) over city_years + lead(series.log_value) over city_years) / 2 - series.log_value as growth_bend,
        -- steps that differ in the last digit were no steps of the figures: both ends were given, and what lies between was divided
        n_decimals <= 6 and abs(steps_bend * figure) > pow(10, -n_decimals) / 4 as is_divided,
        lead(series.log_value) over city_years - series.log_value as step,
        lag(series."year") over city_years is null as is_first,
        lead(series."year") over city_years is null as is_last
    from {{ ref('int_values_series') }} as series
    inner join {{ ref('int_indicator_limits') }} as limits
        on series.indicator_id = limits.indicator_id and limits.constructed_evidence is not null
    inner join {{ ref('int_observations_corrected') }} as observations on series.observation_id = observations.observation_id
    window city_years as (partition by series.series_no, series.city_id order by series."year")
),

on_line as (
    {% for line in ['steps', 'growth'] %}
        select
            *,
            '{{ line }}' as line,
            "year" - row_number() over (partition by series_no, city_id order by "year") as line_no
        from bent
        where is_between and abs({{ line }}_bend) <= rounding and abs(step) > 3 * rounding
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

-- values on a line one after the other. That each continues the last step by chance is the less likely the more a step is beside what
-- rounding leaves: ten times smaller is one digit of evidence
lines as (
    select
        series_no,
        city_id,
        line,
        bool_or(line = 'steps' and is_divided) as is_divided,
        min("year") - 1 as first_year,
        max("year") + 1 as last_year
    from on_line
    group by series_no, city_id, line, line_no
    having count(*) >= 2 and count(*) * min(log10(abs(step) / (3 * rounding))) >= any_value(constructed_evidence)
),

-- a line through years of which another column of the file has only some, and moves exactly as that one between them, was drawn from there
beside as (
    select
        *,
        ln("value") as log_value,
        lead("year") over city_years as next_year,
        lead(ln("value")) over city_years as next_log_value
    from {{ ref('int_observations_corrected') }}
    where place_level = 'city' and "value" > 0
    window city_years as (partition by indicator_id, source_id, file_name, city_id order by "year")
),

measured as (
    select bent.observation_id
    from bent
    inner join beside
        on
            {{ same_keys('bent', 'beside', ['file_name', 'city_id', '"year"']) }}
            and {{ publisher_of('bent.source_id') }} = beside.source_id
            and bent.indicator_id <> beside.indicator_id
            and beside.next_year > beside."year" + 1
    inner join bent as next_value
        on bent.series_no = next_value.series_no and bent.city_id = next_value.city_id and beside.next_year = next_value."year"
    where abs(next_value.log_value - bent.log_value - beside.next_log_value + beside.log_value) <= bent.constructed_exact
),

-- a rate that many cities of a province share, with how far the nearest figure of another source is from it
shared as (
    select
        series.*,
        limits.source_differs,
        count(*) over alike as n_alike,
        count(*) over (partition by series.series_no, series.province_id, series."year") as n_cities,
        (
            select min(abs(others.log_value - series.log_value))
            from {{ ref('int_values_series') }} as others
            where {{ same_keys('others', 'series', ['indicator_id', 'city_id', '"year"']) }} and others.source_id <> series.source_id
        ) as nearest
    from {{ ref('int_values_series') }} as series
    inner join {{ ref('int_indicator_limits') }} as limits
        on series.indicator_id = limits.indicator_id and limits.constructed_cities is not null
    window alike as (partition by series.series_no, series.province_id, series."year", round(series.log_value, 9))
    qualify
        n_alike >= greatest(limits.constructed_cities, limits.constructed_share * n_cities)
        and 2 * count(*) filter (where nearest > limits.source_differs) over alike >= greatest(count(nearest) over alike, 1)
)

select
    observation_id,
    'constructed' as rule,
    'quarantined' as grade,
    'expected a rate of the city, found ' || {{ short_figure('log_value', 'rate_unit') }} || '; ' || n_alike || ' of ' || n_cities
    || ' cities of the province have it, and others have other figures for most of them' as detail
from shared
where coalesce(nearest > source_differs, true)
union all
-- what stands at an end of a line was measured, unless the line goes on to the end of the series
select
    bent.observation_id,
    'constructed' as rule,
    'quarantined' as grade,
    'expected a measured figure, found ' || {{ short_number('exp(bent.log_value)') }} || ' on an exact line from ' || lines.first_year
    || ' to ' || lines.last_year || case when lines.line = 'steps' then ', of equal steps' else ', of equal growth' end as detail
from lines
inner join bent
    on
        lines.series_no = bent.series_no
        and lines.city_id = bent.city_id
        and bent."year" between lines.first_year and lines.last_year
where
    (
        bent."year" not in (lines.first_year, lines.last_year)
        or ((bent.is_first or bent.is_last) and not lines.is_divided)
    )
    and bent.observation_id not in (select measured.observation_id from measured)
qualify row_number() over (partition by bent.observation_id order by lines.line desc, lines.first_year asc) = 1
