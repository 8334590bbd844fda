-- grain: one row is one value on the shorter side of a jump by a power of ten that stays
-- key: observation_id
with steps as (
    select
        trends.*,
        limits.unit_factor_persists_years,
        case
            when abs(trends.step_before) >= {{ above_noise('limits.unit_factor_spike', 'limits.spike_noise', 'trends.noise') }}
                then {{ power_of_ten('trends.step_before', 'limits.unit_factor_persists_within') }}
            else 0
        end as power,
        count(*) over (partition by trends.series_no, trends.city_id) as n_years,
        row_number() over (partition by trends.series_no, trends.city_id order by trends."year") as nth_year
    from {{ ref('int_trends_cleaned') }} as trends
    inner join {{ ref('int_indicator_limits') }} as limits
        on trends.indicator_id = limits.indicator_id and limits.unit_factor_spike is not null
),

-- exactly one jump in a series, with enough years on both sides; several jumps are left to the other rules
jumps as (
    select
        series_no,
        city_id,
        min(power) as power,
        min("year") as jump_year,
        min(nth_year) - 1 as n_before,
        min(n_years - nth_year) + 1 as n_after,
        any_value(unit_factor_persists_years) as unit_factor_persists_years
    from steps
    where power <> 0
    group by series_no, city_id
    having count(*) = 1
)

select
    trends.observation_id,
    'unit_factor' as rule,
    'quarantined' as grade,
    'expected one unit throughout, found a jump by a factor of 10^' || jumps.power || ' in ' || jumps.jump_year
    || ' that stays; this is the shorter side' as detail,
    exp(trends.log_value) * pow(10, case when jumps.n_before <= jumps.n_after then jumps.power else -jumps.power end) as proposed_value
from {{ ref('int_trends_cleaned') }} as trends
inner join jumps
    on
        trends.series_no = jumps.series_no
        and trends.city_id = jumps.city_id
        and (trends."year" < jumps.jump_year) = (jumps.n_before <= jumps.n_after)
where least(jumps.n_before, jumps.n_after) >= jumps.unit_factor_persists_years
