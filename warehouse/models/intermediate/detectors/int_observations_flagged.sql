-- grain: one row is one flag of one rule on one value
-- key: observation_id, rule
{% set rules = [
    'sign', 'structure', 'index_for_growth', 'current_prices', 'growth_fraction', 'growth_range', 'wrong_entity', 'row_shift', 'swap', 'year_offset',
    'duplicated_block', 'unit_factor', 'stale', 'outvoted', 'level_run', 'spike', 'series_end', 'identity', 'unsupported', 'isolated_mismatch',
    'constructed', 'vintage', 'level_break'
] -%}

{% set models = [
    'exact', 'basis', 'rate_table', 'misplaced', 'unit_factor', 'wrong_entity', 'stale', 'identity', 'level_run', 'spike', 'level_run_alone',
    'spike_left', 'mismatch', 'vintage_break', 'level_break', 'constructed'
] -%}

-- rules that cast doubt on the whole table, because its other values may be wrong and look right; `unit_factor` is not among them,
-- because a wrong unit is visible in each value
{% set causes = ['index_for_growth', 'current_prices', 'growth_fraction', 'row_shift', 'year_offset', 'outvoted'] -%}

with detected as (
    {% for model in models %}
        select * from {{ ref('int_observations_' ~ model) }}
        {% if not loop.last %}union all by name{% endif %}
    {% endfor %}
),

