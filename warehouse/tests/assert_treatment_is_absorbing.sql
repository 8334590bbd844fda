-- once treated, a pair of the panel stays treated; a pair without a pilot is never treated
with panel as (
    select *
    from {{ ref('panel_pair_year') }}
    where is_study_window
),

switched_off as (
    select
        earlier.city_i_id,
        earlier.city_j_id,
        earlier.{{ quoted('year') }}
    from panel as earlier
    inner join panel as later
        on
            earlier.city_i_id = later.city_i_id
            and earlier.city_j_id = later.city_j_id
            and later.{{ quoted('year') }} = earlier.{{ quoted('year') }} + 1
    where earlier.is_treated and not later.is_treated
),

treated_without_pilot as (
    select
        city_i_id,
        city_j_id,
        {{ quoted('year') }}
    from panel
    where is_treated and (city_i_cohort_year is null) = (city_j_cohort_year is null)
)

select * from switched_off
union all
select * from treated_without_pilot
