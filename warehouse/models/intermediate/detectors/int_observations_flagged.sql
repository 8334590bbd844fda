-- grain: one row is one flag of one rule on one value
-- key: observation_id, rule
{% set rules = [
    'sign', 'structure', 'index_for_growth', 'current_prices', 'growth_fraction', 'growth_range', 'wrong_entity', 'row_shift', 'swap', 'year_offset',
    'duplicated_block', 'unit_factor', 'stale', 'outvoted', 'level_run', 'spike', 'series_end', 'identity', 'unsupported', 'isolated_mismatch',
    'constructed', 'vintage', 'level_break'
] -%}

-- rules that cast doubt on the whole table, because its other values may be wrong and look right; `unit_factor` is not among them,
-- because a wrong unit is visible in each value
{% set causes = ['index_for_growth', 'current_prices', 'growth_fraction', 'row_shift', 'year_offset', 'outvoted'] -%}

with refused as (
    select
        observation_id,
        bool_or(list_contains({{ causes }}, rule)) as is_cause,
        bool_or(rule = 'year_offset') as is_late,
        bool_or(rule = 'unit_factor') as is_of_other_unit
    from {{ ref('int_observations_detected') }}
    where grade = 'blocked'
    group by observation_id
),

figures as (
    select
        observations.*,
        limits.* exclude (indicator_id),
        dense_rank() over (
            order by observations.source_id, observations.edition_year, observations.file_name, observations.indicator_id
        ) as column_no,
        rates.level_growth_pct,
        rates.is_level_of_others,
        refused.* exclude (observation_id),
        refused.observation_id is null as is_left
    from {{ ref('int_observations_corrected') }} as observations
    inner join {{ ref('int_indicator_limits') }} as limits on observations.indicator_id = limits.indicator_id
    left join refused on observations.observation_id = refused.observation_id
    left join {{ ref('int_rates_delivered') }} as rates on observations.observation_id = rates.observation_id
    where observations.place_level = 'city'
),

-- how much of each value's cell, province and city is refused; this decides about values that no other source has
compared as (
    select
        *,
        count(*) over same_cell as n_figures,
        count(*) filter (where is_left) over same_cell as n_left,
        count(*) filter (where is_cause) over same_province as n_of_province,
        {{ are_most('is_cause', 'same_province') }} as is_province,
        {{ are_most('is_of_other_unit', 'same_city') }} as is_city
    from figures
    window
        same_cell as (partition by indicator_id, city_id, "year"),
        same_province as (partition by column_no, "year", city_id // 10000),
        same_city as (partition by column_no, city_id)
),

column_years as (
    select
        column_no,
        "year",
        count(*) filter (where is_cause) as n_of_table,
        greatest(any_value(unsupported_cells), any_value(unsupported_share) * count(*)) as n_most,
        -- null if nothing is compared with the table; levels of the same source may be as late as its rates
        case
            when
                n_of_table > 0
                or count(*) filter (where n_figures > 1) >= any_value(unsupported_share) * count(*)
                or count(*) filter (where is_level_of_others) >= any_value(rate_table_cities)
                then count(*) filter (where is_late) >= n_most
        end as is_late_table,
        coalesce(is_late_table, case when count(level_growth_pct) >= any_value(rate_table_cities) then false end) as is_late_by_levels,
        -- a single late table next to a table of the right year says nothing about other years
        case when is_late_table then coalesce(bool_or(is_late_by_levels) over years_beside, true) else is_late_table end as is_late_run
    from compared
    group by column_no, "year"
    window years_beside as (partition by column_no order by "year" range between 1 preceding and 1 following exclude current row)
),

-- a table that nothing is compared with counts as late if the nearest tables of its column that can be compared are late
tables as (
    select
        compared.*,
        column_years.n_of_table,
        column_years.n_of_table >= column_years.n_most as is_table,
        is_table or coalesce(
            last_value(column_years.is_late_run ignore nulls) over (of_column range between unbounded preceding and current row),
            first_value(column_years.is_late_run ignore nulls) over (of_column range between current row and unbounded following),
            false
        ) as is_column
    from compared
    inner join column_years on compared.column_no = column_years.column_no and compared."year" = column_years."year"
    window of_column as (partition by compared.column_no order by compared."year")
),

-- sources of which most indicators are blocked
doubtful as (
    select
        source_id,
        count(*) filter (where not is_left) >= any_value(unsupported_share) * count(*) as is_refused
    from compared
    group by source_id, indicator_id
    qualify count(*) filter (where is_refused) over (partition by source_id) > 0.5 * (count(*) over (partition by source_id) - 1)
),

-- a value that nobody else has, or of a refused table where others have another one
unsupported as (
    select
        tables.observation_id,
        'unsupported' as rule,
        if(tables.is_column or tables.is_province or tables.is_city or apart.observation_id is not null, 'blocked', 'warned') as grade,
        'expected a figure that another source has, found ' || {{ short_number('tables."value"') }} || case
            when tables.is_table then ' in a table that is refused; so in ' || tables.n_of_table || ' figures of it'
            when tables.is_province then ' in a table that is refused; so in ' || tables.n_of_province || ' of its province'
            when tables.is_city then '; most figures of the city are in another unit in its file'
            when apart.observation_id is not null
                then '; its source is new, and stands apart from a known one in too much of the city, the table or the series'
            when tables.is_column then '; nobody else has its table, and that of the year beside it is another year''s'
            else '; most other indicators of its source are refused'
        end as detail
    from tables
    left join {{ ref('int_values_apart') }} as apart on tables.observation_id = apart.observation_id
    where
        tables.is_left
        and (grade = 'blocked' or tables.source_id in (select doubtful.source_id from doubtful))
        and (tables.n_left = 1 or (tables.is_table and tables.observation_id not in (
            select paired.observation_id
            from {{ ref('int_values_paired') }} as paired
            inner join {{ ref('int_indicator_limits') }} as limits on paired.indicator_id = limits.indicator_id
            where abs(paired.gap) <= limits.veto_equal
        )))
)

-- rules are ranked by their place in the list: the one that explains an error better comes first
select
    *,
    cast(list_position({{ rules }}, rule) as integer) as rule_rank
from (
    select * from {{ ref('int_observations_detected') }}
    union all by name
    select * from unsupported
) as flags
