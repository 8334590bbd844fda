-- grain: one row is one flag of one rule on one value
-- key: observation_id, rule
{% set rules = [
    'sign', 'structure', 'index_for_growth', 'current_prices', 'growth_fraction', 'growth_range', 'wrong_entity', 'row_shift', 'swap', 'year_offset',
    'duplicated_block', 'unit_factor', 'stale', 'outvoted', 'level_run', 'spike', 'series_end', 'identity', 'unsupported', 'isolated_mismatch',
    'constructed', 'vintage', 'level_break'
] -%}

{% set models = [
    'exact', 'basis', 'misplaced', 'unit_factor', 'wrong_entity', 'stale', 'identity', 'level_run', 'spike', 'level_run_alone',
    'spike_left', 'mismatch', 'vintage_break', 'level_break', 'constructed'
] -%}

-- what tells that a table is not what it is taken for, and what its other values do not show; a wrong unit shows in each
{% set causes = ['index_for_growth', 'current_prices', 'growth_fraction', 'row_shift', 'year_offset', 'outvoted'] -%}

with detected as (
    {% for model in models %}
        select * from {{ ref('int_observations_' ~ model) }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

shared as (
    select * from detected
    union all
    {{ flags_of_copies('detected') }}
),

refused as (
    select
        observation_id,
        bool_or(rule in {{ causes | string | replace('[', '(') | replace(']', ')') }}) as is_cause
    from shared
    where grade = 'blocked'
    group by observation_id
),

-- values that nobody else has, in a table or in the rows of a province most of which is refused
tables as (
    select
        observations.observation_id,
        observations.source_id,
        observations.indicator_id,
        observations."value",
        limits.unsupported_share,
        coalesce(refused.is_cause, false) as is_cause,
        refused.observation_id is null as is_left,
        count(*) filter (where refused.observation_id is null) over same_cell as n_left,
        {% for block in ['table', 'province'] -%}
            count(*) filter (where refused.is_cause) over same_{{ block }} as n_of_{{ block }},
            n_of_{{ block }} >= greatest(
                limits.unsupported_cells, limits.unsupported_share * count(*) over same_{{ block }}
            ) as is_{{ block }}
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from {{ ref('int_observations_corrected') }} as observations
    inner join {{ ref('int_indicator_limits') }} as limits on observations.indicator_id = limits.indicator_id
    left join refused on observations.observation_id = refused.observation_id
    where observations.place_level = 'city'
    window
        same_cell as (partition by observations.indicator_id, city_id, "year"),
        same_table as (partition by source_id, edition_year, file_name, observations.indicator_id, "year"),
        same_province as (partition by source_id, edition_year, file_name, observations.indicator_id, "year", city_id // 10000)
),

indicators as (
    select
        source_id,
        indicator_id,
        count(*) filter (where is_cause) >= any_value(unsupported_share) * count(*) as is_refused
    from tables
    group by source_id, indicator_id
),

-- sources of which all but some indicators are refused
doubtful as (
    select source_id
    from indicators
    group by source_id
    having count(*) filter (where is_refused) > 0.5 * (count(*) - 1)
),

unsupported as (
    select
        *,
        case when is_table or is_province then 'blocked' else 'warned' end as grade
    from tables
    where is_left and n_left = 1 and (is_table or is_province or source_id in (select doubtful.source_id from doubtful))
),

flags as (
    select * from shared
    union all
    select
        observation_id,
        'unsupported' as rule,
        grade,
        'expected a figure that another source has, found ' || {{ short_number('"value"') }} || case
            when is_table then ' in a table that is refused; so in ' || n_of_table || ' figures of it'
            when is_province then ' in a table that is refused; so in ' || n_of_province || ' of its province'
            else '; most other indicators of its source are refused'
        end as detail,
        cast(null as double) as proposed_value
    from unsupported
)

-- of two rules the one that explains the error better comes first
select
    *,
    cast(list_position({{ rules }}, rule) as integer) as rule_rank
from flags
qualify row_number() over (partition by observation_id, rule order by grade asc, detail asc) = 1
