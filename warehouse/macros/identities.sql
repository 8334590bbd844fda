{#- The columns of a delivered row that must agree with each other, by identity; the whole first. -#}
{% macro identities() -%}
    {{ return({
        'sectors': [
            'gdp_nominal_cny_100m', 'value_added_primary_cny_100m', 'value_added_secondary_cny_100m', 'value_added_tertiary_cny_100m'
        ],
        'credit': ['financial_development_delivered_ratio', 'gdp_nominal_cny_100m', 'loans_cny_100m', 'deposits_cny_100m'],
        'wages': ['wage_bill_cny_10k', 'employees_avg_10k', 'wage_avg_cny'],
    }) }}
{%- endmacro %}

{% macro identity_indicators() -%}
    {%- set names = [] -%}
    {%- for members in identities().values() -%}
        {%- for name in members if name not in names -%} {%- do names.append(name) -%} {%- endfor -%}
    {%- endfor -%}
    {{ return(names) }}
{%- endmacro %}

{#- Both sides of each identity, in canonical units. -#}
{% macro identity_formulas() -%}
    {{ return({
        'sectors': {
            'parts': 'value_added_primary_cny_100m + value_added_secondary_cny_100m + value_added_tertiary_cny_100m',
            'whole': 'gdp_nominal_cny_100m',
        },
        'credit': {'parts': 'loans_cny_100m + deposits_cny_100m', 'whole': 'financial_development_delivered_ratio * gdp_nominal_cny_100m'},
        'wages': {'parts': 'employees_avg_10k * wage_avg_cny', 'whole': 'wage_bill_cny_10k'},
    }) }}
{%- endmacro %}
