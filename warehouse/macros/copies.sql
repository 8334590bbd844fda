{#- The flags that copies of a figure share: where a rule refuses or doubts a figure, the same figure of the same place and year has that
    flag, too, in another file of the source and in every source that is not independent of it (int_sources_related). `flags` are rows with
    observation_id, rule, grade, detail and proposed_value. Figures are the same within `lineage.equal`. -#}
{% macro flags_of_copies(flags) -%}
    select
        copies.observation_id,
        flags.rule,
        flags.grade,
        flags.detail || '; the same figure as in '
        || case when own.source_id = copies.source_id then own.file_name else own.source_id end as detail,
        flags.proposed_value
    from {{ flags }} as flags
    inner join {{ ref('int_observations_corrected') }} as own on flags.observation_id = own.observation_id
    inner join {{ ref('int_indicator_limits') }} as limits on own.indicator_id = limits.indicator_id
    inner join {{ ref('int_observations_corrected') }} as copies
        on {{ same_keys('own', 'copies', ['place_level', 'city_id', '"year"', 'indicator_id']) }} and own.observation_id <> copies.observation_id
    left join {{ ref('int_sources_related') }} as related
        on
            own.source_id = related.source_id
            and copies.source_id = related.other_source_id
            and coalesce(limits.same_as, own.indicator_id) = related.indicator_id
    where
        flags.grade <> 'warned'
        and (own.source_id = copies.source_id or related.relation <> 'independent')
        and {{ is_same_figure('own."value"', 'copies."value"', 'limits.rule_kind', 'limits.lineage_equal') }}
{%- endmacro %}

{#- Whether two figures are one but for rounding: levels to a part of themselves, rates to a part of the level that they change. -#}
{% macro is_same_figure(value, other_value, rule_kind, within) -%}
    abs({{ value }} - {{ other_value }})
    <= {{ within }} * case when {{ rule_kind }} = 'rate' then 100 else greatest(abs({{ value }}), abs({{ other_value }})) end
{%- endmacro %}
