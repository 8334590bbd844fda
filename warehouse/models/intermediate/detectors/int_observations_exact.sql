-- grain: one row is one flag of a rule that looks at a value, its row or its column, and needs no trend
-- key: observation_id, rule
with delivered as (
    select
        *,
        count(*) over delivered_row as n_cells,
        max(abs("value")) over delivered_row as row_max
    from {{ ref('int_observations_corrected') }}
    window delivered_row as (partition by source_id, edition_year, file_name, sheet_name, row_no)
),

checked as (
    select
        observations.*,
        catalog.* exclude (indicator_id, place_level),
        catalog.kind = 'rate'
        and catalog.canonical_unit = 'pct'
        and catalog.max_value < 75
        and observations."value" between 75 and 145 as is_index,
        -- two cells may both be true zeros (mining and fishing in an inland city); three or more are an unfilled row, but for counts of a
        -- place that has few things in the years beside, too: where 8 are usual, none is a chance of one in three thousand
        observations.row_no is not null
        and observations.n_cells >= 3
        and observations.row_max = 0
        and (catalog.canonical_unit <> 'count' or coalesce(min(observations.row_max) over years_beside >= 8, true)) as is_zero_row
    from delivered as observations
    inner join {{ ref('indicator_catalog') }} as catalog on observations.indicator_id = catalog.indicator_id
    window
        years_beside as (
            partition by observations.source_id, observations.file_name, observations.indicator_id, observations.city_id
            order by observations."year" range between 1 preceding and 1 following exclude group
        )
),

-- where a whole year is in fractions few figures or none tell its usual growth; 10 per cent is assumed
fractions as (
    select
        observations.*,
        fraction_limits.* exclude (indicator_id),
        abs(observations."value") > fraction_limits.growth_fraction_max and observations."value" between -40 and 40 as is_usual,
        case
            when count(*) filter (where is_usual) over same_year >= fraction_limits.growth_fraction_usual_cells
                then {{ exact_median('observations."value"') }} filter (where is_usual) over same_year
        end as usual_growth_pct,
        abs(observations."value") <= fraction_limits.growth_fraction_max
        and observations."value" <> 0
        and abs(100 * observations."value" - coalesce(usual_growth_pct, 10)) <= fraction_limits.growth_fraction_fit as is_fraction
    from {{ ref('int_observations_corrected') }} as observations
    inner join {{ ref('int_indicator_limits') }} as fraction_limits on observations.indicator_id = fraction_limits.indicator_id
    where fraction_limits.growth_fraction_max is not null
    window same_year as (partition by observations.indicator_id, observations."year")
),

counted as (
    select
        *,
        count(*) filter (where is_fraction) over (
            partition by source_id, edition_year, file_name, "year", city_id // 10000
        ) >= growth_fraction_province_cells as is_province,
        count(*) filter (where is_fraction) over (
            partition by source_id, edition_year, file_name, city_id
        ) >= growth_fraction_city_years as is_city,
        count(*) filter (where is_fraction) over same_table
        >= greatest(growth_fraction_province_cells, growth_fraction_table_share * count(*) over same_table) as is_table
    from fractions
    window same_table as (partition by source_id, edition_year, file_name, "year")
)

select
    observation_id,
    'sign' as rule,
    'blocked' as grade,
    'expected a positive value, found ' || {{ short_number('"value"') }} as detail
from checked
where must_be_positive and "value" <= 0
union all by name
select
    observation_id,
    'structure' as rule,
    case when is_zero_row then 'blocked' else 'warned' end as grade,
    case
        when is_zero_row then 'expected values, found nothing but zeros in the row'
        else
            'expected ' || coalesce({{ short_number('min_value') }}, 'anything') || ' to '
            || coalesce({{ short_number('max_value') }}, 'anything') || ' ' || canonical_unit || ', found '
            || {{ short_number('"value"') }}
    end as detail
from checked
where is_zero_row or "value" < min_value or "value" > max_value
union all by name
select
    observation_id,
    'index_for_growth' as rule,
    'blocked' as grade,
    'expected a growth rate in per cent, found ' || {{ short_number('"value"') }}
    || ', which reads as an index with the previous year = 100' as detail,
    "value" - 100 as proposed_value
from checked
where is_index
union all by name
-- before 2000 small cities grew and shrank by more than ever since, so such a rate may be true; but no output doubles within a year
select
    observation_id,
    'growth_range' as rule,
    case
        when "year" < 2000 and case canonical_unit when 'index_100' then "value" - 100 when 'pct' then "value" end between -100 and 100
            then 'warned'
        else 'blocked'
    end as grade,
    'expected ' || {{ short_number('min_value') }} || ' to ' || {{ short_number('max_value') }} || ', found '
    || {{ short_number('"value"') }} as detail
from checked
where kind in ('rate', 'index') and "value" not between min_value and max_value and not is_index
union all by name
select
    observation_id,
    'growth_fraction' as rule,
    case when is_province or is_city or is_table then 'blocked' else 'warned' end as grade,
    'expected growth in per cent, found ' || {{ short_number('"value"') }} || ', which reads as the fraction of '
    || {{ short_number('100 * "value"') }} || ' per cent' as detail,
    case when is_fraction then 100 * "value" end as proposed_value
from counted
-- in a table of fractions every figure is one, also where it is large or far from what is usual
where is_fraction or is_table
