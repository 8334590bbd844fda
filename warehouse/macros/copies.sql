{#- The flags that copies of a figure share (`copied`: int_values_copied): where a rule refuses or doubts a figure, its copies have that
    flag, too. `flags` are rows with observation_id, rule, grade, detail and proposed_value. -#}
{% macro flags_of_copies(flags, copied) -%}
    select
        copied.copy_id as observation_id,
        flags.rule,
        flags.grade,
        flags.detail || '; the same figure as in '
        || case when own.source_id = copies.source_id then own.file_name else own.source_id end as detail,
        flags.proposed_value
    from {{ flags }} as flags
    inner join {{ copied }} as copied on flags.observation_id = copied.observation_id
    inner join {{ ref('int_observations_corrected') }} as own on copied.observation_id = own.observation_id
    inner join {{ ref('int_observations_corrected') }} as copies on copied.copy_id = copies.observation_id
    where flags.grade <> 'warned'
{%- endmacro %}

{#- Whether so many of some figures (a window) are like this that the others are doubted with them. -#}
{% macro are_most(like_this, figures, of='true', share='unsupported_share') -%}
    count(*) filter (where {{ like_this }}) over {{ figures }}
    >= greatest(unsupported_cells, {{ share }} * count(*) filter (where {{ of }}) over {{ figures }})
{%- endmacro %}
