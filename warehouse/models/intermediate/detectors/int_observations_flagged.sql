-- grain: one row is one flag of one rule on one value
-- key: observation_id, rule
{% set rules = [
    'sign', 'structure', 'index_for_growth', 'current_prices', 'growth_fraction', 'growth_range', 'wrong_entity', 'row_shift', 'swap', 'year_offset',
    'duplicated_block', 'unit_factor', 'stale', 'outvoted', 'level_run', 'spike', 'series_end', 'identity', 'unsupported', 'isolated_mismatch',
    'constructed', 'vintage', 'level_break'
] -%}

{% set models = [
    'exact', 'basis', 'rate_table', 'misplaced', 'unit_factor', 'wrong_entity', 'stale', 'identity', 'level_run', 'spike', 'level_run_alone',
    'spike_left', 'mismatch', 'outvoted', 'vintage_break', 'level_break', 'constructed'
] -%}

-- rules that cast doubt on the whole table, because its other values may be wrong and look right; `unit_factor` is not among them,
-- because a wrong unit is visible in each value
{% set causes = ['index_for_growth', 'current_prices', 'growth_fraction', 'row_shift', 'year_offset', 'outvoted'] -%}

{% set column = 'source_id, edition_year, file_name, indicator_id' -%}

with detected as (
    {% for model in models %}
        select * from {{ ref('int_observations_' ~ model) }}
        {% if not loop.last %}union all by name{% endif %}
    {% endfor %}
),

-- a value accuses no copies if its table, or its province in the table, is refused as a whole, or any other table of its series
accusing as (
    select * from detected
    where observation_id not in (
        select matched.observation_id from {{ ref('int_values_matched') }} as matched
        where matched.block = 'province' and matched.grade = 'blocked'
        union all
        select rate_table.observation_id from {{ ref('int_observations_rate_table') }} as rate_table
        union all
        select series.observation_id from {{ ref('int_values_series') }} as series
        inner join {{ ref('int_blocks_graded') }} as graded on series.series_no = graded.series_no
        where graded.block = 'table' and graded.grade = 'blocked'
    )
),

shared as (
    select * from detected
    union all
    {{ flags_of_copies('accusing', ref('int_values_copied')) }}
),

refused as (
    select
        observation_id,
        bool_or(list_contains({{ causes }}, rule)) as is_cause,
        bool_or(rule = 'year_offset') as is_late,
        bool_or(rule = 'unit_factor') as is_of_other_unit
    from shared
    where grade = 'blocked'
    group by observation_id
),

figures as (
    select
        observations.*,
        limits.unsupported_cells,
        limits.unsupported_share,
        limits.rate_table_cities,
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
        same_province as (partition by {{ column }}, "year", city_id // 10000),
        same_city as (partition by {{ column }}, city_id)
),

column_years as (
    select
        {{ column }},
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
    group by {{ column }}, "year"
    window
        years_beside as (
            partition by {{ column }} order by "year" range between 1 preceding and 1 following exclude current row
        )
),

-- a table that nothing is compared with counts as late if the nearest tables of its column that can be compared are late
columns_checked as (
    select
        *,
        n_of_table >= n_most as is_table,
        is_table or coalesce(
            last_value(is_late_run ignore nulls) over (of_column order by "year" rows between unbounded preceding and current row),
            first_value(is_late_run ignore nulls) over (of_column order by "year" rows between current row and unbounded following),
            false
        ) as is_column
    from column_years
    window of_column as (partition by {{ column }})
),

tables as (
    select
        compared.*,
        columns_checked.n_of_table,
        columns_checked.is_table,
        columns_checked.is_column
    from compared
    inner join columns_checked
        on
            {{ same_keys('compared', 'columns_checked', ['source_id', 'file_name', 'indicator_id', '"year"']) }}
            and compared.edition_year is not distinct from columns_checked.edition_year
),

-- sources of which most indicators are blocked
doubtful as (
    select
        source_id,
        count(*) filter (where not is_left) >= any_value(unsupported_share) * count(*) as is_refused
    from compared
    group by source_id, indicator_id
    window of_source as (partition by source_id)
    qualify count(*) filter (where is_refused) over of_source > 0.5 * (count(*) over of_source - 1)
),

-- figures of a source without a priority, or of a new edition, and whether they differ from one of a source with a priority
new_figures as (
    select
        paired.observation_id,
        paired.series_no,
        paired.priority = 999 as is_unknown,
        bool_or(abs(paired.gap) > limits.match_apart) as is_off
    from {{ ref('int_values_paired') }} as paired
    inner join {{ ref('int_indicator_limits') }} as limits on paired.indicator_id = limits.indicator_id
    where
        (paired.priority = 999 or {{ is_edition('paired.source_id') }})
        and paired.other_priority < 999
        and not {{ is_edition('paired.other_source_id') }}
        and paired.other_observation_id not in (select refused.observation_id from refused)
    group by all
),

-- all values of their series; a city, or a table, in which most new figures differ stands apart
parts as (
    select
        series.*,
        new_figures.* exclude (observation_id, series_no),
        limits.* exclude (indicator_id),
        {{ are_most('is_off', 'same_city', of='is_off is not null') }}
        or {{ are_most('is_off', 'same_table', of='is_off is not null') }} as is_apart
    from {{ ref('int_values_series') }} as series
    inner join {{ ref('int_indicator_limits') }} as limits on series.indicator_id = limits.indicator_id
    left join new_figures on series.observation_id = new_figures.observation_id
    where series.series_no in (select own.series_no from new_figures as own)
    window same_city as (partition by series.series_no, series.city_id), same_table as (partition by series.series_no, series."year")
),

-- so does a series of a source without a priority if more of the rest of it differ than of any two known sources
apart as (
    select observation_id
    from parts
    window same_series as (partition by series_no)
    qualify
        is_apart
        or {{ are_most('is_off and is_unknown and not is_apart', 'same_series',
            of='is_unknown and not is_apart', share='unsupported_series_share') }}
),

flags as (
    select * from shared
    union all by name
    -- a value that nobody else has, or of a refused table where others have another one
    select
        tables.observation_id,
        'unsupported' as rule,
        case
            when tables.is_column or tables.is_province or tables.is_city or apart.observation_id is not null then 'blocked'
            else 'warned'
        end as grade,
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
    left join apart on tables.observation_id = apart.observation_id
    where
        tables.is_left
        and (grade = 'blocked' or tables.source_id in (select doubtful.source_id from doubtful))
        and (tables.n_left = 1 or (tables.is_table and tables.observation_id not in (
            select paired.observation_id
            from {{ ref('int_values_paired') }} as paired
            inner join {{ ref('int_indicator_limits') }} as limits on paired.indicator_id = limits.indicator_id
            where
                abs(paired.gap) <= limits.veto_equal
                and paired.other_observation_id not in (select refused.observation_id from refused)
        )))
)

-- rules are ranked by their place in the list: the one that explains an error better comes first
select
    *,
    cast(list_position({{ rules }}, rule) as integer) as rule_rank
from flags
qualify row_number() over (partition by observation_id, rule order by grade asc, detail asc) = 1
