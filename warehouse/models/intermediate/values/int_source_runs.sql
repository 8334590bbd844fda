-- grain: one row is a year in which a source has a value of a place and indicator that no rule blocks or quarantines, with the length of
-- the run of such years around it and the number of other sources that have the same figure
-- key: place_level, city_id, indicator_id, source_id, year
with observations as (
    select * from {{ ref('int_observations_corrected') }}
),

doubtful as (
    select distinct observation_id
    from {{ ref('int_observations_flagged') }}
    where grade <> 'warned'
),

source_years as (
    select
        observations.place_level,
        observations.city_id,
        observations.indicator_id,
        observations.source_id,
        observations."year",
        max(observations."value") as "value"
    from observations
    left join doubtful on observations.observation_id = doubtful.observation_id
    where doubtful.observation_id is null
    group by all
),

-- years without a gap have one difference from their place in the list
numbered as (
    select
        *,
        "year" - row_number() over (partition by place_level, city_id, indicator_id, source_id order by "year") as run_no
    from source_years
),

copies as (
    select * from {{ ref('int_sources_related') }}
    where relation not in ('independent', 'declared')
),

-- other sources that have the same figure, without those that are copies
standing_by as (
    select
        here.place_level,
        here.city_id,
        here.indicator_id,
        here.source_id,
        here."year",
        count(*) as n_standing_by
    from source_years as here
    inner join source_years as there
        on
            here.place_level = there.place_level
            and here.city_id = there.city_id
            and here.indicator_id = there.indicator_id
            and here."year" = there."year"
            and here.source_id <> there.source_id
    left join copies
        on
            here.source_id = copies.source_id
            and there.source_id = copies.other_source_id
            and here.indicator_id = copies.indicator_id
    where copies.source_id is null and abs(here."value" - there."value") <= 0.01 * abs(here."value")
    group by all
),

final as (
    select
        numbered.place_level,
        numbered.city_id,
        numbered.indicator_id,
        numbered.source_id,
        numbered."year",
        cast(coalesce(standing_by.n_standing_by, 0) as integer) as n_standing_by,
        cast(
            count(*) over (
                partition by numbered.place_level, numbered.city_id, numbered.indicator_id, numbered.source_id, numbered.run_no
            ) as integer
        ) as n_run_years
    from numbered
    left join standing_by
        on
            numbered.place_level = standing_by.place_level
            and numbered.city_id = standing_by.city_id
            and numbered.indicator_id = standing_by.indicator_id
            and numbered.source_id = standing_by.source_id
            and numbered."year" = standing_by."year"
)

select * from final
