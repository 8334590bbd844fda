{#- Settings are read from the environment when a model is compiled for a run, never when the project is parsed: one parsed manifest
    serves several build folders. -#}

{#- The folder of the database (profiles.yml), which holds this run's raw files too. -#}
{% macro build_folder() -%}
    {{- target.path | replace("/citysync.duckdb", "") -}}
{%- endmacro %}

{#- A seed whose rows name columns: `dbt build --empty` leaves its table empty, so there it is read from its file. A unit test gives its
    own rows and has no graph. -#}
{% macro in_full(seed) -%}
    {%- if flags is defined and flags.EMPTY and execute and graph.nodes is defined -%}
        {%- set node = graph.nodes['seed.citysync.' ~ seed.identifier] -%}
        read_csv('{{ node.root_path | replace("'", "''") }}/{{ node.original_file_path }}')
    {%- else -%}
        {{ seed }}
    {%- endif -%}
{%- endmacro %}

{#- Runs before every build, run, seed and test, and makes the views that `source('raw', ...)` names, of the files of this run's build
    folder. DuckDB makes no view of files that are not there, so a folder that holds none (seeds alone) has no view. -#}
{% macro make_raw_views() -%}
    {%- if execute and target.type == "duckdb" -%}
        {%- set folder = build_folder() | replace("'", "''") -%}
        create schema if not exists raw;
        {% for table, pattern in [("observations", "raw/*.parquet"), ("input_files", "input_file.parquet")] %}
            {%- set files = folder ~ "/" ~ pattern -%}
            {%- if run_query("select count(*) from glob('" ~ files ~ "')").rows[0][0] > 0 -%}
                create or replace view raw.{{ table }} as
                select * from read_parquet('{{ files }}', union_by_name = true, file_row_number = true);
            {%- else -%}
                drop view if exists raw.{{ table }};
            {%- endif %}
        {% endfor %}
    {%- endif -%}
{%- endmacro %}

{% macro year_setting(name, default) -%}
    {%- set delivered = env_var(name, default) | trim or default -%}
    {%- if delivered | int | string != delivered -%}
        {{ exceptions.raise_compiler_error(
            name ~ ": expected a year such as " ~ default ~ ", found '" ~ delivered ~ "'; correct or unset it"
        ) }}
    {%- endif -%}
    {{ delivered }}
{%- endmacro %}

{#- Without the setting every edition is looked at. -#}
{% macro as_of_edition() -%}
    {{ year_setting('AS_OF_EDITION', '9999') }}
{%- endmacro %}

{#- Whether a raw line is looked at: a line without an edition counts under every AS_OF_EDITION, one without a year under every
    AS_OF_YEAR. -#}
{% macro is_as_of() -%}
    (edition_year is null or edition_year <= {{ as_of_edition() }})
    and ("year" is null or "year" <= {{ year_setting('AS_OF_YEAR', '9999') }})
{%- endmacro %}

{#- Years and counts that Python has too: estimation/defaults.py. -#}
{% macro window_first_year() -%}
    {{ year_setting('WINDOW_FIRST_YEAR', '2010') }}
{%- endmacro %}

{% macro window_last_year() -%}
    {{ year_setting('WINDOW_LAST_YEAR', '2019') }}
{%- endmacro %}

{% macro tie_first_year() -%} 2010 {%- endmacro %}

{% macro tie_last_year() -%} 2014 {%- endmacro %}

{% macro tie_minimum_years() -%} 3 {%- endmacro %}

{#- First approval of any zone: what comes before it is untouched by the policy. -#}
{% macro first_admission_year() -%} 2015 {%- endmacro %}

{#- The newest window of the primary test: estimation/analyses/primary.py. -#}
{% macro newest_first_year() -%} 2010 {%- endmacro %}

{% macro newest_base_year() -%} 2019 {%- endmacro %}

{% macro newest_least_share() -%} 0.8 {%- endmacro %}
