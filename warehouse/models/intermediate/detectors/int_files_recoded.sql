-- grain: one row is a city of a file under whose code the figures of other cities are over the years
-- key: source_id, edition_year, file_name, city_id; edition_year may be null, and null counts as a value
select
    observations.source_id,
    observations.edition_year,
    observations.file_name,
    observations.city_id,
    count(*) filter (
        where matched.kind in ('row', 'city') and matched.grade = 'blocked' and abs(matched.log_value - matched.other_log_value) > 0.01
    ) as n_shifted,
    count(*) as n_compared
from {{ ref('int_observations_corrected') }} as observations
left join {{ ref('int_values_matched') }} as matched on observations.observation_id = matched.observation_id
where observations.observation_id in {{ observations_where(ref('int_values_paired')) }}
group by observations.source_id, observations.edition_year, observations.file_name, observations.city_id
having n_shifted >= 3 and n_shifted >= 0.5 * count(*) and max(observations."year") > min(observations."year")
-- two cities exchanged in a column are no shifted codes
qualify
    count(*) over (
        partition by observations.source_id, observations.edition_year, observations.file_name, observations.city_id // 10000
    ) >= 3
