-- grain: one row is a zone and a year: share of the wording of its measures that is new, and that the nearest earlier zone had
-- key: zone_name_zh, year
with years as (
    select unnest(generate_series(
        (select min(first_year) from {{ ref('int_policy_zone_runs') }}),
        (select greatest(max(first_year), {{ window_last_year() }}) from {{ ref('int_policy_zone_runs') }})
    )) as "year"
),

firsts as (
    select
        run,
        min(first_dated) as first_dated
    from {{ ref('int_policy_zone_runs') }}
    group by run
),

-- runs of a zone with the same years in force are counted together, which keeps the join with the years small
held as (
    select
        runs.zone_name_zh,
        runs.city_id,
        runs.first_year,
        runs.last_year,
        count(*) as n_runs,
        count(*) filter (where firsts.first_dated = runs.first_dated) as n_new
    from {{ ref('int_policy_zone_runs') }} as runs
    inner join firsts on runs.run = firsts.run
    group by runs.zone_name_zh, runs.city_id, runs.first_year, runs.last_year
),

shared as (
    select
        later.zone_name_zh,
        earlier.zone_name_zh as earlier_zone,
        later.first_year,
        later.last_year,
        count(*) as n_shared
    from {{ ref('int_policy_zone_runs') }} as later
    inner join {{ ref('int_policy_zone_runs') }} as earlier
        on later.run = earlier.run and later.zone_name_zh <> earlier.zone_name_zh and later.first_dated > earlier.first_dated
    group by later.zone_name_zh, earlier.zone_name_zh, later.first_year, later.last_year
),

in_force as (
    select
        held.zone_name_zh,
        held.city_id,
        years."year",
        sum(held.n_runs) as n_runs,
        sum(held.n_new) as n_new
    from held
    inner join years on years."year" between held.first_year and held.last_year
    group by held.zone_name_zh, held.city_id, years."year"
),

nearest as (
    select
        shared.zone_name_zh,
        years."year",
        shared.earlier_zone,
        sum(shared.n_shared) as n_shared
    from shared
    inner join years on years."year" between shared.first_year and shared.last_year
    group by shared.zone_name_zh, years."year", shared.earlier_zone
    qualify row_number() over (
        partition by shared.zone_name_zh, years."year" order by sum(shared.n_shared) desc, shared.earlier_zone
    ) = 1
),

starts as (
    select
        zone_name_zh,
        min(first_dated) as first_dated
    from {{ ref('int_policy_zone_runs') }}
    group by zone_name_zh
),

earlier as (
    select
        later.zone_name_zh,
        count(earlier.zone_name_zh) as n_earlier_zones
    from starts as later
    left join starts as earlier on later.first_dated > earlier.first_dated
    group by later.zone_name_zh
)

-- without any earlier text there is nothing to compare with: null, not new
select
    in_force.zone_name_zh,
    in_force.city_id,
    in_force."year",
    earlier.n_earlier_zones,
    nearest.earlier_zone as nearest_zone_name_zh,
    case when earlier.n_earlier_zones > 0 then in_force.n_new / in_force.n_runs end as novelty_ratio,
    case when earlier.n_earlier_zones > 0 then coalesce(nearest.n_shared, 0) / in_force.n_runs end as similarity_ratio
from in_force
inner join earlier on in_force.zone_name_zh = earlier.zone_name_zh
left join nearest on in_force.zone_name_zh = nearest.zone_name_zh and in_force."year" = nearest."year"
