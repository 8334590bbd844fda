{#- The trend residual that every rule on levels rests on, as common table expressions over `source`, a relation in the shape of
    int_values_series. Growth common to a province and year is not news about a city, so it is taken
    out: R = log value minus the cumulated median growth of the province (of the source's whole table where the province has too few cities,
    disagrees within itself or moves beyond the cap: an error of the whole province would hide itself). The last expression, `residuals`,
    holds noise (the median size of a series' steps, all cities together), city_noise (that of one city, or of all cities in the year if larger), residual (R), own_offset (R less its median over the city's years), step_before (b: R minus R of the value before),
    step_after (f: R minus R of the value after), both null beyond a gap of `trend.max_gap` years; spike (S with its sign, 0 where b and f disagree), expected_log (P: both neighbours' R back in logs; at an end
    the only neighbour's), is_end, neighbour_spike (the larger S beside it, without its sign: next to a larger one a value looks wrong itself). Sums run in the order of years. -#}
{% macro trend_residual_ctes(source) -%}
    growths as (
        select
            series_no,
            province_id,
            "year",
            log_value - lag(log_value) over city_years as growth
        from {{ source }}
        window city_years as (partition by series_no, city_id order by "year")
        qualify "year" - lag("year") over city_years = 1
    ),

    province_growths as (
        select
            series_no,
            province_id,
            "year",
            {{ exact_median('growth') }} as growth,
            mad(growth) as deviation,
            count(*) as n_cities
        from growths
        group by series_no, province_id, "year"
    ),

    table_growths as (
        select
            series_no,
            "year",
            {{ exact_median('growth') }} as growth
        from growths
        group by series_no, "year"
    ),

    usual_growths as (
        select
            series_no,
            {{ exact_median('growth') }} as growth
        from table_growths
        group by series_no
    ),

    province_years as (
        select
            series_no,
            indicator_id,
            province_id,
            unnest(range(min("year"), max("year") + 1)) as "year"
        from {{ source }}
        group by series_no, indicator_id, province_id
    ),

    trends as (
        select
            province_years.series_no,
            province_years.province_id,
            province_years."year",
            limits.trend_max_gap,
            sum(case
                when
                    province_growths.n_cities >= limits.trend_min_cities
                    and province_growths.deviation < limits.trend_max_deviation
                    and abs(province_growths.growth) <= limits.trend_cap
                    and abs(province_growths.growth - table_growths.growth) <= limits.trend_max_difference
                    then province_growths.growth
                when abs(table_growths.growth) <= limits.trend_cap then table_growths.growth
                else coalesce(usual_growths.growth, 0)
            end) over (partition by province_years.series_no, province_years.province_id order by province_years."year") as trend
        from province_years
        inner join {{ ref('int_indicator_limits') }} as limits on province_years.indicator_id = limits.indicator_id
        left join province_growths
            on {{ same_keys('province_years', 'province_growths', ['series_no', 'province_id', '"year"']) }}
        left join table_growths on {{ same_keys('province_years', 'table_growths', ['series_no', '"year"']) }}
        left join usual_growths on province_years.series_no = usual_growths.series_no
    ),

    neighbours as (
        select
            series.*,
            trends.trend,
            series.log_value - trends.trend as residual,
            case
                when series."year" - lag(series."year") over city_years <= trends.trend_max_gap then lag(residual) over city_years
            end as residual_before,
            case
                when lead(series."year") over city_years - series."year" <= trends.trend_max_gap then lead(residual) over city_years
            end as residual_after
        from {{ source }} as series
        inner join trends on {{ same_keys('series', 'trends', ['series_no', 'province_id', '"year"']) }}
        window city_years as (partition by series.series_no, series.city_id order by series."year")
    ),

    -- of a series, of its cities and of its years
    medians as (
        select
            series_no,
            city_id,
            "year",
            median(abs(residual - residual_before)) as noise,
            median(residual) as residual
        from neighbours
        group by grouping sets ((series_no), (series_no, city_id), (series_no, "year"))
    ),

    residuals as (
        select
            neighbours.* exclude (residual_before, residual_after),
            of_series.noise,
            greatest(of_city.noise, of_year.noise) as city_noise,
            neighbours.residual - of_city.residual as own_offset,
            neighbours.residual - residual_before as step_before,
            neighbours.residual - residual_after as step_after,
            {{ away_and_back('step_before', 'step_after') }} as spike,
            (coalesce(residual_before, residual_after) + coalesce(residual_after, residual_before)) / 2 + trend as expected_log,
            residual_before is null or residual_after is null as is_end,
            greatest(abs(lag(spike, 1, 0.0) over city_years), abs(lead(spike, 1, 0.0) over city_years)) as neighbour_spike
        from neighbours
        inner join medians as of_series
            on neighbours.series_no = of_series.series_no and of_series.city_id is null and of_series."year" is null
        inner join medians as of_city on neighbours.series_no = of_city.series_no and neighbours.city_id = of_city.city_id
        inner join medians as of_year on neighbours.series_no = of_year.series_no and neighbours."year" = of_year."year"
        window city_years as (partition by neighbours.series_no, neighbours.city_id order by neighbours."year")
    )
{%- endmacro %}

{#- How far a value is off between a step before and a step after it: the smaller of the two with its sign, 0 where they disagree. -#}
{% macro away_and_back(step_before, step_after) -%}
    case
        when {{ step_before }} * {{ step_after }} > 0
            then sign({{ step_before }}) * least(abs({{ step_before }}), abs({{ step_after }}))
        else 0
    end
{%- endmacro %}

{#- The step of a value from the one before (`lag`) or after it (`lead`) in a window, null beyond a gap of `longest` years. -#}
{% macro step_from(neighbour, value, year, years, longest) -%}
    case
        when abs({{ year }} - {{ neighbour }}({{ year }}) over {{ years }}) <= {{ longest }}
            then {{ value }} - {{ neighbour }}({{ value }}) over {{ years }}
    end
{%- endmacro %}

{#- The power of ten that a log difference amounts to within a tolerance in log points; 0 where it is none. -#}
{% macro power_of_ten(log_difference, within) -%}
    case
        when abs({{ log_difference }} - round({{ log_difference }} / ln(10)) * ln(10)) <= {{ within }}
            then cast(round({{ log_difference }} / ln(10)) as integer)
        else 0
    end
{%- endmacro %}

{#- A figure in a sentence: six digits, or all of the whole part, no trailing zeros. -#}
{% macro short_number(expression) -%}
    format(if(abs({{ expression }}) >= 999999.5, '{:.0f}', '{:.6g}'), {{ expression }})
{%- endmacro %}

{#- The opening of most details: what the years beside a value lead one to expect, and what stands there. -#}
{% macro expected_and_found(expected_log, log_value, rate_unit='rate_unit') -%}
    coalesce(
        'expected about ' || {{ short_figure(expected_log, rate_unit) }} || ' from the years beside it, found ',
        'expected a figure near those of the nearest years, found '
    ) || {{ short_figure(log_value, rate_unit) }}
{%- endmacro %}

{#- A year of a census: the figure that leaves the trend then is often the counted one, and those beside it are the estimates. -#}
{% macro is_benchmark_year(year, every) -%}
    coalesce({{ year }} % {{ every }} = 0, false)
{%- endmacro %}
