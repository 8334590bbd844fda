-- grain: one row is a block of a series most of whose values match different cells of another source in the same way
-- key: block_no
{% set by_block = ['source_id', 'series_no', 'other_source_id', 'kind', 'place_order', 'k', 'block', 'block_id'] -%}
{% set block = by_block | join(', ') -%}

with blocks as (
    {{ blocks_of(ref('int_values_candidates')) }}
),

blamed as (
    select
        {{ block }},
        blocks.indicator_id,
        priority,
        other_priority,
        row_number() over (order by {{ block }}) as block_no,
        any_value(limits.match_table_cities) as match_table_cities,
        count(*) filter (where is_match) >= any_value(limits.match_table_share * n_province) as is_most,
        count(*) over (
            partition by source_id, series_no, other_source_id, kind, least(k, block_id // 100), greatest(k, block_id // 100)
        ) = 2 as is_exchanged,
        min("year") filter (where is_match) as first_year,
        max("year") filter (where is_match) as last_year,
        count(*) filter (where is_match) as n_matches,
        {{ exact_median('own_distance') }} as distance,
        -- late years repeat a figure where they begin, early ones where they end
        case
            when kind <> 'year' then 0
            when k < 0 then {{ repeats_at('min', 'repeats_before') }}
            else {{ repeats_at('max', 'repeats_after') }}
        end as n_repeated,
        case
            when kind <> 'year' then 0
            when k < 0 then {{ repeats_at('max', 'other_repeats_after') }}
            else {{ repeats_at('min', 'other_repeats_before') }}
        end as n_other_repeated,
        {% for side, miss in [('', 'own'), ('other_', 'other')] -%}
            case
                when block = 'city'
                    then list_avg([
                        abs(arg_min_null({{ side }}step_before, "year") filter (where is_match)),
                        abs(arg_max_null({{ side }}step_after, "year") filter (where is_match))
                    ])
                else {{ exact_median('abs(' ~ side ~ 'log_value - ' ~ side ~ 'expected_log)') }}
            end as {{ miss }}_miss
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from blocks
    inner join {{ ref('int_indicator_limits') }} as limits on blocks.indicator_id = limits.indicator_id
    -- years that do not contradict the others are in the same run
    where is_match or kind = 'year'
    group by {{ block }}, blocks.indicator_id, priority, other_priority
    having
        case block
            when 'table'
                then count(*) >= greatest(match_table_cities, any_value(limits.match_table_share * n_table))
            when 'province' then count(*) filter (where is_exact) >= any_value(limits.match_province_rows)
            else
                count(*) filter (where is_exact) >= any_value(limits.match_city_years)
                and (kind = 'year' or count(*) >= any_value(limits.match_city_share * n_contradicted))
        end
),

-- many cities of a column, on both sides, that have others' figures and are not exchanged
coded as (
    select
        * exclude (match_table_cities),
        kind = 'city'
        and not is_exchanged
        and count(*) filter (where not is_exchanged) over (
            partition by indicator_id, least(source_id, other_source_id), greatest(source_id, other_source_id), kind
        ) >= 2 * match_table_cities as is_codes
    from blamed
),

-- the tables of a source that are off by the same are one fact, rows in all columns; so are two cities exchanged, and many cities under
-- the codes of others
found as (
    select
        *,
        dense_rank() over (
            order by source_id, other_source_id, kind, place_order, block, case
                when kind = 'city' and not is_codes then [series_no, least(k, block_id // 100), greatest(k, block_id // 100)]
                when kind = 'row' and block = 'table' then [k]
                when kind <> 'city' then [series_no, k, case when block <> 'table' then block_id end]
            end
        ) as fact_no
    from coded
    -- what is somebody's is not nobody's; where codes are shifted in all years, no rows slipped in one
    qualify
        not (kind = 'apart' and bool_or(kind <> 'apart') over (partition by series_no, other_source_id, block, block_id))
        -- an edition of which most is new is a revision
        and not (kind = 'apart' and {{ publisher_of('source_id') }} = {{ publisher_of('other_source_id') }})
        and not ((kind = 'apart' or block = 'province') and bool_or(is_codes) over (partition by series_no, other_source_id))
),

-- never is the one wrong that further sources stand by, copies of the other left out
votes as (
    select
        found.fact_no,
        count(*) filter (where abs(third.gap) < abs(round(third.other_log_value, 12) - blocks.other_log_value)) as n_for,
        count(*) filter (where abs(third.gap) > abs(round(third.other_log_value, 12) - blocks.other_log_value)) as n_against
    from found
    inner join blocks on {{ same_keys('found', 'blocks', by_block) }}
    inner join {{ ref('int_values_paired') }} as third on blocks.observation_id = third.observation_id
    inner join {{ ref('int_sources_related') }} as related
        on
            blocks.other_source_id = related.source_id
            and third.other_source_id = related.other_source_id
            and blocks.indicator_id = related.indicator_id
            and related.relation = 'independent'
    where blocks.is_match
    group by found.fact_no
),

-- rows or cities exchanged throughout leave no trend: how far each figure is, in its table, from the size of the city in further sources
sized as (
    select
        found.fact_no,
        sum(abs(blocks.size - others.size)) as own_off,
        sum(abs(blocks.other_size - others.size)) as other_off
    from found
    inner join blocks on {{ same_keys('found', 'blocks', by_block) }}
    inner join {{ ref('int_trends_placed') }} as others
        on
            blocks.city_id = others.city_id
            and blocks."year" = others."year"
            and others.source_id not in (blocks.source_id, blocks.other_source_id)
            and others.indicator_id in (select paired.indicator_id from {{ ref('int_values_paired') }} as paired)
    where blocks.is_match and blocks.kind in ('row', 'city', 'apart') and blocks.size <> blocks.other_size
    group by found.fact_no
)

select
    found.*,
    votes.* exclude (fact_no),
    sized.* exclude (fact_no)
from found
left join votes on found.fact_no = votes.fact_no
left join sized on found.fact_no = sized.fact_no
