-- grain: one row is a value and a different cell of another source, by `kind`, whose figure it may be
-- key: observation_id, other_source_id, kind, place_order, k
{% set thresholds = [
    'match_apart', 'match_left_share', 'mixed_up_apart', 'mixed_up_apart_across', 'row_shift_miss', 'source_differs', 'source_equal',
    'unit_factor_source_within', 'year_offset_differs', 'year_offset_equal'
] -%}
with pairs as (
    select
        paired.* replace (round(paired.log_value, 12) as log_value, round(paired.other_log_value, 12) as other_log_value),
        abs(paired.gap) as own_distance,
        witness.series_no as other_series_no,
        own.code_place,
        own.file_place,
        own.rounding,
        {% for column in ['size', 'repeats_before', 'repeats_after'] -%}
            own.{{ column }},
            witness.{{ column }} as other_{{ column }},
        {% endfor -%}
        {% for threshold in thresholds -%}
            limits.{{ threshold }},
        {% endfor -%}
        count(*) over (partition by paired.series_no, paired.other_source_id, paired."year") as n_table,
        count(*) over (partition by paired.series_no, paired.other_source_id, paired."year", paired.city_id // 10000) as n_province,
        count(*) filter (where abs(paired.gap) > limits.mixed_up_apart) over city_pairs as n_contradicted,
        max(abs(paired.gap)) over city_pairs as farthest
    from {{ ref('int_values_paired') }} as paired
    inner join {{ ref('int_indicator_limits') }} as limits on paired.indicator_id = limits.indicator_id and limits.match_apart is not null
    inner join {{ ref('int_trends_placed') }} as own on paired.observation_id = own.observation_id
    inner join {{ ref('int_trends_placed') }} as witness on paired.other_observation_id = witness.observation_id
    window city_pairs as (partition by paired.series_no, paired.other_source_id, paired.city_id)
),

-- the same city a year earlier or later; a figure of few digits is equal where it is the other one, rounded
of_other_years as (
    select
        here.*,
        'year' as kind,
        shifts.k,
        abs(here.log_value - there.log_value) as distance,
        greatest(here.year_offset_equal, least(here.source_equal, greatest(here.rounding, there.rounding, own.rounding)))
            as equal_within,
        greatest(here.year_offset_differs, 2 * equal_within) as differs_by,
        -- one late year is off by a year's growth: beside a figure that is wrong in another way everybody's next year is nearer
        least(here.own_distance, abs(here.log_value - beside.log_value)) as step
    from pairs as here
    cross join unnest([-1, 1]) as shifts (k)
    left join {{ ref('int_trends_placed') }} as there
        on here.other_series_no = there.series_no and here.city_id = there.city_id and here."year" + shifts.k = there."year"
    left join {{ ref('int_trends_placed') }} as own
        on here.series_no = own.series_no and here.city_id = own.city_id and here."year" + shifts.k = own."year"
    left join {{ ref('int_trends_placed') }} as beside
        on here.series_no = beside.series_no and here.city_id = beside.city_id and here."year" - shifts.k = beside."year"
    where here.farthest > here.year_offset_differs
),

-- the row up to three further on or back, in the order of codes and in that of the file
of_other_rows as (
    {% for place in ['code', 'file'] %}
        select
            here.*,
            'row' as kind,
            '{{ place }}' as place_order,
            shifts.k,
            abs(here.log_value - there.log_value) as distance,
            here.source_equal as equal_within,
            here.source_differs as differs_by
        from pairs as here
        cross join unnest([-3, -2, -1, 1, 2, 3]) as shifts (k)
        inner join {{ ref('int_trends_placed') }} as giver
            on
                {{ same_keys('here', 'giver', ['series_no', '"year"']) }}
                and here.{{ place }}_place + shifts.k = giver.{{ place }}_place
        inner join {{ ref('int_trends_placed') }} as there
            on here.other_series_no = there.series_no and here."year" = there."year" and giver.city_id = there.city_id
        where here.own_distance > here.source_differs
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

-- any other city that has the very figure: one that differs much, or has this city's in turn
of_other_cities as (
    select
        pairs.*,
        'city' as kind,
        others.city_id as k,
        abs(pairs.log_value - others.log_value) as distance,
        pairs.source_equal as equal_within,
        pairs.source_differs as differs_by
    from pairs
    inner join {{ ref('int_trends_placed') }} as others
        on
            pairs.other_series_no = others.series_no
            and pairs."year" = others."year"
            and pairs.city_id <> others.city_id
            and abs(pairs.log_value - others.log_value) <= pairs.source_equal
    left join pairs as theirs
        on
            {{ same_keys('pairs', 'theirs', ['series_no', 'other_source_id', '"year"']) }}
            and others.city_id = theirs.city_id
            and abs(theirs.log_value - pairs.other_log_value) <= pairs.source_equal
    where
        pairs.own_distance > pairs.source_differs
        and (
            theirs.city_id is not null
            or pairs.own_distance > if(pairs.city_id // 10000 = others.city_id // 10000, pairs.mixed_up_apart, pairs.mixed_up_apart_across)
        )
),

-- another unit; nobody's figure, which tells of most of a table
of_nobody as (
    select
        *,
        case when {{ power_of_ten('gap', 'unit_factor_source_within') }} <> 0 then 'unit' else 'apart' end as kind,
        {{ power_of_ten('gap', 'unit_factor_source_within') }} as k,
        0.0 as distance,
        match_apart as equal_within,
        match_apart as differs_by
    from pairs
    where own_distance >= match_apart and (kind = 'unit' or relation in ('independent', 'edition'))
),

-- sources round and revise: what is far closer to the other figure matches, too
checked as (
    select
        *,
        coalesce(own_distance > differs_by and distance <= greatest(equal_within, match_left_share * coalesce(step, own_distance)), false)
            as is_match,
        coalesce(own_distance > differs_by and distance <= equal_within, false) as is_exact,
        coalesce(greatest(own_distance, distance) > differs_by and own_distance <= distance, own_distance <= differs_by) as is_contrary
    from (
        {% for kind in ['other_rows', 'other_years', 'other_cities', 'nobody'] %}
            select * from of_{{ kind }} {{ 'union all by name' if not loop.last }}
        {% endfor %}
    )
)

select
    coalesce(place_order, kind) as place_order,
    * exclude (
        place_order, trend, residual, noise, city_noise, own_offset, spike, other_spike, is_end, gap, code_place, file_place, rounding,
        farthest, distance, equal_within, step, {{ thresholds | join(', ') }}
    ),
    -- years that contradict the match end a run of years
    count_if(kind = 'year' and is_contrary) over (partition by series_no, other_source_id, city_id, kind, k order by "year") as run_no
from checked
where
    is_match or kind = 'year'
    -- at the edge of a run of rows stands a figure of a row outside the file or the province
    or (kind = 'row' and abs(log_value - expected_log) > row_shift_miss)
qualify is_match or kind <> 'year' or not is_contrary
