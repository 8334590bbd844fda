-- grain: one row is one value that is a power of ten away from its own series, or from it and another source
-- key: observation_id
with offsets as (
    select
        trends.*,
        limits.* exclude (indicator_id)
    from {{ ref('int_trends_delivered') }} as trends
    inner join {{ ref('int_indicator_limits') }} as limits
        on trends.indicator_id = limits.indicator_id and limits.unit_factor_spike is not null
),

off_and_back as (
    select
        observation_id,
        log_value,
        {{ power_of_ten('(log_value - expected_log)', 'unit_factor_returns_within') }} as power,
        'its own series' as told_by
    from offsets
    where
        abs(spike) >= greatest({{ above_noise('unit_factor_spike', 'spike_noise', 'noise') }}, spike_city_noise * city_noise)
        -- at the usual level of the city it is the years beside that are off
        and own_offset / spike > 0.5
        and observation_id not in {{ observations_where(ref('int_values_corroborated'), 'is_vouched') }}
),

-- a whole province-year (province_id), or a whole year of the table (0), in another unit: told by its typical level; of what is lumpy by
-- how far its cities are off their own usual level, so that it does not matter which cities a year has
group_levels as (
    select
        series_no,
        coalesce(province_id, 0) as province_id,
        "year",
        any_value(spike_noise) > 0 as is_lumpy,
        case when is_lumpy then {{ exact_median('own_offset') }} else {{ exact_median('log_value') }} end as group_level
    from offsets
    group by grouping sets ((series_no, province_id, "year"), (series_no, "year"))
    having count(*) >= any_value(unit_factor_group_min)
),

-- what is lumpy falls to a tenth by itself and stays there: it must return
group_offsets as (
    select
        *,
        group_level - median(group_level) over (years range between 3 preceding and 3 following exclude current row) as step_around,
        group_level - median(group_level) over (years range between 3 preceding and 1 preceding) as step_before,
        group_level - median(group_level) over (years range between 1 following and 3 following) as step_after,
        case when is_lumpy then {{ away_and_back('step_before', 'step_after') }} else step_around end as group_offset
    from group_levels
    window years as (partition by series_no, province_id order by "year")
),

in_groups as (
    select
        offsets.observation_id,
        offsets.log_value,
        {{ power_of_ten('group_offsets.group_offset', 'offsets.unit_factor_group_within') }} as power,
        'the years around, in the whole ' || if(group_offsets.province_id = 0, 'table of the year', 'province') as told_by
    from offsets
    inner join group_offsets
        on
            {{ same_keys('offsets', 'group_offsets', ['series_no', '"year"']) }}
            and group_offsets.province_id in (offsets.province_id, 0)
    where abs(offsets.own_offset - power * ln(10)) <= offsets.unit_factor_group_within
),

against_source as (
    select
        compared.observation_id,
        compared.log_value,
        {{ power_of_ten('compared.gap', 'limits.unit_factor_source_within') }} as power,
        compared.other_source_id as told_by
    from {{ ref('int_values_compared') }} as compared
    inner join {{ ref('int_indicator_limits') }} as limits
        on compared.indicator_id = limits.indicator_id and limits.unit_factor_spike is not null
    left join offsets as other on compared.other_observation_id = other.observation_id
    -- off the years beside it or, where the unit stays another, off the usual level of the city
    where
        abs(compared.log_value - compared.expected_log) > 1
        and abs(coalesce(compared.other_log_value - compared.other_expected_log, 0)) < 1
        or abs(compared.own_offset) > 1
        and abs(coalesce(other.own_offset, 0)) < 1
)

select
    observation_id,
    'unit_factor' as rule,
    'blocked' as grade,
    'expected about ' || {{ short_number('exp(log_value) / pow(10, power)') }} || ', found ' || {{ short_number('exp(log_value)') }}
    || ': a factor of 10^' || power || ' against ' || told_by as detail,
    exp(log_value) / pow(10, power) as proposed_value
from (
    {% for found in ['off_and_back', 'in_groups', 'against_source'] %}
        select * from {{ found }} {{ 'union all' if not loop.last }}
    {% endfor %}
)
where power <> 0
qualify row_number() over (partition by observation_id order by told_by) = 1
