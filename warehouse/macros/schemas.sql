{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- The contract names the schemas, so dbt must not put the target's name in front of them. -#}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
