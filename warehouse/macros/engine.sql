{#- Sums that do not depend on the number of threads, for the small city grain (DuckDB), and what differs between engines for the models
    tagged pair_grain, which also run on Spark. -#}

{#- Values of a group as a list in a fixed order; nulls of the expression are left out. -#}
{% macro ordered_list(expression, order_by) -%}
    list({{ expression }} order by {{ order_by }}) filter (where {{ expression }} is not null)
{%- endmacro %}

{#- The sum of a list, always added from the first element to the last. -#}
{% macro list_total(values) -%}
    list_sum({{ values }})
{%- endmacro %}

{#- The sum of squared deviations of a list from a given centre. -#}
{% macro list_squared_deviation(values, centre) -%}
    list_sum(list_transform({{ values }}, lambda x: pow(x - {{ centre }}, 2)))
{%- endmacro %}

{#- The length of a vector of per cent, null where it is nothing but rounding: what never moves has no standard score. -#}
{% macro nonzero_length(squared_length) -%}
    case when {{ squared_length }} > 1e-18 then sqrt({{ squared_length }}) end
{%- endmacro %}

{#- The exact median (mean of the two middle values), the same in any order of rows. -#}
{% macro exact_median(expression) -%}
    {{ 'percentile' if target.type == 'spark' else 'quantile_cont' }}({{ expression }}, 0.5)
{%- endmacro %}

{#- Number of bits in which two integers differ. -#}
{% macro differing_bits(bits_i, bits_j) -%}
    {%- if target.type == 'spark' -%}
        bit_count({{ bits_i }} ^ {{ bits_j }})
    {%- else -%}
        bit_count(xor({{ bits_i }}, {{ bits_j }}))
    {%- endif -%}
{%- endmacro %}

{#- Every column of a relation but some. -#}
{% macro all_columns_but(relation, columns) -%}
    {{ relation }}.* {{ 'except' if target.type == 'spark' else 'exclude' }} ({{ columns | join(', ') }})
{%- endmacro %}

{#- A column whose name is also a word of SQL. -#}
{% macro quoted(name) -%}
    {%- if target.type == 'spark' -%} `{{ name }}` {%- else -%} "{{ name }}" {%- endif -%}
{%- endmacro %}
