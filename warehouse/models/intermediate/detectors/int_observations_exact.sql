-- grain: one row is one flag of a rule that needs no trend: sign, structure, index for growth, growth as a fraction, growth range
-- key: observation_id, rule
with final as (
    select * from {{ ref('int_observations_sign') }}
    union all
    select * from {{ ref('int_observations_structure') }}
    union all
    select * from {{ ref('int_observations_index_for_growth') }}
    union all
    select * from {{ ref('int_observations_growth_range') }}
    union all
    select * from {{ ref('int_observations_growth_fraction') }}
)

select * from final
