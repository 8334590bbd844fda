-- grain: one row is one value that repeats last year's to the last digit, or that next year's repeats where others have it only then
-- key: observation_id
with counts as (
    select
        observation_id,
        greatest(noise, city_noise, 1e-9) as swing,
        abs(log_value - expected_log) as miss,
        count(*) over (partition by series_no, "year") as n_table,
        count(*) over (partition by series_no, "year", province_id) as n_province
    from {{ ref('int_trends_delivered') }}
),

repeated as (
    select
        figures.*,
        earlier.observation_id as earlier_observation_id,
        counts.* exclude (observation_id),
        limits.* exclude (indicator_id),
        -- log of the probability that a new figure, rounded as it is, equals last year's by chance: the density of a Laplace distribution
        -- at the distance from the expected value (miss), with the city's usual movement as its scale (swing), times `rounding`
        ln(figures.rounding / (2 * counts.swing)) - counts.miss / counts.swing as log_chance,
        -- the joint probability of all repeats in the province, times the 2^n ways to choose these cities among its n
        sum(log_chance) over same_province + counts.n_province * ln(2) as province_log_chance,
        count(*) over (partition by figures.series_no, figures."year") as n_repeated,
        count(*) over same_province as n_province_repeated
    from {{ ref('int_values_figures') }} as figures
    inner join {{ ref('int_values_figures') }} as earlier
        on
            {{ same_keys('figures', 'earlier', ['series_no', 'city_id', 'value_as_delivered']) }}
            and figures."year" = earlier."year" + 1
    inner join counts on figures.observation_id = counts.observation_id
    inner join {{ ref('int_indicator_limits') }} as limits on figures.indicator_id = limits.indicator_id
    -- a figure that was printed a year early is wrong there, and not here
    where earlier.observation_id not in {{ observations_where(ref('int_values_matched'), "kind = 'year' and k = 1 and grade = 'blocked'") }}
    window same_province as (partition by figures.series_no, figures."year", figures.province_id)
),

-- a source that agrees much better in one of both years, with a figure of its own in the other: which of the two figures is the copy
elsewhere as (
    select
        repeated.observation_id,
        {% set has_moved_on -%}
            abs(compared.gap) > greatest(repeated.year_offset_equal, 2 * repeated.rounding)
            and abs(earlier.gap) < abs(compared.gap) / 2
            and coalesce(abs(compared.other_log_value - compared.other_expected_log) <= 2 * greatest(repeated.miss, repeated.swing), true)
        {%- endset %}
        bool_or({{ has_moved_on }}) as has_moved_on,
        min(abs(compared.gap)) filter (where {{ has_moved_on }}) > any_value(repeated.source_differs) as is_far,
        bool_or(
            abs(earlier.gap) > greatest(repeated.year_offset_equal, 2 * repeated.rounding) and abs(compared.gap) < abs(earlier.gap) / 2
        ) as has_it_now
    from repeated
    inner join {{ ref('int_values_compared') }} as compared on repeated.observation_id = compared.observation_id
    inner join {{ ref('int_values_compared') }} as earlier
        on
            {{ same_keys('compared', 'earlier', ['series_no', 'city_id', 'other_source_id']) }}
            and compared."year" = earlier."year" + 1
    group by repeated.observation_id
),

checked as (
    select
        repeated.*,
        elsewhere.* exclude (observation_id),
        repeated.n_repeated >= repeated.stale_table_min
        and repeated.n_repeated > repeated.stale_table_share * repeated.n_table as is_table,
        repeated.n_province_repeated >= repeated.stale_province_min
        and repeated.n_province_repeated >= repeated.stale_province_share * repeated.n_province as is_province,
        is_table and count_if(elsewhere.has_it_now) over same_table > count_if(elsewhere.has_moved_on) over same_table as is_early,
        case when is_early then repeated.earlier_observation_id else repeated.observation_id end as copy_id,
        case when is_early then repeated."year" else repeated."year" - 1 end as original_year
    from repeated
    left join elsewhere on repeated.observation_id = elsewhere.observation_id
    window same_table as (partition by repeated.series_no, repeated."year")
)

select
    copy_id as observation_id,
    'stale' as rule,
    case when is_table or is_province or is_far then 'blocked' else 'quarantined' end as grade,
    'expected another figure than that of ' || original_year || ', found the same, ' || {{ short_number('exp(log_value)') }}
    || case when is_early then '; other sources have it a year later' when has_moved_on then '; another source has moved on' else '' end
    || case when is_table then '; so have ' || n_repeated || ' of ' || n_table || ' cities' else '' end
    || case when is_province then '; so has most of the province' else '' end
    || case
        when has_moved_on or is_table or is_province then '; the copy is this year''s'
        else '; which of the two years is the copy is not known'
    end as detail
from checked
where is_table or is_province or has_moved_on or least(log_chance, province_log_chance) <= ln(stale_chance)
-- the second of three equal tables
qualify row_number() over (partition by copy_id order by is_early) = 1
