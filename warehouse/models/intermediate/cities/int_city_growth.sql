-- grain: one row is a city and year with official and deflated real growth in log points times 100
-- key: city_id, year
with published as (
    select
        graded.city_id,
        graded."year",
        graded.source_id,
        graded.edition_year,
        graded.priority,
        graded.quality_flag = 'quarantined' as is_quarantined,
        case graded.indicator_id when 'gdp_index_prev_year_100' then 'index' else 'rate' end as basis,
        case basis when 'index' then graded."value" - 100 else graded."value" end as rate_pct,
        case basis
            when 'index' then 100 * ln(graded."value" / 100)
            else 100 * ln(1 + graded."value" / 100)
        end as growth_pct,
        limits.growth_evidence_apart
    from {{ ref('int_observations_graded') }} as graded
    inner join {{ ref('int_indicator_limits') }} as limits on graded.indicator_id = limits.indicator_id
    where
        graded.is_usable
        and (
            (graded.indicator_id = 'gdp_index_prev_year_100' and graded."value" > 0)
            or (graded.indicator_id = 'gdp_growth_official_pct' and graded."value" > -100)
        )
    qualify row_number() over (
        partition by graded.city_id, graded."year", graded.indicator_id order by graded.choice_rank
    ) = 1
),

-- the threshold is null for a rate, which needs nobody to confirm it
compared as (
    select
        *,
        max(case when basis = 'rate' and not is_quarantined then rate_pct end) over (partition by city_id, "year") as printed_pct,
        coalesce(round(abs(rate_pct - printed_pct), 6) <= growth_evidence_apart, false) as repeats_printed
    from published
),

-- the log difference of a delivered real level is used only where neither a rate nor an index was published
candidates as (
    select
        *,
        case
            when basis = 'rate' then 'printed'
            when
                lag("year") over city_years = "year" - 1 and lag(repeats_printed) over city_years
                and lead("year") over city_years = "year" + 1 and lead(repeats_printed) over city_years
                then 'index_confirmed'
            else 'index_alone'
        end as evidence
    from compared
    window city_years as (partition by city_id, basis order by "year")
    union all by name
    select
        * exclude (log_change_pct),
        'level' as basis,
        log_change_pct as growth_pct
    from {{ ref('int_city_level_changes') }}
    where indicator_id = 'gdp_real_cny_100m'
),

official as (
    select *
    from candidates
    qualify row_number() over (
        partition by city_id, "year"
        order by
            is_quarantined asc,
            list_position(['rate', 'index', 'level'], basis) asc,
            priority asc,
            edition_year desc nulls last,
            source_id asc
    ) = 1
),

-- a year whose growth rests on another basis than the last year with growth names that one
spliced as (
    select
        *,
        nullif(lag(basis) over (partition by city_id order by "year"), basis) as basis_before
    from official
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
    select levels.*
    from {{ ref('int_city_level_changes') }} as levels
    left join {{ ref('int_vintage_passages') }} as vintage_passages
        on
            levels.source_id = vintage_passages.source_id
            and levels.edition_year is not distinct from vintage_passages.edition_year
            and levels.city_id // 10000 * 10000 = vintage_passages.province_id
            and levels."year" = vintage_passages."year"
    where levels.indicator_id = 'gdp_nominal_cny_100m' and vintage_passages.source_id is null
    qualify row_number() over (
        partition by levels.city_id, levels."year"
        order by levels.is_quarantined asc, levels.priority asc, levels.edition_year desc nulls last, levels.source_id asc
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
    spliced.growth_pct as growth_official_pct,
    spliced.basis as growth_official_basis,
    spliced.basis_before as growth_official_basis_before,
    spliced.evidence as growth_official_evidence,
    spliced.source_id as growth_official_source_id,
    spliced.edition_year as growth_official_edition_year,
    abs(spliced.growth_pct) > 25 as is_growth_official_jump,
    indices.growth_pct as growth_index_pct,
    nominal.log_change_pct - 100 * ln(consumer_prices.cpi_prev_year_100 / 100) as growth_deflated_pct,
    nominal.log_change_pct - province_deflators.deflator_change_pct as growth_implicit_deflated_pct,
    nominal_one_vintage.log_change_pct - 100 * ln(consumer_prices.cpi_prev_year_100 / 100) as growth_deflated_one_vintage_pct,
    nominal.source_id as growth_deflated_source_id,
    nominal_one_vintage.source_id as growth_deflated_one_vintage_source_id,
    abs(nominal.log_change_pct - 100 * ln(consumer_prices.cpi_prev_year_100 / 100)) > 25 as is_growth_deflated_jump
from {{ ref('int_city_spine') }} as spine
left join spliced on spine.city_id = spliced.city_id and spine."year" = spliced."year"
left join candidates as indices on spine.city_id = indices.city_id and spine."year" = indices."year" and indices.basis = 'index'
left join nominal on spine.city_id = nominal.city_id and spine."year" = nominal."year"
left join nominal_one_vintage on spine.city_id = nominal_one_vintage.city_id and spine."year" = nominal_one_vintage."year"
left join consumer_prices
    on spine.city_id // 10000 * 10000 = consumer_prices.province_id and spine."year" = consumer_prices."year"
left join {{ ref('int_province_deflators') }} as province_deflators
    on spine.city_id // 10000 * 10000 = province_deflators.province_id and spine."year" = province_deflators."year"
