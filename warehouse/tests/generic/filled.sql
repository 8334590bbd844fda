{#- Columns of a model that are never empty, in one pass over it: fails with every row that lacks one of them. -#}
{% test filled(model, columns) %}
    select * from {{ model }}
    where {% for column in columns -%} {{ quoted(column) }} is null {{ 'or ' if not loop.last }}{%- endfor %}
{% endtest %}
