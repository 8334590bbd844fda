-- grain: one row is one positive value of a city, no rate of change, that passed the exact rules: the one value of its series, city and
-- year, for indicators that have a threshold of any rule on series
-- key: observation_id
-- a file that covers several years is a series of its own; files of a year each make one series of their source
with file_spans as (
    select
        source_id,
        edition_year,
        file_name,
        indicator_id,
        count(distinct "year") as n_years
    from {{ ref('int_observations_corrected') }}
    group by source_id, edition_year, file_name, indicator_id
),

file_series as (
    select
        file_spans.source_id,
        file_spans.edition_year,
        file_spans.file_name,
        file_spans.indicator_id,
        file_spans.n_years >= indicator_limits.series_min_years as is_series
    from file_spans
    inner join {{ ref('int_indicator_limits') }} as indicator_limits on file_spans.indicator_id = indicator_limits.indicator_id
    where
        indicator_limits.rule_kind <> 'rate'
        and coalesce(
            indicator_limits.spike_quarantine,
            indicator_limits.unit_factor_spike,
            indicator_limits.row_shift_fit,
            indicator_limits.stale_digits
        ) is not null
),

numbered as (
    select
        *,
        cast(dense_rank() over (
            order by
                source_id,
                indicator_id,
                case when is_series then edition_year end nulls first,
                case when is_series then file_name end nulls first
        ) as integer) as series_no
    from file_series
)

select
    observations.observation_id,
    numbered.series_no,
    observations.source_id,
    observations.edition_year,
    observations.indicator_id,
    observations.city_id,
    observations.city_id // 10000 * 10000 as province_id,
    observations."year",
    ln(observations."value") as log_value
from {{ ref('int_observations_corrected') }} as observations
inner join numbered
    on
        observations.source_id = numbered.source_id
        and observations.edition_year is not distinct from numbered.edition_year
        and observations.file_name = numbered.file_name
        and observations.indicator_id = numbered.indicator_id
where
    observations.place_level = 'city'
    and observations."value" > 0
    and observations.observation_id not in (
        select exact.observation_id from {{ ref('int_observations_exact') }} as exact
        where exact.grade = 'blocked'
    )
qualify row_number() over (
    partition by numbered.series_no, observations.city_id, observations."year"
    order by observations.edition_year desc nulls last, observations.file_name asc, observations.observation_id asc
) = 1
