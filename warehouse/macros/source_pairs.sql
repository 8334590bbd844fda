{#- What the detectors that hold one source against another share. A pair is a series and another source, city by city. -#}

{#- Whether two relations agree in each of these columns. -#}
{% macro same_keys(left, right, keys) -%}
    {% for key in keys %}
        {{- '\n            and ' if not loop.first }}{{ left }}.{{ key }} = {{ right }}.{{ key }}
    {%- endfor %}
{%- endmacro %}

{#- Whether two relations speak of one series, one other source and one city, and agree in further columns. -#}
{% macro same_pair(left, right, keys=[]) -%}
    {{ same_keys(left, right, ['series_no', 'other_source_id', 'city_id'] + keys) }}
{%- endmacro %}

{#- Of the editions of one source the latest counts. -#}
{% macro latest_edition(relation) -%}
    select *
    from {{ relation }}
    qualify row_number() over (
        partition by source_id, indicator_id, city_id, "year" order by edition_year desc nulls last, series_no asc
    ) = 1
{%- endmacro %}

{#- Numbers runs of equal `state` within a pair in order of years; unlike states may have one number. Needs a window `pair_years`. -#}
{% macro run_number(state, keys='series_no, other_source_id, city_id') -%}
    row_number() over pair_years - row_number() over (partition by {{ keys }}, {{ state }} order by "year")
{%- endmacro %}

{#- Of a city whether its series repeats a figure where the matching years begin (`min`) or end (`max`), of a table how many do. -#}
{% macro repeats_at(end, repeats) -%}
    case
        when block = 'city'
            then cast(coalesce(
                {{ end }}("year") filter (where {{ repeats }}) {{ '<=' if end == 'min' else '>=' }} {{ end }}("year") filter (where is_match),
                false
            ) as integer)
        else count(*) filter (where {{ repeats }})
    end
{%- endmacro %}

{#- The grade of a run by who moved at its ends: blocked where this source left its trend by more than the other, quarantined where neither
    did more, null where the other did. A noise that is not known accuses nobody. -#}
{% macro grade_of_the_mover(own_noise, other_noise, ratio) -%}
    case
        when {{ own_noise }} > {{ ratio }} * {{ other_noise }} then 'blocked'
        when coalesce({{ ratio }} * {{ own_noise }} >= {{ other_noise }}, true) then 'quarantined'
    end
{%- endmacro %}

{#- What a spike says: the years beside it, the value, and what the nearest witness has. -#}
{% macro spike_detail() -%}
    {{ expected_and_found('expected_log', 'log_value') }}
    || coalesce('; ' || witness_source_id || ' has ' || {{ short_number('exp(witness_log_value)') }}, '')
{%- endmacro %}
