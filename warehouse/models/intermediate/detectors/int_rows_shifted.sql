-- grain: one row is a value in a run of rows whose figures fit the rows `k` further on in the order of codes or of the file (`place_order`)
-- key: observation_id, place_order, k
with tables as (
    select
        placed.*,
        limits.* exclude (indicator_id),
        count(*) filter (where placed.may_be_row_shift) over (
            partition by placed.series_no, placed.province_id, placed."year"
        ) as n_misses
    from {{ ref('int_trends_placed') }} as placed
    inner join {{ ref('int_indicator_limits') }} as limits on placed.indicator_id = limits.indicator_id and limits.swap_fit is not null
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
            coalesce(abs(here.log_value - there.expected_log) <= here.row_shift_fit, false) as is_fit,
            is_fit and here.may_be_row_shift as is_core
        from tables as here
        cross join unnest([-3, -2, -1, 1, 2, 3]) as shifts (k)
        inner join tables as there
            on
                {{ same_keys('here', 'there', ['series_no', '"year"']) }}
                and here.{{ place }}_place + shifts.k = there.{{ place }}_place
        where here.n_misses >= here.row_shift_min_rows
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    observation_id,
    indicator_id,
    place_order,
    k,
    owner_city_id,
    count(*) filter (where is_core) over shift as n_shifted,
    is_core
from fitting
window shift as (partition by series_no, province_id, "year", place_order, k)
qualify
    may_be_row_shift
    and n_shifted >= row_shift_min_rows
    and n_shifted >= row_shift_min_share * count(*) filter (where is_fit) over shift
    -- the value at the edge of a run belongs to a row outside the file or the province
    and bool_or(is_core) over (shift order by place rows between 1 preceding and 1 following)
