-- grain: one row is a value that matches a different cell of another source, or none in a table that mostly matches none
-- key: observation_id
{% set by_block = ['source_id', 'series_no', 'other_source_id', 'kind', 'place_order', 'k', 'block', 'block_id'] -%}

with blocks as (
    {{ blocks_of(ref('int_values_candidates')) }}
),

-- a table that is refused speaks for nobody
refused_tables as (
    select
        series_no,
        block_id as "year"
    from {{ ref('int_blocks_graded') }}
    where block = 'table' and grade = 'blocked'
),

-- all of a table loses its word, and all of a province most of whose rows are shifted, of rates, which are alike, where some are; so do all
-- years between the first and the last of a run
members as (
    select
        graded.block_no,
        trends.observation_id
    from {{ ref('int_blocks_graded') }} as graded
    inner join {{ ref('int_trends_placed') }} as trends
        on
            graded.series_no = trends.series_no
            and graded.block_id = case
                when graded.block = 'table' then trends."year"
                when graded.block = 'province' and (graded.is_most or trends.rate_unit is not null)
                    then trends."year" * 1000 + trends.city_id // 10000
            end
    union
    select
        graded.block_no,
        blocks.observation_id
    from {{ ref('int_blocks_graded') }} as graded
    inner join blocks on {{ same_keys('graded', 'blocks', by_block) }}
    inner join {{ ref('int_indicator_limits') }} as limits on blocks.indicator_id = limits.indicator_id
    where
        graded.block <> 'table'
        and (blocks.other_series_no, blocks."year") not in (from refused_tables)
        and (blocks.is_match or graded.block = 'province' or blocks."year" between graded.first_year and graded.last_year)
    qualify
        graded.block <> 'city'
        or count(*) filter (where blocks.is_match) over (partition by graded.block_no) >= limits.match_city_years
    union
    -- other vintages inside a run
    select
        graded.block_no,
        pairs.observation_id
    from {{ ref('int_blocks_graded') }} as graded
    inner join {{ ref('int_values_paired') }} as pairs
        on
            graded.series_no = pairs.series_no
            and graded.other_source_id = pairs.other_source_id
            and graded.block_id // 100 = pairs.city_id
            and pairs."year" between graded.first_year and graded.last_year
    inner join {{ ref('int_indicator_limits') }} as limits on pairs.indicator_id = limits.indicator_id
    inner join {{ ref('int_trends_placed') }} as witness on pairs.other_observation_id = witness.observation_id
    inner join {{ ref('int_trends_placed') }} as there
        on witness.series_no = there.series_no and pairs."year" = there."year" and graded.k = there.city_id
    where
        graded.kind = 'city'
        and (witness.series_no, pairs."year") not in (from refused_tables)
        and abs(round(pairs.log_value, 12) - there.log_value) <= limits.match_left_share * abs(pairs.gap)
)

select
    members.observation_id,
    graded.kind,
    graded.k,
    graded.block,
    graded.other_source_id,
    graded.grade,
    graded.first_year,
    graded.last_year,
    graded.n_matches,
    trends.log_value,
    trends.rate_unit,
    trends."year",
    round(pairs.other_log_value, 12) as other_log_value
from members
inner join {{ ref('int_blocks_graded') }} as graded on members.block_no = graded.block_no
inner join {{ ref('int_trends_placed') }} as trends on members.observation_id = trends.observation_id
left join {{ ref('int_values_paired') }} as pairs
    on members.observation_id = pairs.observation_id and graded.other_source_id = pairs.other_source_id
where graded.grade is not null
qualify row_number() over (
    partition by members.observation_id
    order by
        graded.grade asc,
        graded.kind = 'apart' asc,
        graded.n_matches desc,
        graded.other_source_id asc,
        graded.kind asc,
        graded.k asc
) = 1
