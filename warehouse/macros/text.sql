{#- The spelling under which place names and units are looked up: lower case, without any white space (also the ideographic,
    no-break and zero-width ones). -#}
{% macro lookup_key(expression) -%}
    nullif(regexp_replace(lower({{ expression }}), '[\s\x{00A0}\x{3000}\x{200B}\x{FEFF}]+', '', 'g'), '')
{%- endmacro %}

{#- A delivered code as a 6-digit integer: 6 digits as they are, 4 digits times 100 (a trailing .0 of a number cell is tolerated). -#}
{% macro six_digit_code(expression) -%}
    case
        when regexp_matches({{ expression }}, '^\s*\d{6}(\.0+)?\s*$') then cast(regexp_extract({{ expression }}, '\d{6}') as integer)
        when regexp_matches({{ expression }}, '^\s*\d{4}(\.0+)?\s*$') then cast(regexp_extract({{ expression }}, '\d{4}') as integer) * 100
    end
{%- endmacro %}
