{#- The key of a model, in one pass over it: fails with every combination of the columns that stands in more than one row, or that lacks
    a column which is not `nullable` (there null counts as a value). Without columns the model must have exactly one row. -#}
{% test primary_key(model, columns, nullable=[]) %}
    {%- set names, filled = [], [] -%}
    {%- for column in columns -%}
        {%- do names.append(quoted(column)) -%}
        {%- if column not in nullable -%} {%- do filled.append(quoted(column)) -%} {%- endif -%}
    {%- endfor -%}
    select
        {% for name in names -%} {{ name }}, {% endfor -%}
        count(*) as n_rows
    from {{ model }}
    {% if columns -%}
        group by {{ names | join(', ') }}
        having count(*) > 1 or {{ filled | join(' is null or ') }} is null
    {%- else -%}
        having count(*) <> 1
    {%- endif %}
{% endtest %}
