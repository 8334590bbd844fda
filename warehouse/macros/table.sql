{#- Tables on DuckDB in as few statements as it takes. dbt-duckdb's own way costs 40 to 60 ms per model for renaming, for looking columns up
    and for one macro context per step; and it fills a table under a contract by an insert, which is slower than creating it from the
    query. -#}

{% materialization table, adapter='duckdb', supported_languages=['sql', 'python'] %}
    {%- set years = years_kept_as_files() -%}
    {%- set relation = this.incorporate(type='view' if years else 'table') -%}
    {%- do refuse_unsupported_settings() -%}
    {%- set existing = load_cached_relation(this) -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- set is_other_kind = existing is not none and (existing.type != relation.type or model['language'] == 'python') -%}
    {%- do adapter.drop_relation(existing) if is_other_kind -%}

    {%- set query = query_or_spark_table(compiled_code) if model['language'] == 'sql' -%}
    {%- if model['language'] == 'sql' and years -%}
        {%- do require_contract(query) -%}
        {%- do write_years_as_files(relation, query, years) -%}
    {%- elif model['language'] == 'sql' -%}
        {%- do require_contract(query) -%}
        {%- call statement('main') -%}
            create or replace table {{ relation }} as ({{ select_contract_columns(query) }});
            {{ comment_statements(relation) }}
        {%- endcall -%}
    {%- else -%}
        {%- call statement('main', language='python') -%}
            {{ py_write_table(temporary=False, relation=relation, compiled_code=compiled_code) }}
        {%- endcall -%}
        {%- call statement('comments') -%} {{ comment_statements(relation) or 'select 1' }} {%- endcall -%}
    {%- endif -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}

{#- The query of a model; where Spark has built it (warehouse/spark/engine.py), what reads Spark's files. Types and contract are asked of
    them all the same. -#}
{% macro query_or_spark_table(query) -%}
    {%- set folder = env_var('CITYSYNC_SPARK_TABLES', '') -%}
    {%- set files = folder ~ '/' ~ this.schema ~ '.db/' ~ this.identifier ~ '/*.parquet' -%}
    {{ return("select * from read_parquet('" ~ files | replace("'", "''") ~ "')" if folder else query) }}
{%- endmacro %}

{#- What this materialization would otherwise pass over in silence. -#}
{% macro refuse_unsupported_settings() -%}
    {%- set constraints = model['constraints'] + (model['columns'].values() | map(attribute='constraints') | sum(start=[])) -%}
    {%- if constraints or config.get('indexes') or config.get('grants') or config.get('sql_header') -%}
        {{ exceptions.raise_compiler_error(
            model['name'] ~ ': constraints, indexes, grants and sql_header are not written by warehouse/macros/table.sql; '
            ~ 'state a data test instead'
        ) }}
    {%- endif -%}
{%- endmacro %}

{#- Under a contract the query must have the stated columns and types: one statement finds what differs, dbt's own check then says it. -#}
{% macro require_contract(query) -%}
    {%- if config.get('contract').enforced -%}
        {%- set differences -%}
            select delivered.column_name from (describe {{ query }}) as delivered
            full join (describe {{ get_empty_schema_sql(model['columns']) }}) as stated
                on lower(delivered.column_name) = lower(stated.column_name) and delivered.column_type = stated.column_type
            where delivered.column_name is null or stated.column_name is null
        {%- endset -%}
        {%- if run_query(differences) | length -%}
            {%- do assert_columns_equivalent(query) -%}
            {{ exceptions.raise_compiler_error(model['name'] ~ ': the columns of the query are not those of its contract') }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Columns in the order of the contract. -#}
{% macro select_contract_columns(query) -%}
    {{ get_select_subquery(query) if config.get('contract').enforced else query }}
{%- endmacro %}

{#- Descriptions as comments where persist_docs asks for them, all in one statement; a described column that does not exist stops the
    build. -#}
{% macro comment_statements(relation) -%}
    {%- if config.persist_relation_docs() and model.description -%}
        {{ duckdb__alter_relation_comment(relation, model.description) }}
    {%- endif -%}
    {%- if config.persist_column_docs() -%}
        {%- for column in model.columns.values() if column.description -%}
            comment on column {{ relation }}.{{ adapter.quote(column.name) }} is {{ duckdb_escape_comment(column.description) }};
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
