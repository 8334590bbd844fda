{#- The key of a model and its columns that are never empty, in one pass over it: fails with every combination of the key's columns that
    is in more than one row, lacks a column which is not `nullable` (there null counts as a value), or has a row without one that is to be
    `filled`. Without columns the model must have exactly one row (none with `--empty`). -#}
{% test primary_key(model, columns, nullable=[], filled=[]) %}
    {%- set names, lacks = [], [] -%}
    {%- for column in columns -%}
        {%- do names.append(quoted(column)) -%}
        {%- if column not in nullable -%} {%- do lacks.append(quoted(column) ~ ' is null') -%} {%- endif -%}
    {%- endfor -%}
    {%- for column in filled -%} {%- do lacks.append('bool_or(' ~ quoted(column) ~ ' is null)') -%} {%- endfor -%}
    select
        {% for name in names -%} {{ name }}, {% endfor -%}
        count(*) as n_rows
    from {{ model }}
    {% if columns -%}
        group by {{ names | join(', ') }}
        having count(*) > 1{% for lack in lacks %} or {{ lack }}{% endfor %}
    {%- else -%}
        having count(*) {{ '>' if flags.EMPTY else '<>' }} 1
    {%- endif %}
{% endtest %}
