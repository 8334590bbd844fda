-- grain: one row is a value in a run of rows whose figures fit the rows `k` further on in the order of codes or of the file (`place_order`)
-- key: observation_id, place_order, k
with tables as (
    select
        trends.*,
        placed.code_place,
        placed.file_place,
        placed.may_be_row_shift,
        limits.row_shift_fit,
        limits.row_shift_min_rows,
        limits.row_shift_min_share,
        count(*) filter (where placed.may_be_row_shift) over (
            partition by trends.series_no, trends.province_id, trends."year"
        ) as n_misses
    from {{ ref('int_trends_delivered') }} as trends
    inner join {{ ref('int_trends_placed') }} as placed on trends.observation_id = placed.observation_id
    inner join {{ ref('int_indicator_limits') }} as limits on trends.indicator_id = limits.indicator_id and limits.swap_fit is not null
),

-- rows whose figure is what the row up to three on or back would lead one to expect
fitting as (
    {% for place in ['code', 'file'] %}
        select
            here.*,
            shifts.k,
            '{{ place }}' as place_order,
            here.{{ place }}_place as place,
            there.city_id as owner_city_id,
            abs(here.log_value - there.expected_log) <= here.row_shift_fit as is_fit
        from tables as here
        cross join unnest([-3, -2, -1, 1, 2, 3]) as shifts (k)
        inner join tables as there
            on
                {{ same_keys('here', 'there', ['series_no', '"year"']) }}
                and here.{{ place }}_place + shifts.k = there.{{ place }}_place
        where here.n_misses >= here.row_shift_min_rows
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

counted as (
    select
        *,
        count(*) filter (where is_fit and may_be_row_shift) over shift as n_shifted,
        count(*) filter (where is_fit) over shift as n_fit
    from fitting
    window shift as (partition by series_no, province_id, "year", place_order, k)
)

select
    observation_id,
    indicator_id,
    place_order,
    k,
    owner_city_id,
    n_shifted,
    coalesce(is_fit, false) and may_be_row_shift as is_core
from counted
where n_shifted >= row_shift_min_rows and n_shifted >= row_shift_min_share * n_fit
-- the value at the edge of a run belongs to a row outside the file or the province
qualify
    may_be_row_shift
    and bool_or(is_core) over (
        partition by series_no, province_id, "year", place_order, k order by place rows between 1 preceding and 1 following
    )
