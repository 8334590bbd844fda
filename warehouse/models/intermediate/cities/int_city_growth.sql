-- grain: one row is a city and year with official and deflated real growth in log points times 100
-- key: city_id, year
with published as (
    select
        city_id,
        "year",
        source_id,
        edition_year,
        case indicator_id when 'gdp_index_prev_year_100' then 'index' else 'rate' end as basis,
        case indicator_id
            when 'gdp_index_prev_year_100' then 100 * ln("value" / 100)
            else 100 * ln(1 + "value" / 100)
        end as growth_pct,
        1 as basis_rank,
        quality_flag = 'quarantined' as is_quarantined,
        priority,
        indicator_id,
        file_name,
        row_no,
        col_no
    from {{ ref('int_observations_graded') }}
    where
        is_usable
        and (
            (indicator_id = 'gdp_index_prev_year_100' and "value" > 0)
            or (indicator_id = 'gdp_growth_official_pct' and "value" > -100)
        )
),

-- the log difference of a delivered real level stands in only where no rate or index was published
from_levels as (
    select
        city_id,
        "year",
        source_id,
        edition_year,
        'level' as basis,
        log_change_pct as growth_pct,
        2 as basis_rank,
        is_quarantined,
        priority,
        indicator_id,
        cast(null as varchar) as file_name,
        cast(null as integer) as row_no,
        cast(null as integer) as col_no
    from {{ ref('int_city_level_changes') }}
    where indicator_id = 'gdp_real_cny_100m'
),

candidates as (
    select * from published
    union all
    select * from from_levels
),

official as (
    select *
    from candidates
    qualify row_number() over (
        partition by city_id, "year"
        order by
            is_quarantined asc,
            basis_rank asc,
            priority asc,
            edition_year desc nulls last,
            indicator_id desc,
            file_name asc,
            row_no asc,
            col_no asc,
            source_id asc
    ) = 1
),

nominal as (
    select *
    from {{ ref('int_city_level_changes') }}
    where indicator_id = 'gdp_nominal_cny_100m'
    qualify row_number() over (
        partition by city_id, "year" order by is_quarantined asc, priority asc, edition_year desc nulls last, source_id asc
    ) = 1
),

-- the same within one vintage: where the level of a source changes to another vintage in a province and year, it has no growth there
nominal_one_vintage as (
    select level_changes.*
    from {{ ref('int_city_level_changes') }} as level_changes
    left join {{ ref('int_vintage_passages') }} as vintage_passages
        on
            level_changes.source_id = vintage_passages.source_id
            and level_changes.edition_year is not distinct from vintage_passages.edition_year
            and level_changes.city_id // 10000 * 10000 = vintage_passages.province_id
            and level_changes."year" = vintage_passages."year"
    where level_changes.indicator_id = 'gdp_nominal_cny_100m' and vintage_passages.source_id is null
    qualify row_number() over (
        partition by level_changes.city_id, level_changes."year"
        order by
            level_changes.is_quarantined asc,
            level_changes.priority asc,
            level_changes.edition_year desc nulls last,
            level_changes.source_id asc
    ) = 1
),

consumer_prices as (
    select
        city_id as province_id,
        "year",
        "value" as cpi_prev_year_100
    from {{ ref('int_values_current') }}
    where indicator_id = 'cpi_prev_year_100' and "value" > 0
)

select
    spine.city_id,
    spine."year",
    official.growth_pct as growth_official_pct,
    official.basis as growth_official_basis,
    official.source_id as growth_official_source_id,
    official.edition_year as growth_official_edition_year,
    abs(official.growth_pct) > 25 as is_growth_official_jump,
    nominal.log_change_pct - 100 * ln(consumer_prices.cpi_prev_year_100 / 100) as growth_deflated_pct,
    nominal.log_change_pct - province_deflators.deflator_change_pct as growth_implicit_deflated_pct,
    nominal_one_vintage.log_change_pct - 100 * ln(consumer_prices.cpi_prev_year_100 / 100) as growth_deflated_one_vintage_pct,
    nominal.source_id as growth_deflated_source_id,
    nominal_one_vintage.source_id as growth_deflated_one_vintage_source_id,
    abs(nominal.log_change_pct - 100 * ln(consumer_prices.cpi_prev_year_100 / 100)) > 25 as is_growth_deflated_jump
from {{ ref('int_city_spine') }} as spine
left join official on spine.city_id = official.city_id and spine."year" = official."year"
left join nominal on spine.city_id = nominal.city_id and spine."year" = nominal."year"
left join nominal_one_vintage on spine.city_id = nominal_one_vintage.city_id and spine."year" = nominal_one_vintage."year"
left join consumer_prices
    on spine.city_id // 10000 * 10000 = consumer_prices.province_id and spine."year" = consumer_prices."year"
left join {{ ref('int_province_deflators') }} as province_deflators
    on spine.city_id // 10000 * 10000 = province_deflators.province_id and spine."year" = province_deflators."year"