-- a value accuses no copies if its table, or its province in the table, is refused as a whole, or any other table of its series
accusing as (
    select detected.*
    from detected
    left join {{ ref('int_values_series') }} as series on detected.observation_id = series.observation_id
    where
        detected.observation_id not in (
            select matched.observation_id from {{ ref('int_values_matched') }} as matched
            where matched.block = 'province' and matched.grade = 'blocked'
            union all
            select rate_table.observation_id from {{ ref('int_observations_rate_table') }} as rate_table
        )
        and coalesce(series.series_no, 0) not in (
            select graded.series_no from {{ ref('int_blocks_graded') }} as graded
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
        bool_or(rule in {{ causes | string | replace('[', '(') | replace(']', ')') }}) as is_cause,
        bool_or(rule = 'year_offset') as is_late,
        bool_or(rule = 'unit_factor') as is_of_other_unit
    from shared
    where grade = 'blocked'
    group by observation_id
),

-- each value with the number of blocked values in its cell, province and city; these decide about values that no other source has
compared as (
    select
        observations.observation_id,
        observations.source_id,
        observations.edition_year,
        observations.file_name,
        observations.indicator_id,
        observations."year",
        observations."value",
        limits.same_as,
        limits.unsupported_cells,
        limits.unsupported_share,
        limits.rate_table_cities,
        rates.level_growth_pct is not null as has_level,
        coalesce(rates.is_level_of_others, false) as has_level_of_others,
        coalesce(refused.is_cause, false) as is_cause,
        coalesce(refused.is_late, false) as is_late,
        refused.observation_id is null as is_left,
        count(*) over same_cell as n_figures,
        count(*) filter (where refused.observation_id is null) over same_cell as n_left,
        count(*) filter (where refused.is_cause) over same_province as n_of_province,
        n_of_province >= greatest(limits.unsupported_cells, limits.unsupported_share * count(*) over same_province) as is_province,
        count(*) filter (where refused.is_of_other_unit) over same_city
        >= greatest(limits.unsupported_cells, limits.unsupported_share * count(*) over same_city) as is_city
    from {{ ref('int_observations_corrected') }} as observations
    inner join {{ ref('int_indicator_limits') }} as limits on observations.indicator_id = limits.indicator_id
    left join refused on observations.observation_id = refused.observation_id
    left join {{ ref('int_rates_delivered') }} as rates on observations.observation_id = rates.observation_id
    where observations.place_level = 'city'
    window
        same_cell as (partition by observations.indicator_id, observations.city_id, observations."year"),
        same_province as (
            partition by
                observations.source_id,
                observations.edition_year,
                observations.file_name,
                observations.indicator_id,
                observations."year",
                observations.city_id // 10000
        ),
        same_city as (
            partition by
                observations.source_id,
                observations.edition_year,
                observations.file_name,
                observations.indicator_id,
                observations.city_id
        )
),

column_years as (
    select
        source_id,
        edition_year,
        file_name,
        indicator_id,
        "year",
        count(*) filter (where is_cause) as n_refused,
        n_refused >= greatest(any_value(unsupported_cells), any_value(unsupported_share) * count(*)) as is_refused,
        -- null if nothing is compared with the table; levels of the same source may be as late as its rates
        case
            when
                n_refused > 0
                or count(*) filter (where n_figures > 1) >= any_value(unsupported_share) * count(*)
                or count(*) filter (where has_level_of_others) >= any_value(rate_table_cities)
                then count(*) filter (where is_late) >= greatest(any_value(unsupported_cells), any_value(unsupported_share) * count(*))
        end as is_late_table,
        coalesce(
            is_late_table, case when count(*) filter (where has_level) >= any_value(rate_table_cities) then false end
        ) as is_late_by_levels,
        -- a single late table next to a table of the right year says nothing about other years
        coalesce(bool_or(is_late_by_levels) over years_beside, true) as is_run,
        case when is_late_table is not null then is_late_table and is_run end as is_late_run
    from compared
    group by source_id, edition_year, file_name, indicator_id, "year"
    window
        years_beside as (
            partition by source_id, edition_year, file_name, indicator_id
            order by "year" range between 1 preceding and 1 following exclude current row
        )
),

-- a table that nothing is compared with counts as late if the nearest tables of its column that can be compared are late
columns_judged as (
    select
        *,
        is_refused or coalesce(
            last_value(is_late_run ignore nulls) over (of_column order by "year" rows between unbounded preceding and current row),
            first_value(is_late_run ignore nulls) over (of_column order by "year" rows between current row and unbounded following),
            false
        ) as is_column
    from column_years
    window of_column as (partition by source_id, edition_year, file_name, indicator_id)
),

tables as (
    select
        compared.*,
        columns_judged.is_refused as is_table,
        columns_judged.is_column,
        columns_judged.n_refused as n_of_table
    from compared
    inner join columns_judged
        on
            {{ same_keys('compared', 'columns_judged', ['source_id', 'file_name', 'indicator_id', '"year"']) }}
            and compared.edition_year is not distinct from columns_judged.edition_year
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
        paired.city_id,
        paired."year",
        any_value(paired.priority) = 999 as is_unknown,
        any_value(limits.unsupported_cells) as least_cells,
        any_value(limits.unsupported_share) as least_share,
        any_value(limits.unsupported_series_share) as least_series_share,
        bool_or(abs(paired.gap) > limits.match_apart) as is_off
    from {{ ref('int_values_paired') }} as paired
    inner join {{ ref('int_indicator_limits') }} as limits on paired.indicator_id = limits.indicator_id
    where
        (paired.priority = 999 or {{ is_edition('paired.source_id') }})
        and paired.other_priority < 999
        and not {{ is_edition('paired.other_source_id') }}
        and paired.other_observation_id not in (select refused.observation_id from refused)
    group by paired.observation_id, paired.series_no, paired.city_id, paired."year"
),

-- how many figures of each city and of each table differ; one of which most do (least_off) stands apart
cities_and_tables as (
    select
        series_no,
        city_id,
        "year",
        count(*) filter (where is_off) as n_off,
        count(*) as n_new,
        greatest(any_value(least_cells), any_value(least_share) * n_new) as least_off
    from new_figures
    group by grouping sets ((series_no, city_id), (series_no, "year"))
),

-- the same for the rest of a series of a source without a priority; least_off is more than any two known sources differ by
parts as (
    select * from cities_and_tables
    union all by name
    select
        series_no,
        count(*) filter (where is_off) as n_off,
        count(*) as n_new,
        greatest(any_value(least_cells), any_value(least_series_share) * n_new) as least_off
    from new_figures
    where
        is_unknown
        and not exists (
            select 1
            from cities_and_tables as apart
            where
                apart.series_no = new_figures.series_no
                and (apart.city_id = new_figures.city_id or apart."year" = new_figures."year")
                and apart.n_off >= apart.least_off
        )
    group by series_no
),

apart as (
    select series.observation_id
    from parts
    inner join {{ ref('int_values_series') }} as series
        on
            parts.series_no = series.series_no
            and coalesce(parts.city_id, series.city_id) = series.city_id
            and coalesce(parts."year", series."year") = series."year"
    where parts.n_off >= parts.least_off
),

-- figures that another source has too
agreed as (
    select paired.observation_id
    from {{ ref('int_values_paired') }} as paired
    inner join {{ ref('int_indicator_limits') }} as limits on paired.indicator_id = limits.indicator_id
    where abs(paired.gap) <= limits.veto_equal and paired.other_observation_id not in (select refused.observation_id from refused)
),

-- a value that nobody else has, or of a refused table where others have another one
alone as (
    select
        *,
        -- not for an index (same_as), which has no other index to be compared with
        same_as is null and observation_id in (select apart.observation_id from apart) as is_apart,
        source_id in (select doubtful.source_id from doubtful) as is_doubtful
    from tables
    where
        is_left
        and (n_left = 1 or (is_table and observation_id not in (select agreed.observation_id from agreed)))
),

flags as (
    select * from shared
    union all by name
    select
        observation_id,
        'unsupported' as rule,
        case when is_column or is_province or is_city or is_apart then 'blocked' else 'warned' end as grade,
        'expected a figure that another source has, found ' || {{ short_number('"value"') }} || case
            when is_table then ' in a table that is refused; so in ' || n_of_table || ' figures of it'
            when is_province then ' in a table that is refused; so in ' || n_of_province || ' of its province'
            when is_city then '; most figures of the city are in another unit in its file'
            when is_apart then '; its source is new, and stands apart from a known one in too much of the city, the table or the series'
            when is_column then '; nobody else has its table, and that of the year beside it is another year''s'
            else '; most other indicators of its source are refused'
        end as detail
    from alone
    where is_column or is_province or is_city or is_apart or is_doubtful
)

-- rules are ranked by their place in the list: the one that explains an error better comes first
select
    *,
    cast(list_position({{ rules }}, rule) as integer) as rule_rank
from flags
qualify row_number() over (partition by observation_id, rule order by grade asc, detail asc) = 1
