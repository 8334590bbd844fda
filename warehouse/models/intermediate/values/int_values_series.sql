-- grain: one row is one value of a city as a log, for indicators that have a threshold of any rule on series
-- key: observation_id
-- a file that covers several years is a series of its own, and an edition of such files counts on its own: it is compared with the other
-- editions of its source and with other sources. Files of a year each make one series of their source
with numbered as (
    select
        observations.source_id,
        observations.edition_year,
        observations.file_name,
        observations.indicator_id,
        any_value(limits.rule_kind) as rule_kind,
        coalesce(any_value(limits.same_as), observations.indicator_id) as quantity_id,
        count(distinct observations."year") >= any_value(limits.series_min_years) as is_series,
        cast(dense_rank() over (
            order by
                observations.source_id,
                observations.indicator_id,
                case when is_series then observations.edition_year end nulls first,
                case when is_series then observations.file_name end nulls first
        ) as integer) as series_no
    from {{ ref('int_observations_corrected') }} as observations
    inner join {{ ref('int_indicator_limits') }} as limits on observations.indicator_id = limits.indicator_id
    where
        (limits.rule_kind <> 'rate' or observations.unit in ('pct', 'permille', 'index_100'))
        and coalesce(limits.spike_quarantine, limits.unit_factor_spike, limits.row_shift_fit, limits.stale_digits) is not null
    group by observations.source_id, observations.edition_year, observations.file_name, observations.indicator_id
)

select
    observations.observation_id,
    numbered.series_no,
    observations.source_id || case when numbered.is_series then coalesce(' ' || observations.edition_year, '') else '' end as source_id,
    observations.edition_year,
    -- an index of growth is growth, and is compared with it
    numbered.quantity_id as indicator_id,
    observations.city_id,
    observations.city_id // 10000 * 10000 as province_id,
    observations."year",
    case when numbered.rule_kind = 'rate' then observations.unit end as rate_unit,
    ln({{ factor_of('observations."value"', 'rate_unit') }}) as log_value
from {{ ref('int_observations_corrected') }} as observations
inner join numbered
    on
        {{ same_keys('observations', 'numbered', ['source_id', 'file_name', 'indicator_id']) }}
        and observations.edition_year is not distinct from numbered.edition_year
where
    observations.place_level = 'city'
    and {{ factor_of('observations."value"', 'rate_unit') }} > 0
    {% for flags in [ref('int_observations_exact'), ref('int_observations_basis'), ref('int_observations_rate_table')] -%}
        and observations.observation_id not in {{ observations_where(flags, "grade = 'blocked'") }}
    {% endfor -%}
qualify row_number() over (
    partition by numbered.series_no, observations.city_id, observations."year"
    order by observations.edition_year desc nulls last, observations.file_name asc, observations.observation_id asc
) = 1
