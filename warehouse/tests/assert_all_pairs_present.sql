-- every unordered pair of the cities of fct_city_year is in fct_city_pair, and each of them in every year of the window
with cities as (
    select distinct city_id from {{ ref('fct_city_year') }}
),

expected as (
    select
        city_i.city_id as city_i_id,
        city_j.city_id as city_j_id
    from cities as city_i
    inner join cities as city_j on city_i.city_id < city_j.city_id
),

pairs as (
    select
        city_i_id,
        city_j_id
    from {{ ref('fct_city_pair') }}
),

n_rows as (
    select count(*) as n_pair_years
    from {{ ref('fct_pair_synchronization') }}
    where is_study_window
),

study_window as (
    select * from {{ ref('int_study_window') }}
),

missing_pairs as (
    select * from expected
    except
    select * from pairs
),

wrong_count as (
    select
        0 as city_i_id,
        0 as city_j_id
    from n_rows
    cross join study_window
    where
        n_rows.n_pair_years
        <> (select count(*) from expected) * (study_window.window_last_year - study_window.window_first_year + 1)
)

select * from missing_pairs
union all
select * from wrong_count
