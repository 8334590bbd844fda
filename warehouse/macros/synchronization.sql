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

{#- cm lies in [3 - 2T, 1]; the bounded form needs it strictly inside. -#}
{% macro cm_clipped(cm_value, n_years) -%}
    least(greatest({{ cm_value }}, 3 - 2 * {{ n_years }} + 1e-6), 1 - 1e-6)
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
