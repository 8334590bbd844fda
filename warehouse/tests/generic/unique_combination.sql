{#- Fails with every combination of the columns that stands in more than one row; nulls count as values. -#}
{% test unique_combination(model, columns) %}
    select
        {{ columns | map('tojson') | join(', ') }},
        count(*) as n_rows
    from {{ model }}
    group by {{ columns | map('tojson') | join(', ') }}
    having count(*) > 1
{% endtest %}
