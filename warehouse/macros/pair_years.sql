{#- Pair-years beyond a set number stay outside the database: one sorted Parquet file per year beside it, and the model is a view over them.
    dbt-duckdb's materialization `external` would first make the whole table inside the database, which is to be avoided here. -#}

{#- Far above city scale (332 cities over 20 years are 1.1 million), below counties (2,850 over 10 years are 41 million). -#}
{% macro pair_year_limit() -%}
    {%- set delivered = env_var('CITYSYNC_PAIR_YEAR_LIMIT', '10000000') | trim or '10000000' -%}
    {%- if delivered | int(-1) | string != delivered or delivered | int < 0 -%}
        {{ exceptions.raise_compiler_error(
            "CITYSYNC_PAIR_YEAR_LIMIT: expected a number of pair-years such as 10000000, found '" ~ delivered ~ "'; correct or unset it"
        ) }}
    {%- endif -%}
    {{ return(delivered | int) }}
{%- endmacro %}

{#- The years to write as files; none where the model is no table of pair-years (`meta: {is_pair_year: true}`) or is small enough. Such a
    model has to name int_city_year_scores, which says how many pairs each year has: in its query or under `-- depends_on:`. -#}
{% macro years_kept_as_files() -%}
    {%- if not config.get('meta', {}).get('is_pair_year') -%}{{ return([]) }}{%- endif -%}
    {%- set by_year = run_query(
        'select "year", count(*) * (count(*) - 1) // 2 from ' ~ ref('int_city_year_scores') ~ ' group by 1 order by 1'
    ) -%}
    {%- set total = by_year.columns[1].values() | map('int') | sum -%}
    {{ return(by_year.columns[0].values() | map('int') | list if total > pair_year_limit() else []) }}
{%- endmacro %}

{#- Replace the files of a model and put a view over them; rows of a year by pair, so that the same input gives the same bytes. -#}
{% macro write_years_as_files(relation, query, years) -%}
    {%- set folder = (build_folder() | replace("'", "''")) ~ '/' ~ relation.schema ~ '.' ~ relation.identifier -%}
    {%- set files = [] -%}
    {#- a partitioned copy makes the folders, which a plain one does not -#}
    {%- call statement('folders') -%}
        copy (select unnest({{ years }}) as "year", 0 as nothing) to '{{ folder }}'
        (format parquet, partition_by ("year"), filename_pattern 'pairs_{i}', overwrite)
    {%- endcall -%}
    {%- for year in years -%}
        {%- do files.append(folder ~ '/year=' ~ year ~ '/pairs_0.parquet') -%}
        {%- call statement('year_' ~ year) -%}
            copy (select * from ({{ query }}) as pair_years where "year" = {{ year }} order by city_i_id, city_j_id)
            to '{{ files[-1] }}' (format parquet, compression zstd)
        {%- endcall -%}
    {%- endfor -%}
    {%- call statement('main') -%}
        create or replace view {{ relation }} as
        select * from read_parquet(['{{ files | join("', '") }}'], hive_partitioning = false)
    {%- endcall -%}
{%- endmacro %}
