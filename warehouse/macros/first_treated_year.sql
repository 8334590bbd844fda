{#- First treated year of a city under the two named rules. -#}
{% macro treated_year(approval_date, rule) -%}
    {%- if rule == 'calendar_year' -%}
        cast(year({{ approval_date }}) as integer)
    {%- elif rule == 'second_half_next_year' -%}
        cast(year({{ approval_date }}) + case when month({{ approval_date }}) >= 7 then 1 else 0 end as integer)
    {%- else -%}
        {{ exceptions.raise_compiler_error("treated_year: expected rule calendar_year or second_half_next_year, found " ~ rule) }}
    {%- endif -%}
{%- endmacro %}

{#- A city counts as a pilot of the window if it is first treated in or before the window's last year. -#}
{% macro window_cohort(treated_year, window_last_year) -%}
    case when {{ treated_year }} <= {{ window_last_year }} then {{ treated_year }} end
{%- endmacro %}

{% macro pair_exposure(cohort_i, cohort_j) -%}
    case
        when {{ cohort_i }} is not null and {{ cohort_j }} is not null then 'both'
        when {{ cohort_i }} is not null or {{ cohort_j }} is not null then 'one'
        else 'none'
    end
{%- endmacro %}

{% macro pair_cohort_year(cohort_i, cohort_j) -%}
    case when {{ cohort_i }} is null or {{ cohort_j }} is null then coalesce({{ cohort_i }}, {{ cohort_j }}) end
{%- endmacro %}
