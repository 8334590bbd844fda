{#- What differs between DuckDB and Spark, and sums that must not depend on the number of threads. -#}

{#- Values of a group as a list in a fixed order; nulls of the expression are left out. -#}
{% macro ordered_list(expression, order_by) -%}
    {%- if target.type == 'spark' -%}
        transform(array_sort(collect_list(case when {{ expression }} is not null then struct({{ order_by }} as k, {{ expression }} as v) end)), x -> x.v)
    {%- else -%}
        list({{ expression }} order by {{ order_by }}) filter (where {{ expression }} is not null)
    {%- endif -%}
{%- endmacro %}

{#- The sum of a list, always added from the first element to the last. -#}
{% macro list_total(values) -%}
    {%- if target.type == 'spark' -%}
        aggregate({{ values }}, cast(0 as double), (acc, x) -> acc + x)
    {%- else -%}
        list_sum({{ values }})
    {%- endif -%}
{%- endmacro %}

{% macro list_length(values) -%}
    {{ 'size' if target.type == 'spark' else 'len' }}({{ values }})
{%- endmacro %}

{#- The sum of squared deviations of a list from a given centre. -#}
{% macro list_squared_deviation(values, centre) -%}
    {%- if target.type == 'spark' -%}
        aggregate({{ values }}, cast(0 as double), (acc, x) -> acc + pow(x - {{ centre }}, 2))
    {%- else -%}
        list_sum(list_transform({{ values }}, lambda x: pow(x - {{ centre }}, 2)))
    {%- endif -%}
{%- endmacro %}

{#- The exact median (mean of the two middle values), the same in any order of rows. -#}
{% macro exact_median(expression) -%}
    {{ 'percentile' if target.type == 'spark' else 'quantile_cont' }}({{ expression }}, 0.5)
{%- endmacro %}
