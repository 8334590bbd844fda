-- grain: one row is one value of int_values_series that the first pass blocks; the second pass looks at the series without it
-- key: observation_id
with flags as (
    select
        observation_id,
        grade
    from {{ ref('int_observations_unit_factor') }}
    union all
    select
        observation_id,
        grade
    from {{ ref('int_observations_spike') }}
    union all
    select
        observation_id,
        grade
    from {{ ref('int_observations_row_shift') }}
    union all
    select
        observation_id,
        grade
    from {{ ref('int_observations_swap') }}
    union all
    select
        observation_id,
        grade
    from {{ ref('int_observations_city_swaps') }}
    union all
    select
        observation_id,
        grade
    from {{ ref('int_observations_year_offset') }}
    union all
    select
        observation_id,
        grade
    from {{ ref('int_observations_stale') }}
    union all
    select
        observation_id,
        grade
    from {{ ref('int_observations_duplicated_block') }}
    union all
    select
        observation_id,
        grade
    from {{ ref('int_observations_identity') }}
    union all
    select
        observation_id,
        grade
    from {{ ref('int_observations_wrong_entity') }}
    union all
    select
        observation_id,
        grade
    from {{ ref('int_observations_place_shift') }}
    union all
    select
        observation_id,
        grade
    from {{ ref('int_observations_shifted_rows') }}
    union all
    select
        observation_id,
        grade
    from {{ ref('int_observations_outvoted') }}
    union all
    select
        observation_id,
        grade
    from {{ ref('int_observations_level_run') }}
),

final as (
    select distinct observation_id
    from flags
    where grade = 'blocked'
)

select * from final
