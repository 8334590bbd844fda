-- every raw line of the landing is either an observation or a rejection, and no line is both
with raw_lines as (
    select count(*) as n_lines
    from {{ source('raw', 'observations') }}
    where {{ is_as_of() }}
),

accounted as (
    select observation_id as raw_line_id from {{ ref('int_raw_observations') }}
    union all
    select raw_line_id from {{ ref('int_raw_rejections') }}
),

counts as (
    select
        n_lines,
        (select count(*) from accounted) as n_accounted,
        (select count(distinct raw_line_id) from accounted) as n_distinct
    from raw_lines
)

select * from counts
where n_lines <> n_accounted or n_lines <> n_distinct
