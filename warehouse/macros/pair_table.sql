{#- Tables of pairs: as dbt's own `table`, but where Spark has built one its files are read, and pair-years beyond a set number stay
    outside the database (pair_years.sql). -#}
{% materialization pair_table, adapter='duckdb' %}
    {%- set years = years_kept_as_files() -%}
    {%- set relation = this.incorporate(type='view' if years else 'table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- do adapter.drop_relation(existing) if existing is not none and existing.type != relation.type -%}
    {%- set query = query_or_spark_table(compiled_code) -%}
    {%- if config.get('contract').enforced -%}
        {{ get_assert_columns_equivalent(query) }}
        {%- set query = get_select_subquery(query) -%}
    {%- endif -%}
    {%- if years -%}
        {%- do write_years_as_files(relation, query, years) -%}
    {%- else -%}
        {%- call statement('main') -%} create or replace table {{ relation }} as ({{ query }}) {%- endcall -%}
    {%- endif -%}
    {%- do persist_docs(relation, model) -%}
    {{ adapter.commit() }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}

{#- The query of a model; where Spark has built it (warehouse/spark/engine.py), what reads Spark's files. Types and contract are asked of
    them all the same. -#}
{% macro query_or_spark_table(query) -%}
    {%- set folder = env_var('CITYSYNC_SPARK_TABLES', '') -%}
    {%- set files = folder ~ '/' ~ this.schema ~ '.db/' ~ this.identifier ~ '/*.parquet' -%}
    {{ return("select * from read_parquet('" ~ files | replace("'", "''") ~ "')" if folder else query) }}
{%- endmacro %}
