-- grain: one row is one value that belongs to a city up to three rows away in its own file
-- key: observation_id
with trends as (
    select * from {{ ref('int_trends_delivered') }}
),

observations as (
    select
        observation_id,
        row_no,
        col_no
    from {{ ref('int_observations_corrected') }}
),

corroborated as (
    select * from {{ ref('int_values_corroborated') }}
),

-- codes that are shifted over the years are another rule's: of the two sources it is not the year that tells which is wrong
shifted_places as (
    select * from {{ ref('int_places_shifted') }}
),

limits as (
    select
        indicator_id,
        limits['row_shift.fit'] as fit_within,
        limits['row_shift.miss'] as miss_by,
        limits['row_shift.spike'] as spike_at,
        limits['swap.noise'] as noise_multiple,
        limits['row_shift.min_rows'] as min_rows,
        limits['row_shift.min_share'] as min_share,
        limits['row_shift.spread_ratio'] as spread_ratio,
        limits['row_shift.source_rows'] as source_rows,
        limits['source.equal'] as equal_within,
        limits['source.differs'] as differs_by
    from {{ ref('int_indicator_limits') }}
    where limits['row_shift.fit'] is not null
),

-- the witness that most others agree with; it must stay closer to its own trend than the value does, unless others say the same
witnesses as (
    select
        observation_id,
        witness_source_id as other_source_id,
        witness_log_value as other_log_value,
        abs(witness_log_value - witness_expected_log) as other_miss,
        is_confirmed
    from corroborated
),

placed as (
    select
        trends.observation_id,
        trends.series_no,
        trends.province_id,
        trends.city_id,
        trends."year",
        trends.log_value,
        trends.expected_log,
        witnesses.other_source_id,
        witnesses.other_log_value,
        limits.* exclude (indicator_id),
        coalesce(
            abs(trends.log_value - trends.expected_log) > {{ above_noise('limits.miss_by', 'limits.noise_multiple', 'trends.noise') }}
            and abs(trends.spike) >= {{ above_noise('limits.spike_at', 'limits.noise_multiple', 'trends.noise') }}, false
        ) as is_miss,
        coalesce(
            abs(trends.log_value - witnesses.other_log_value) > limits.differs_by
            and abs(trends.log_value - trends.expected_log) > greatest(limits.differs_by, witnesses.other_miss)
            and not witnesses.is_confirmed
            and shifted_places.city_id is null, false
        ) as is_contradicted,
        row_number() over (partition by trends.series_no, trends."year" order by trends.city_id) as code_place,
        row_number() over (
            partition by trends.series_no, trends."year" order by observations.row_no, observations.col_no, trends.observation_id
        ) as file_place
    from trends
    inner join limits on trends.indicator_id = limits.indicator_id
    inner join observations on trends.observation_id = observations.observation_id
    left join witnesses on trends.observation_id = witnesses.observation_id
    left join shifted_places
        on
            trends.series_no = shifted_places.series_no
            and trends.city_id = shifted_places.city_id
            and witnesses.other_source_id = shifted_places.other_source_id
),

-- only where several rows leave their trend; where cities of a province hardly differ, as in wages, every row fits every other
province_years as (
    select
        series_no,
        province_id,
        "year",
        stddev_pop(round(log_value, 9)) >= any_value(spread_ratio) * {{ exact_median('abs(log_value - expected_log)') }} as is_telling
    from placed
    group by series_no, province_id, "year"
    having
        count(*) filter (where is_miss) >= any_value(min_rows)
        or count(*) filter (where is_contradicted) >= any_value(source_rows)
),

suspects as (
    select
        placed.*,
        province_years.is_telling,
        unnest([-3, -2, -1, 1, 2, 3]) as k
    from placed
    inner join province_years
        on
            placed.series_no = province_years.series_no
            and placed.province_id = province_years.province_id
            and placed."year" = province_years."year"
),

shifted as (
    {% for place in ['code_place', 'file_place'] %}
        select
            suspects.*,
            '{{ place }}' as place_order,
            suspects.{{ place }} as place,
            targets.city_id as target_city_id,
            targets.expected_log as target_expected_log,
            targets.other_log_value as target_other_log_value,
            case when givers.is_miss or givers.is_contradicted then givers.log_value end as giver_log_value
        from suspects
        left join placed as targets
            on
                suspects.series_no = targets.series_no
                and suspects."year" = targets."year"
                and suspects.{{ place }} + suspects.k = targets.{{ place }}
        left join placed as givers
            on
                suspects.series_no = givers.series_no
                and suspects."year" = givers."year"
                and suspects.{{ place }} - suspects.k = givers.{{ place }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

counted as (
    select
        *,
        is_telling and abs(log_value - target_expected_log) <= fit_within as is_fit,
        count(*) filter (where is_telling and abs(log_value - target_expected_log) <= fit_within) over province_year as n_fit,
        count(*) filter (
            where is_telling and is_miss and abs(log_value - target_expected_log) <= fit_within
        ) over province_year as n_fit_and_miss,
        is_contradicted and abs(log_value - target_other_log_value) <= equal_within as is_told,
        count(*) filter (
            where is_contradicted and abs(log_value - target_other_log_value) <= equal_within
        ) over province_year as n_told
    from shifted
    window province_year as (partition by series_no, province_id, "year", place_order, k)
),

core as (
    select
        *,
        coalesce(is_told and n_told >= source_rows, false) as is_told_by_source,
        coalesce(is_fit and is_miss and n_fit_and_miss >= min_rows and n_fit_and_miss >= min_share * n_fit, false) as is_told_by_trend
    from counted
),

-- the value at the edge of a run belongs to a row outside the file or the province
edged as (
    select
        *,
        is_miss and (
            lag(is_told_by_source or is_told_by_trend) over run_order or lead(is_told_by_source or is_told_by_trend) over run_order
        ) as is_edge
    from core
    window run_order as (partition by series_no, province_id, "year", place_order, k order by place)
),

final as (
    select
        edged.observation_id,
        'row_shift' as rule,
        'blocked' as grade,
        {{ expected_and_found('edged.expected_log', 'edged.log_value') }} || case
            when edged.is_told_by_source or edged.is_told_by_trend
                then
                    ', which fits city ' || edged.target_city_id || ', ' || abs(edged.k) || ' row(s) '
                    || case when edged.k > 0 then 'on' else 'back' end
            else ', beside a run of rows that are shifted by ' || abs(edged.k)
        end || case when edged.is_told_by_source then '; ' || edged.other_source_id || ' has it there' else '' end as detail,
        case when abs(edged.giver_log_value - edged.expected_log) <= edged.fit_within then exp(edged.giver_log_value) end as proposed_value
    from edged
    left join corroborated on edged.observation_id = corroborated.observation_id
    where edged.is_told_by_source or ((edged.is_told_by_trend or edged.is_edge) and not coalesce(corroborated.is_vouched, false))
    qualify row_number() over (
        partition by edged.observation_id
        order by
            edged.is_told_by_source desc,
            edged.is_told_by_trend desc,
            edged.n_fit_and_miss desc,
            abs(edged.k) asc,
            edged.k asc,
            edged.place_order asc
    ) = 1
)

select * from final
