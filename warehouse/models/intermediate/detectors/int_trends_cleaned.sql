-- grain: one row is one value of int_values_series that the first pass did not block, with its deviation from the growth of its province
-- key: observation_id
{% set rules = ['misplaced', 'unit_factor', 'spike', 'stale', 'identity', 'wrong_entity', 'level_run'] -%}
with series as (
    select * from {{ ref('int_values_series') }}
    where observation_id not in (
        {% for rule in rules %}
            select observation_id from {{ ref('int_observations_' ~ rule) }}
            where grade = 'blocked'
            {% if not loop.last %}union all{% endif %}
        {% endfor %}
    )
),

{{ trend_residual_ctes('series') }}

select * from residuals
