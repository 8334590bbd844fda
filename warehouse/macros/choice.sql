{#- The order in which values for one place, year and indicator are believed: not blocked, not quarantined, by the priority of the source,
    then the latest edition (a null edition sorts before every other), then file and cell. -#}
{% macro order_of_choice(flag) -%}
    {{ flag }} = 'blocked' asc,
    {{ flag }} = 'quarantined' asc,
    priority asc,
    edition_year desc nulls last,
    file_name asc,
    row_no asc,
    col_no asc,
    source_id asc,
    observation_id asc
{%- endmacro %}
