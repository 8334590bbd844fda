{#- P population (10,000 persons), G nominal GDP (100 million yuan), D distance (km), S area (km2), A rank of administration. -#}

{#- R_ij = G_i / (G_i + G_j) * sqrt(P_i G_i) * sqrt(P_j G_j) / D^2. -#}
{% macro tie_directed(p_i, g_i, p_j, g_j, d) -%}
    {{ g_i }} / ({{ g_i }} + {{ g_j }}) * sqrt({{ p_i }} * {{ g_i }}) * sqrt({{ p_j }} * {{ g_j }}) / pow({{ d }}, 2)
{%- endmacro %}

{% macro tie_strength(p_i, g_i, p_j, g_j, d) -%}
    {{ tie_directed(p_i, g_i, p_j, g_j, d) }} + {{ tie_directed(p_j, g_j, p_i, g_i, d) }}
{%- endmacro %}

{% macro tie_four_factor(p_i, g_i, s_i, a_i, p_j, g_j, s_j, a_j, d) -%}
    pow({{ p_i }} * {{ g_i }} * {{ s_i }} * {{ a_i }}, 0.25) * pow({{ p_j }} * {{ g_j }} * {{ s_j }} * {{ a_j }}, 0.25) / pow({{ d }}, 2)
{%- endmacro %}
