{#- What the detectors that hold one source against another share. -#}

{#- Whether two relations agree in each of these columns. -#}
{% macro same_keys(left, right, keys) -%}
    {% for key in keys %}
        {{- '\n            and ' if not loop.first }}{{ left }}.{{ key }} = {{ right }}.{{ key }}
    {%- endfor %}
{%- endmacro %}

{#- The source of which a speaker of int_values_series is an edition. -#}
{% macro publisher_of(speaker) -%}
    split_part({{ speaker }}, ' ', 1)
{%- endmacro %}

{#- Whether a speaker of int_values_series is an edition that covers several years. -#}
{% macro is_edition(speaker) -%}
    contains({{ speaker }}, ' ')
{%- endmacro %}

{#- Of the editions of one source the latest counts. -#}
{% macro latest_edition(relation) -%}
    select *
    from {{ relation }}
    qualify row_number() over (
        partition by source_id, indicator_id, city_id, "year" order by edition_year desc nulls last, series_no asc
    ) = 1
{%- endmacro %}

{#- Whether the series of a city repeats a figure where the matching years begin (`min`) or end (`max`), or most of a table repeats: a few
    do in any year, and all years of a late source have them. -#}
{% macro repeats_at(end, repeats) -%}
    case
        when block = 'city'
            then cast(coalesce(
                {{ end }}("year") filter (where {{ repeats }}) {{ '<=' if end == 'min' else '>=' }} {{ end }}("year") filter (where is_match),
                false
            ) as integer)
        else cast(2 * count(*) filter (where {{ repeats }}) > count(*) as integer)
    end
{%- endmacro %}

{#- What a spike says: the years beside it, the value, and what the nearest other source has. -#}
{% macro spike_detail() -%}
    {{ expected_and_found('expected_log', 'log_value') }}
    || coalesce('; ' || witness_source_id || ' has ' || {{ short_figure('witness_log_value', 'rate_unit') }}, '')
{%- endmacro %}
