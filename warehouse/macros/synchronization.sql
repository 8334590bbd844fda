{#- The series whose synchronization is measured, once and for all models. `column`: where it stands, in a join of int_city_growth (growth)
    and int_city_cycles (cycles). `measures`: which measures the pair-years hold, `cm` alone or all of them (then the parts of cm, its
    bounded form and the distances are added). `before_admission`: the score on the years before the first admission only, its name and that
    of its cm. Their order is the order of columns. -#}
{% macro synchronization_series() -%}
    {{ return({
        'growth_official': {
            'column': 'growth.growth_official_pct',
            'measures': 'all',
            'before_admission': {'score': 'z_pre_growth_official', 'cm': 'cm_pre_growth_official'},
        },
        'growth_deflated': {'column': 'growth.growth_deflated_pct', 'measures': 'all'},
        'growth_implicit_deflated': {'column': 'growth.growth_implicit_deflated_pct', 'measures': 'cm'},
        'growth_deflated_one_vintage': {'column': 'growth.growth_deflated_one_vintage_pct', 'measures': 'cm'},
        'hp': {'column': 'cycles.cycle_hp_pct', 'measures': 'cm'},
        'hamilton': {'column': 'cycles.cycle_hamilton_pct', 'measures': 'cm'},
        'christiano_fitzgerald': {'column': 'cycles.cycle_christiano_fitzgerald_pct', 'measures': 'cm'},
        'hamilton_pre': {
            'column': 'cycles.cycle_hamilton_pre_pct',
            'measures': 'none',
            'before_admission': {'score': 'z_pre_hamilton', 'cm': 'cm_hamilton_pre'},
        },
    }) }}
{%- endmacro %}

{#- Names of the series whose `measures` is one of those given. -#}
{% macro series_with(measures) -%}
    {%- set names = [] -%}
    {%- for name, series in synchronization_series().items() if series['measures'] in measures -%}
        {%- do names.append(name) -%}
    {%- endfor -%}
    {{ return(names) }}
{%- endmacro %}

{#- The series whose cm is also measured in the newest window, which the primary test of them follows. -#}
{% macro series_of_newest_window() -%}
    {{ return(['growth_official', 'growth_deflated']) }}
{%- endmacro %}

{#- The series that are also measured on the years before the first admission, by name. -#}
{% macro series_before_admission() -%}
    {%- set found = {} -%}
    {%- for name, series in synchronization_series().items() if series['before_admission'] -%}
        {%- do found.update({name: series['before_admission']}) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{#- Measures of synchronization of two cities in a year. z: standardised over the window (divisor T); d: the series itself. -#}

{#- Cerqueira and Martins 2009. -#}
{% macro cm(z_i, z_j) -%}
    1 - pow({{ z_i }} - {{ z_j }}, 2) / 2
{%- endmacro %}

{% macro comove(z_i, z_j) -%}
    {{ z_i }} * {{ z_j }}
{%- endmacro %}

{#- cm = comove + dispersion. -#}
{% macro dispersion(z_i, z_j) -%}
    1 - (pow({{ z_i }}, 2) + pow({{ z_j }}, 2)) / 2
{%- endmacro %}

{#- The least value that cm can take in a window of T years; the greatest is 1. -#}
{% macro cm_lowest(n_years) -%}
    3 - 2 * {{ n_years }}
{%- endmacro %}

{#- cm is in [3 - 2T, 1]; the bounded form needs it strictly inside. -#}
{% macro cm_clipped(cm_value, n_years) -%}
    least(greatest({{ cm_value }}, {{ cm_lowest(n_years) }} + 1e-6), 1 - 1e-6)
{%- endmacro %}

{#- Cerqueira 2013. -#}
{% macro cm_bounded(cm_value, n_years) -%}
    0.5 * ln((1 + {{ cm_clipped(cm_value, n_years) }} / (2 * {{ n_years }} - 3)) / (1 - {{ cm_clipped(cm_value, n_years) }}))
{%- endmacro %}

{#- Kalemli-Ozcan, Papaioannou and Peydro 2013; on residuals Morgan, Rime and Strahan 2004. -#}
{% macro neg_abs_gap(d_i, d_j) -%}
    0 - abs({{ d_i }} - {{ d_j }})
{%- endmacro %}

{% macro fisher_z(r) -%}
    0.5 * ln((1 + least(greatest({{ r }}, -1 + 1e-6), 1 - 1e-6)) / (1 - least(greatest({{ r }}, -1 + 1e-6), 1 - 1e-6)))
{%- endmacro %}
