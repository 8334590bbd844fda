{#- The order in which values for one place, year and indicator are believed: not blocked, not quarantined, by the priority of the source
    (or the place it has earned), then the latest edition (a null edition sorts before every other), the source that has the longest run of
    years around the value (int_observations_precedence), then file and cell. -#}
{% macro order_of_choice(flag) -%}
    {{ flag }} = 'blocked' asc,
    {{ flag }} = 'quarantined' asc,
    coalesce(earned_priority, priority) asc,
    edition_year desc nulls last,
    n_run_years desc nulls last,
    file_name asc,
    row_no asc,
    col_no asc,
    source_id asc,
    observation_id asc
{%- endmacro %}

{#- How far two sources stand apart where a series passes from one to the other. `passages` are rows with observation_id, city_id,
    indicator_id, year, source_id and source_before; `values` hold one log_value of a source, city, indicator and year. The expression holds,
    by observation_id, common_year (the year nearest to the passage in which both have a value, of two the earlier) and distance, the log
    value of the new source less that of the old one there. -#}
{% macro distances_of_passages(passages, values) -%}
    (
        select
            passage.observation_id,
            cast(arg_min(here."year", (abs(here."year" - passage."year" + 0.5), here."year")) as integer) as common_year,
            arg_min(here.log_value - there.log_value, (abs(here."year" - passage."year" + 0.5), here."year")) as distance
        from {{ passages }} as passage
        inner join {{ values }} as here
            on
                passage.source_id = here.source_id
                and passage.indicator_id = here.indicator_id
                and passage.city_id = here.city_id
                and here."year" between passage."year" - 5 and passage."year" + 4
        inner join {{ values }} as there
            on
                passage.source_before = there.source_id
                and here.indicator_id = there.indicator_id
                and here.city_id = there.city_id
                and here."year" = there."year"
        group by passage.observation_id
    )
{%- endmacro %}
