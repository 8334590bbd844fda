-- grain: one row is one flag of one rule of the detectors on one value, or on a copy of a value that the rule blocks or quarantines
-- key: observation_id, rule
{% set models = [
    'exact', 'basis', 'rate_table', 'misplaced', 'unit_factor', 'wrong_entity', 'stale', 'identity', 'level_run', 'spike', 'level_run_alone',
    'spike_left', 'mismatch', 'outvoted', 'vintage_break', 'level_break', 'constructed'
] -%}

with detected as (
    {% for model in models %}
        select * from {{ ref('int_observations_' ~ model) }}
        {% if not loop.last %}union all by name{% endif %}
    {% endfor %}
),

-- a value accuses no copies if its table, or its province in the table, is refused as a whole, or any other table of its series
accusing as (
    select * from detected
    where
        observation_id not in {{ observations_where(ref('int_values_matched'), "block = 'province' and grade = 'blocked'") }}
        and observation_id not in {{ observations_where(ref('int_observations_rate_table')) }}
        and observation_id not in (
            select series.observation_id from {{ ref('int_values_series') }} as series
            inner join {{ ref('int_blocks_graded') }} as graded on series.series_no = graded.series_no
            where graded.block = 'table' and graded.grade = 'blocked'
        )
)

select *
from (
    select * from detected
    union all
    {{ flags_of_copies('accusing', ref('int_values_copied')) }}
) as flags
qualify row_number() over (partition by observation_id, rule order by grade asc, detail asc) = 1
