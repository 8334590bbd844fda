-- grain: one row is a city, year and concept (financial development, human capital, infrastructure) with its value and basis
-- key: city_id, year, concept
with final as (
    select
        city_id,
        "year",
        concept,
        concept_value,
        basis
    from {{ ref('int_city_concept_measures') }}
    qualify row_number() over (partition by city_id, "year", concept order by concept_rank, basis) = 1
)

select * from final
