-- grain: one row is a city and year with the growth of employment and wages in log points times 100
-- key: city_id, year
with chosen as (
    select
        city_id,
        "year",
        indicator_id,
        log_change_pct
    from {{ ref('int_city_level_changes') }}
    where indicator_id in ('employed_10k', 'wage_avg_cny')
    qualify row_number() over (
        partition by city_id, "year", indicator_id
        order by is_quarantined asc, priority asc, edition_year desc nulls last, source_id asc
    ) = 1
),

final as (
    select
        city_id,
        "year",
        max(case when indicator_id = 'employed_10k' then log_change_pct end) as growth_employed_pct,
        max(case when indicator_id = 'wage_avg_cny' then log_change_pct end) as growth_wage_pct
    from chosen
    group by city_id, "year"
)

select * from final
