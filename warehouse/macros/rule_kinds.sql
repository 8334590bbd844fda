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
    branches, trade and investment of a city are lumpier than its product. The multiple is 0 where a threshold was fixed for an indicator.
    Without a threshold the result is null, so that its rule is off: `greatest` of DuckDB passes over a null. -#}
{% macro above_noise(least, multiple, noise) -%}
    case
        when {{ least }} is not null
            then greatest({{ least }}, coalesce({{ multiple }}, 0) * coalesce({{ noise }}, 0))
    end
{%- endmacro %}

{#- A value as the factor whose log is compared. A rate of change is one plus itself, so that growth of 7.1 per cent is 1.071, as is an
    index of 107.1; a level is itself. `rate_unit` is the unit of a rate and null for a level. -#}
{% macro factor_of(value, rate_unit) -%}
    case {{ rate_unit }}
        when 'pct' then 1 + {{ value }} / 100
        when 'permille' then 1 + {{ value }} / 1000
        when 'index_100' then {{ value }} / 100
        else {{ value }}
    end
{%- endmacro %}

{#- The figure that a log of a factor stands for, in the unit of the observation: the inverse of factor_of. -#}
{% macro figure_of(log_value, rate_unit) -%}
    case {{ rate_unit }}
        when 'pct' then 100 * (exp({{ log_value }}) - 1)
        when 'permille' then 1000 * (exp({{ log_value }}) - 1)
        when 'index_100' then 100 * exp({{ log_value }})
        else exp({{ log_value }})
    end
{%- endmacro %}

{#- The same in a sentence. -#}
{% macro short_figure(log_value, rate_unit) -%}
    {{ short_number(figure_of(log_value, rate_unit)) }}
{%- endmacro %}
