{#- The accounting identities of a delivered row: `parts` must equal `whole`, both in canonical units. The gate (gate_staging__identity)
    uses all of them, with `sentence` as the name and `tolerance` as the largest residual: a share of the whole, or per cent points where
    the whole is 100. The detector int_observations_identity uses those with `is_detected`: it says which of the `indicators` is wrong, and
    what was `expected`. -#}
{% macro identities() -%}
    {{ return({
        'sectors': {
            'sentence': 'sectors add up to gross domestic product',
            'expected': 'sectors that add up to gross domestic product',
            'parts': 'value_added_primary_cny_100m + value_added_secondary_cny_100m + value_added_tertiary_cny_100m',
            'whole': 'gdp_nominal_cny_100m',
            'indicators': [
                'gdp_nominal_cny_100m', 'value_added_primary_cny_100m', 'value_added_secondary_cny_100m', 'value_added_tertiary_cny_100m'
            ],
            'is_detected': true,
            'tolerance': 0.01,
        },
        'shares': {
            'sentence': 'sector shares add up to 100',
            'parts': 'gdp_share_primary_pct + gdp_share_secondary_pct + gdp_share_tertiary_pct',
            'whole': '100',
            'indicators': ['gdp_share_primary_pct', 'gdp_share_secondary_pct', 'gdp_share_tertiary_pct'],
            'is_detected': false,
            'tolerance': 0.5,
        },
        'per_head': {
            'sentence': 'product per head times population',
            'parts': 'gdp_per_capita_cny * coalesce(population_resident_10k, population_registered_10k) / 10000',
            'whole': 'gdp_nominal_cny_100m',
            'indicators': ['gdp_nominal_cny_100m', 'gdp_per_capita_cny', 'population_resident_10k', 'population_registered_10k'],
            'is_detected': false,
            'tolerance': 0.3,
        },
        'credit': {
            'sentence': 'loans and deposits over product',
            'expected': 'loans and deposits that give the delivered ratio to gross domestic product',
            'parts': 'loans_cny_100m + deposits_cny_100m',
            'whole': 'financial_development_delivered_ratio * gdp_nominal_cny_100m',
            'indicators': ['financial_development_delivered_ratio', 'gdp_nominal_cny_100m', 'loans_cny_100m', 'deposits_cny_100m'],
            'is_detected': true,
            'tolerance': 0.01,
        },
        'wages': {
            'sentence': 'average wage times employees',
            'expected': 'employees times average wage to give the wage bill',
            'parts': 'employees_avg_10k * wage_avg_cny',
            'whole': 'wage_bill_cny_10k',
            'indicators': ['wage_bill_cny_10k', 'employees_avg_10k', 'wage_avg_cny'],
            'is_detected': true,
            'tolerance': 0.1,
        },
        'deflated': {
            'sentence': 'real product times deflator',
            'parts': 'gdp_real_cny_100m * gdp_deflator_base_1',
            'whole': 'gdp_nominal_cny_100m',
            'indicators': ['gdp_nominal_cny_100m', 'gdp_real_cny_100m', 'gdp_deflator_base_1'],
            'is_detected': false,
            'tolerance': 0.01,
        },
    }) }}
{%- endmacro %}

{#- The identities of which a detector says which column is wrong. -#}
{% macro detected_identities() -%}
    {%- set detected = {} -%}
    {%- for name, identity in identities().items() if identity['is_detected'] -%}
        {%- do detected.update({name: identity}) -%}
    {%- endfor -%}
    {{ return(detected) }}
{%- endmacro %}

{#- Every indicator of some identities once, in the order of the identities. -#}
{% macro identity_indicators(some_identities) -%}
    {%- set names = [] -%}
    {%- for identity in some_identities.values() -%}
        {%- for name in identity['indicators'] if name not in names -%} {%- do names.append(name) -%} {%- endfor -%}
    {%- endfor -%}
    {{ return(names) }}
{%- endmacro %}
