-- grain: one row is one value that stands where another city's of its province, or another column's of its row, belongs
-- key: observation_id
with trends as (
    select * from {{ ref('int_trends_delivered') }}
),

observations as (
    select
        observation_id,
        file_name,
        sheet_name,
        row_no,
        unit
    from {{ ref('int_observations_corrected') }}
),

corroborated as (
    select * from {{ ref('int_values_corroborated') }}
),

limits as (
    select
        indicator_id,
        limits['swap.fit'] as fit_within,
        limits['swap.miss'] as miss_by,
        limits['swap.spike'] as spike_at,
        limits['swap.noise'] as noise_multiple,
        limits['swap.spread_ratio'] as spread_ratio
    from {{ ref('int_indicator_limits') }}
    where limits['swap.fit'] is not null
),

-- where the cities of a province hardly differ, or vary much over the years, two of them fit each other's trend by chance
telling as (
    select
        trends.series_no,
        trends.province_id,
        trends."year"
    from trends
    inner join limits on trends.indicator_id = limits.indicator_id
    group by trends.series_no, trends.province_id, trends."year"
    having
        stddev_pop(round(trends.log_value, 9))
        >= any_value(limits.spread_ratio) * {{ exact_median('abs(trends.log_value - trends.expected_log)') }}
),

missing_own as (
    select
        trends.*,
        limits.fit_within,
        observations.file_name,
        observations.sheet_name,
        observations.row_no,
        observations.unit
    from trends
    inner join limits on trends.indicator_id = limits.indicator_id
    inner join observations on trends.observation_id = observations.observation_id
    left join corroborated on trends.observation_id = corroborated.observation_id
    inner join telling
        on trends.series_no = telling.series_no and trends.province_id = telling.province_id and trends."year" = telling."year"
    where
        abs(trends.log_value - trends.expected_log) > {{ above_noise('limits.miss_by', 'limits.noise_multiple', 'trends.noise') }}
        and abs(trends.spike) >= {{ above_noise('limits.spike_at', 'limits.noise_multiple', 'trends.noise') }}
        and not coalesce(corroborated.is_vouched, false)
),

between_cities as (
    select
        here.observation_id,
        here.log_value,
        here.expected_log,
        there.log_value as other_log_value,
        'blocked' as grade,
        'city ' || there.city_id as other_place
    from missing_own as here
    inner join missing_own as there
        on
            here.series_no = there.series_no
            and here.province_id = there.province_id
            and here."year" = there."year"
            and here.city_id <> there.city_id
            and abs(here.log_value - there.expected_log) <= here.fit_within
            and abs(there.log_value - here.expected_log) <= here.fit_within
),

between_columns as (
    select
        here.observation_id,
        here.log_value,
        here.expected_log,
        there.log_value as other_log_value,
        'quarantined' as grade,
        there.indicator_id as other_place
    from missing_own as here
    inner join missing_own as there
        on
            here.source_id = there.source_id
            and here.edition_year is not distinct from there.edition_year
            and here.file_name = there.file_name
            and here.sheet_name is not distinct from there.sheet_name
            and here.row_no = there.row_no
            and here.city_id = there.city_id
            and here."year" = there."year"
            and here.unit = there.unit
            and here.indicator_id <> there.indicator_id
            and abs(here.log_value - there.expected_log) <= here.fit_within
            and abs(there.log_value - here.expected_log) <= here.fit_within
),

found as (
    select * from between_cities
    union all
    select * from between_columns
),

final as (
    select
        observation_id,
        'swap' as rule,
        grade,
        {{ expected_and_found('expected_log', 'log_value') }} || ', which fits ' || other_place || ', as its value fits here' as detail,
        exp(other_log_value) as proposed_value
    from found
    qualify row_number() over (
        partition by observation_id order by grade asc, abs(other_log_value - expected_log) asc, other_place asc
    ) = 1
)

select * from final
