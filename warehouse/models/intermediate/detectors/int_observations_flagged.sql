-- grain: one row is one flag of one rule on one value
-- key: observation_id, rule
{% set rules = [
    'sign', 'structure', 'index_for_growth', 'growth_fraction', 'growth_range', 'wrong_entity', 'row_shift', 'swap', 'year_offset',
    'duplicated_block', 'unit_factor', 'stale', 'outvoted', 'level_run', 'spike', 'series_end', 'identity', 'isolated_mismatch', 'vintage', 'level_break'
] -%}

with flags as (
    select * from {{ ref('int_observations_exact') }}
    union all
    select * from {{ ref('int_observations_unit_factor') }}
    union all
    select * from {{ ref('int_observations_row_shift') }}
    union all
    select * from {{ ref('int_observations_swap') }}
    union all
    select * from {{ ref('int_observations_city_swaps') }}
    union all
    select * from {{ ref('int_observations_year_offset') }}
    union all
    select * from {{ ref('int_observations_wrong_entity') }}
    union all
    select * from {{ ref('int_observations_duplicated_block') }}
    union all
    select * from {{ ref('int_observations_stale') }}
    union all
    select * from {{ ref('int_observations_identity') }}
    union all
    select * from {{ ref('int_observations_place_shift') }}
    union all
    select * from {{ ref('int_observations_shifted_rows') }}
    union all
    select * from {{ ref('int_observations_outvoted') }}
    union all
    select * from {{ ref('int_observations_level_run') }}
    union all
    select * from {{ ref('int_observations_spike') }}
    union all
    select * from {{ ref('int_observations_level_run_alone') }}
    union all
    select * from {{ ref('int_observations_spike_left') }}
    union all
    select * from {{ ref('int_observations_unit_persists') }}
    union all
    select * from {{ ref('int_observations_mismatch') }}
    union all
    select * from {{ ref('int_observations_vintage_break') }}
    union all
    select * from {{ ref('int_observations_scope_change') }}
    union all
    select * from {{ ref('int_observations_level_break') }}
),

-- of two rules the one that explains the error better comes first
ranked as (
    select
        *,
        case grade when 'blocked' then 3 when 'quarantined' then 2 when 'warned' then 1 end as grade_rank,
        list_position({{ rules }}, rule) as rule_rank
    from flags
),

final as (
    select
        observation_id,
        rule,
        grade,
        cast(grade_rank as integer) as grade_rank,
        cast(rule_rank as integer) as rule_rank,
        detail,
        proposed_value
    from ranked
    qualify row_number() over (partition by observation_id, rule order by grade_rank desc, detail asc) = 1
)

select * from final
