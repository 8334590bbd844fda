{#- The kind of quantity an indicator is, as the rules of quality see it: rate (a change, may be negative), share (a part of something, or a
    ratio without dimension), money, count (whole numbers of things) or level (persons, areas, light and what else is measured). From the
    catalog's kind and unit, so that an indicator has rules from its first day; thresholds name it as the pattern `kind:<word>`. -#}
{% macro rule_kind(kind, unit) -%}
    case
        when {{ kind }} in ('rate', 'index') then 'rate'
        when {{ unit }} in ('pct', 'permille', 'ratio') then 'share'
        when {{ kind }} in ('level', 'flow') and regexp_matches({{ unit }}, '^(cny|usd)(_|$)') then 'money'
        when {{ unit }} = 'count' then 'count'
        else 'level'
    end
{%- endmacro %}

{#- A threshold in log points that grows with how much a series moves by itself (`noise`: the median size of its steps off the trend):
    branches, trade and investment of a city are lumpier than its product. The multiple is 0 where a threshold was fixed for an indicator. -#}
{% macro above_noise(least, multiple, noise) -%}
    greatest({{ least }}, coalesce({{ multiple }}, 0) * coalesce({{ noise }}, 0))
{%- endmacro %}
