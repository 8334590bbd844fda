-- grain: one row is one published growth rate that is a fraction where per cent belong
-- key: observation_id
with observations as (
    select * from {{ ref('int_observations_corrected') }}
    where indicator_id = 'gdp_growth_official_pct'
),

limits as (
    select
        limits['growth_fraction.max'] as fraction_up_to,
        limits['growth_fraction.fit'] as fit_within,
        limits['growth_fraction.province_cells'] as province_cells,
        limits['growth_fraction.city_years'] as city_years,
        limits['growth_fraction.table_share'] as table_share
    from {{ ref('int_indicator_limits') }}
    where indicator_id = 'gdp_growth_official_pct'
),

usual as (
    select
        observations."year",
        {{ exact_median('observations."value"') }} as growth_pct
    from observations
    cross join limits
    where abs(observations."value") > limits.fraction_up_to and observations."value" between -40 and 40
    group by observations."year"
),

-- where a whole year is in fractions there is no usual growth of that year; 10 per cent stands in
suspects as (
    select
        observations.*,
        limits.* exclude (fraction_up_to),
        observations.city_id // 10000 as province_no,
        abs(observations."value") <= limits.fraction_up_to
        and observations."value" <> 0
        and abs(100 * observations."value" - coalesce(usual.growth_pct, 10)) <= limits.fit_within as is_suspect
    from observations
    cross join limits
    left join usual on observations."year" = usual."year"
),

counted as (
    select
        *,
        count(*) filter (where is_suspect) over (partition by source_id, edition_year, file_name, "year", province_no) as n_province,
        count(*) filter (where is_suspect) over (partition by source_id, edition_year, file_name, city_id) as n_city,
        count(*) filter (where is_suspect) over (partition by source_id, edition_year, file_name, "year") as n_suspect,
        count(*) over (partition by source_id, edition_year, file_name, "year") as n_table
    from suspects
),

final as (
    select
        observation_id,
        'growth_fraction' as rule,
        case
            when n_province >= province_cells or n_city >= city_years then 'blocked'
            when n_suspect >= province_cells and n_suspect >= table_share * n_table then 'blocked'
            else 'quarantined'
        end as grade,
        'expected growth in per cent, found ' || {{ short_number('"value"') }} || ', which reads as the fraction of '
        || {{ short_number('100 * "value"') }} || ' per cent' as detail,
        100 * "value" as proposed_value
    from counted
    where is_suspect
)

select * from final
