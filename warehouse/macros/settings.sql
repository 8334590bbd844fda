{#- Settings are read from the environment when a model is compiled for a run, never when the project is parsed: one parsed manifest
    serves several build folders. -#}

{% macro read_build_parquet(pattern) -%}
    read_parquet('{{ env_var("CITYSYNC_BUILD", "data/build") | replace("'", "''") }}/{{ pattern }}', union_by_name = true, file_row_number = true)
{%- endmacro %}

{% macro window_setting(name, default) -%}
    {{ env_var(name, default) | trim | int }}
{%- endmacro %}

{% macro as_of_edition() -%}
    {%- set edition = env_var("AS_OF_EDITION", "") | trim -%}
    {{ (edition | int) if edition else 9999 }}
{%- endmacro %}

{% macro tie_first_year() -%} 2010 {%- endmacro %}

{% macro tie_last_year() -%} 2014 {%- endmacro %}

{% macro tie_minimum_years() -%} 3 {%- endmacro %}

{#- First approval of any zone: what comes before it is untouched by the policy. -#}
{% macro first_admission_year() -%} 2015 {%- endmacro %}
