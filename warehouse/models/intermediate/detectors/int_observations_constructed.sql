-- grain: one row is one value that was made and not measured: it lies on an exact line with the years beside it, of equal steps or of equal
-- growth, as what is interpolated or extrapolated does
-- key: observation_id
with observations as (
    select
        observation_id,
        value_delivered
    from {{ ref('int_observations_corrected') }}
),

limits as (
    select
        indicator_id,
        limits['constructed.exact'] as exact_within,
        limits['constructed.evidence'] as evidence_at
    from {{ ref('int_indicator_limits') }}
    where limits['constructed.evidence'] is not null
),

valued as (
    select
        series.observation_id,
        series.series_no,
        series.city_id,
        series."year",
        limits.* exclude (indicator_id),
        observations.value_delivered,
        series.log_value,
        length(rtrim(split_part(cast(observations.value_delivered as varchar), '.', 2), '0')) as n_decimals,
        unnest(['steps', 'growth']) as line
    from {{ ref('int_values_series') }} as series
    inner join limits on series.indicator_id = limits.indicator_id
    inner join observations on series.observation_id = observations.observation_id
),

-- the distance of each value from the middle of those before and after it, in parts of the value
bent as (
    select
        *,
        -- what rounding leaves of a value, in parts of it: one of the last digit given here
        greatest(
            exact_within,
            pow(10, -greatest(n_decimals, lag(n_decimals) over city_line, lead(n_decimals) over city_line)) / abs(value_delivered)
        ) as rounding,
        lag("year") over city_line = "year" - 1 and lead("year") over city_line = "year" + 1 as is_between,
        case
            when line = 'steps'
                then (lag(value_delivered) over city_line + lead(value_delivered) over city_line) / (2 * value_delivered) - 1
            else (lag(log_value) over city_line + lead(log_value) over city_line) / 2 - log_value
        end as bend,
        lead(log_value) over city_line - log_value as step,
        lag("year") over city_line is null as is_first,
        lead("year") over city_line is null as is_last
    from valued
    window city_line as (partition by series_no, city_id, line order by "year")
),

judged as (
    select
        *,
        coalesce(is_between and abs(bend) <= rounding and abs(step) > 3 * rounding, false) as is_on_line
    from bent
),

-- values on a line one after the other. That each continues the last step by chance is the less likely the more a step is beside what
-- rounding leaves: ten times smaller is one digit of evidence
numbered as (
    select
        *,
        "year" - row_number() over (partition by series_no, city_id, line, is_on_line order by "year") as line_no
    from judged
),

lines as (
    select
        series_no,
        city_id,
        line,
        min("year") - 1 as first_year,
        max("year") + 1 as last_year
    from numbered
    where is_on_line
    group by series_no, city_id, line, line_no
    having count(*) >= 2 and count(*) * min(log10(abs(step) / (3 * rounding))) >= any_value(evidence_at)
),

-- what stands at an end of a line was measured, unless the line goes on to the end of the series
final as (
    select
        judged.observation_id,
        'constructed' as rule,
        'quarantined' as grade,
        'expected a measured figure, found ' || {{ short_number('exp(judged.log_value)') }} || ' on an exact line from ' || lines.first_year
        || ' to ' || lines.last_year || case when judged.line = 'steps' then ', of equal steps' else ', of equal growth' end as detail,
        cast(null as double) as proposed_value
    from lines
    inner join judged
        on
            lines.series_no = judged.series_no
            and lines.city_id = judged.city_id
            and lines.line = judged.line
            and judged."year" between lines.first_year and lines.last_year
    where judged."year" not in (lines.first_year, lines.last_year) or judged.is_first or judged.is_last
    qualify row_number() over (partition by judged.observation_id order by judged.line desc, lines.first_year asc) = 1
)

select * from final
