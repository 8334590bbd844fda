{#- Great-circle distance in km by the haversine formula, mean Earth radius 6371.0088 km; arguments in degrees. -#}
{% macro haversine_km(lon_1, lat_1, lon_2, lat_2) -%}
    2 * 6371.0088 * asin(least(1.0, sqrt(
        pow(sin(radians({{ lat_2 }} - {{ lat_1 }}) / 2), 2)
        + cos(radians({{ lat_1 }})) * cos(radians({{ lat_2 }})) * pow(sin(radians({{ lon_2 }} - {{ lon_1 }}) / 2), 2)
    )))
{%- endmacro %}

{#- A name for an unordered pair of labels: the same whichever comes first. -#}
{% macro ordered_pair(label_1, label_2) -%}
    least({{ label_1 }}, {{ label_2 }}) || '-' || greatest({{ label_1 }}, {{ label_2 }})
{%- endmacro %}
