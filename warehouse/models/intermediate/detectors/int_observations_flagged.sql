-- grain: one row is one flag of one rule on one value
-- key: observation_id, rule
{% set rules = [
    'sign', 'structure', 'index_for_growth', 'current_prices', 'growth_fraction', 'growth_range', 'wrong_entity', 'row_shift', 'swap', 'year_offset',
    'duplicated_block', 'unit_factor', 'stale', 'outvoted', 'level_run', 'spike', 'series_end', 'identity', 'isolated_mismatch', 'constructed', 'vintage', 'level_break'
] -%}

{% set models = [
    'exact', 'basis', 'misplaced', 'unit_factor', 'wrong_entity', 'stale', 'identity', 'level_run', 'spike', 'level_run_alone',
    'spike_left', 'mismatch', 'vintage_break', 'level_break', 'constructed'
] -%}

with flags as (
    {% for model in models %}
        select * from {{ ref('int_observations_' ~ model) }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

-- of two rules the one that explains the error better comes first
select
    *,
    cast(list_position({{ rules }}, rule) as integer) as rule_rank
from flags
qualify row_number() over (partition by observation_id, rule order by grade asc, detail asc) = 1
