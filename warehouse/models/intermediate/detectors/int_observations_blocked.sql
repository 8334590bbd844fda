-- grain: one row is one value of int_values_series that the first pass blocks; the second pass looks at the series without it
-- key: observation_id
{% set rules = ['misplaced', 'unit_factor', 'spike', 'stale', 'identity', 'wrong_entity', 'level_run'] -%}

with flags as (
    {% for rule in rules %}
        select
            observation_id,
            grade
        from {{ ref('int_observations_' ~ rule) }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

final as (
    select distinct observation_id
    from flags
    where grade = 'blocked'
)

select * from final
