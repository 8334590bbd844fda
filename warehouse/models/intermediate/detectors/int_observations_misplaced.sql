-- grain: one row is one value that belongs to another cell, as other sources show (int_values_matched) or the series of the city and its
-- neighbours do (rows of a province shifted, two cities exchanged), or another value of such a shifted row
-- key: observation_id
-- where the cities of a province hardly differ, or vary much over the years, each fits the trend of every other
with province_years as (
    select
        series_no,
        province_id,
        "year",
        stddev_pop(round(log_value, 9)) / nullif(median(abs(log_value - expected_log)), 0) as spread
    from {{ ref('int_trends_delivered') }}
    group by series_no, province_id, "year"
),

placed as (
    select
        trends.*,
        limits.row_shift_fit,
        limits.row_shift_min_rows,
        limits.row_shift_min_share,
        limits.swap_fit,
        observations.file_name,
        observations.sheet_name,
        observations.row_no,
        observations.col_no,
        coalesce(corroborated.is_vouched, false) as is_vouched,
        abs(trends.log_value - trends.expected_log) as miss,
        coalesce(abs(trends.spike), 0) >= {{ above_noise('limits.swap_spike', 'limits.swap_noise', 'trends.noise') }} as is_spike,
        is_spike
        and miss > {{ above_noise('limits.row_shift_miss', 'limits.swap_noise', 'trends.noise') }}
        and limits.row_shift_fit is not null
        and coalesce(province_years.spread >= limits.row_shift_spread_ratio, true) as is_row_miss,
        is_spike
        and miss > {{ above_noise('limits.swap_miss', 'limits.swap_noise', 'trends.noise') }}
        and coalesce(province_years.spread >= limits.swap_spread_ratio, true)
        and not coalesce(corroborated.is_vouched, false) as is_swap_miss
    from {{ ref('int_trends_delivered') }} as trends
    inner join {{ ref('int_indicator_limits') }} as limits on trends.indicator_id = limits.indicator_id and limits.swap_fit is not null
    inner join {{ ref('int_observations_corrected') }} as observations on trends.observation_id = observations.observation_id
    inner join province_years
        on {{ same_keys('trends', 'province_years', ['series_no', 'province_id', '"year"']) }}
    left join {{ ref('int_values_corroborated') }} as corroborated on trends.observation_id = corroborated.observation_id
),

tables as (
    select
        *,
        row_number() over (partition by series_no, "year" order by city_id) as code_place,
        row_number() over (partition by series_no, "year" order by row_no, col_no, observation_id) as file_place,
        count(*) filter (where is_row_miss) over (partition by series_no, province_id, "year") as n_row_misses
    from placed
),

-- rows whose figure is what the row up to three on or back would lead one to expect
suspects as (
    select
        *,
        unnest([-3, -2, -1, 1, 2, 3]) as k
    from tables
    where n_row_misses >= row_shift_min_rows
),

fitting as (
    {% for place in ['code', 'file'] %}
        select
            here.*,
            '{{ place }}' as place_order,
            here.{{ place }}_place as place,
            there.city_id as owner_city_id,
            abs(here.log_value - there.expected_log) <= here.row_shift_fit as is_fit
        from suspects as here
        inner join tables as there
            on
                here.series_no = there.series_no
                and here."year" = there."year"
                and here.{{ place }}_place + here.k = there.{{ place }}_place
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

counted as (
    select
        *,
        count(*) filter (where is_fit and is_row_miss) over shift as n_shifted,
        count(*) filter (where is_fit) over shift as n_fit
    from fitting
    window shift as (partition by series_no, province_id, "year", place_order, k)
),

-- the value at the edge of a run belongs to a row outside the file or the province
by_rows as (
    select
        *,
        coalesce(is_fit, false) and is_row_miss as is_core
    from counted
    where n_shifted >= row_shift_min_rows and n_shifted >= row_shift_min_share * n_fit
    qualify
        is_row_miss
        and bool_or(is_core) over (
            partition by series_no, province_id, "year", place_order, k order by place rows between 1 preceding and 1 following
        )
),

shifted_rows as (
    select
        observation_id,
        'row_shift' as rule,
        'blocked' as grade,
        {{ expected_and_found('expected_log', 'log_value') }} || case
            when is_core
                then
                    ', which fits city ' || owner_city_id || ', ' || abs(k) || ' row(s) '
                    || case when k > 0 then 'on' else 'back' end
            else ', beside a run of rows that are shifted by ' || abs(k)
        end as detail,
        n_shifted as strength
    from by_rows
    where not is_vouched
),

swapped as (
    select
        here.observation_id,
        'swap' as rule,
        'blocked' as grade,
        {{ expected_and_found('here.expected_log', 'here.log_value', 'here.rate_unit') }} || ', which fits city ' || there.city_id
        || ', as its value fits here' as detail,
        {{ figure_of('there.log_value', 'here.rate_unit') }} as proposed_value,
        0 as strength
    from placed as here
    inner join placed as there
        on
            {{ same_keys('here', 'there', ['series_no', 'province_id', '"year"']) }}
            and here.is_swap_miss
            and there.is_swap_miss
            and here.city_id <> there.city_id
            and abs(here.log_value - there.expected_log) <= here.swap_fit
            and abs(there.log_value - here.expected_log) <= here.swap_fit
),

told as (
    select
        observation_id,
        case kind
            when 'row' then 'row_shift'
            when 'city' then 'swap'
            when 'year' then 'year_offset'
            when 'unit' then 'unit_factor'
            else 'outvoted'
        end as rule,
        grade,
        coalesce(
            'expected ' || {{ short_figure('other_log_value', 'rate_unit') }} || ' as in ' || other_source_id || ', found ',
            'expected a figure of its own, found '
        ) || {{ short_figure('log_value', 'rate_unit') }} || '; ' || case
            when block = 'table' and kind = 'year' then 'its table holds the figures of ' || ("year" + k)
            when block = 'table' and kind = 'row' then 'its table has its rows shifted by ' || abs(k)
            when block = 'table' and kind = 'unit' then 'its table is a factor of 10^' || k || ' off'
            when block = 'table' then 'its table stands apart from the others'
            when kind = 'row' then 'that source has it ' || abs(k) || ' row(s) ' || case when k > 0 then 'on' else 'back' end
            when kind = 'city' then 'that source has it for city ' || k
            when kind = 'unit' then 'it is a factor of 10^' || k || ' off'
            else 'that source has it for ' || ("year" + k)
        end || ', so in ' || n_matches
        || case when block = 'city' then ' years from ' || first_year || ' to ' || last_year else ' cities' end as detail,
        {{ figure_of('other_log_value', 'rate_unit') }} as proposed_value,
        1000000 + n_matches as strength
    from {{ ref('int_values_matched') }}
),

-- two cities with one long figure in two years or more; two short ones may be alike by chance
of_twins as (
    select
        here.observation_id,
        'duplicated_block' as rule,
        'blocked' as grade,
        'expected a figure of its own, found ' || {{ short_number('exp(here.log_value)') }} || ', which city ' || twin.city_id
        || ' has too, in ' || count(*) over nearby || ' years nearby' as detail,
        0 as strength
    from {{ ref('int_values_figures') }} as here
    inner join {{ ref('int_values_figures') }} as twin
        on
            {{ same_keys('here', 'twin', ['series_no', '"year"', 'value_as_delivered']) }}
            and here.city_id <> twin.city_id
    inner join {{ ref('int_indicator_limits') }} as limits on here.indicator_id = limits.indicator_id
    left join {{ ref('int_values_corroborated') }} as corroborated on here.observation_id = corroborated.observation_id
    window
        nearby as (
            partition by here.series_no, here.city_id, twin.city_id order by here."year" range between 2 preceding and 2 following
        )
    qualify
        count(*) over nearby >= 2
        and sum(here.n_digits) over nearby >= limits.duplicated_block_digits
        and not coalesce(corroborated.is_confirmed, false)
),

found as (
    select * from told
    union all by name
    select * from of_twins
    union all by name
    select * from shifted_rows
    union all by name
    select * from swapped
),

single as (
    select *
    from found
    qualify row_number() over (partition by observation_id order by grade asc, strength desc, detail asc) = 1
),

-- what holds for a row holds for its columns: where rows of a file are shifted, a column of these rows is shifted with them if most of
-- its figures there are nearer to what the row they fit leads one to expect
shifts as (
    select
        {{ publisher_of('here.source_id') }} as source_id,
        here.edition_year,
        here.file_name,
        here.sheet_name,
        here.row_no,
        here.city_id,
        here."year",
        here.owner_city_id
    from single
    inner join by_rows as here on single.observation_id = here.observation_id
    where single.rule = 'row_shift' and here.row_no is not null
    qualify row_number() over (
        partition by here.source_id, here.edition_year, here.file_name, here.sheet_name, here.row_no, here."year"
        order by here.n_shifted desc, here.is_core desc, abs(here.k) asc, here.k asc, here.place_order asc, here.indicator_id asc
    ) = 1
),

columns_of_rows as (
    select
        here.observation_id,
        here.log_value,
        here.rate_unit,
        here.expected_log,
        here.miss,
        shifts.owner_city_id,
        count(*) filter (where abs(here.log_value - there.expected_log) < here.miss) over same_column as n_nearer,
        count(*) over same_column as n_rows
    from shifts
    inner join {{ ref('int_observations_corrected') }} as cells
        on
            {{ same_keys('shifts', 'cells', ['source_id', 'file_name', 'row_no', '"year"', 'city_id']) }}
            and shifts.edition_year is not distinct from cells.edition_year
            and shifts.sheet_name is not distinct from cells.sheet_name
    inner join placed as here on cells.observation_id = here.observation_id
    inner join placed as there
        on here.series_no = there.series_no and here."year" = there."year" and shifts.owner_city_id = there.city_id
    where not cells.is_corrected
    window same_column as (partition by here.series_no, here.province_id, here."year")
),

-- a city whose figures are another's over the years stands under its code with all cells of the file, also those that nobody else has
rows_of_others as (
    select
        observations.source_id,
        observations.edition_year,
        observations.file_name,
        observations.city_id,
        count(*) filter (
            where matched.kind in ('row', 'city') and matched.grade = 'blocked' and abs(matched.log_value - matched.other_log_value) > 0.01
        ) as n_shifted,
        count(*) as n_compared
    from {{ ref('int_observations_corrected') }} as observations
    left join {{ ref('int_values_matched') }} as matched on observations.observation_id = matched.observation_id
    where observations.observation_id in (select paired.observation_id from {{ ref('int_values_paired') }} as paired)
    group by observations.source_id, observations.edition_year, observations.file_name, observations.city_id
    having n_shifted >= 3 and n_shifted >= 0.5 * count(*) and max(observations."year") > min(observations."year")
    -- two cities exchanged in a column are no shifted codes
    qualify
        count(*) over (
            partition by observations.source_id, observations.edition_year, observations.file_name, observations.city_id // 10000
        ) >= 3
),

flags as (
    select * from single
    union all by name
    select
        observation_id,
        'row_shift' as rule,
        'blocked' as grade,
        {{ expected_and_found('expected_log', 'log_value') }} || '; its row is shifted, it fits city ' || owner_city_id as detail,
        -1 as strength
    from columns_of_rows
    where n_rows >= 3 and n_nearer >= 0.75 * n_rows
    union all by name
    select
        observations.observation_id,
        'row_shift' as rule,
        'blocked' as grade,
        'expected a figure of the city, found ' || {{ short_number('observations."value"') }} || ' in a row whose code is shifted: '
        || rows_of_others.n_shifted || ' of its ' || rows_of_others.n_compared
        || ' cells in this file that others have too are another city''s' as detail,
        -1 as strength
    from {{ ref('int_observations_corrected') }} as observations
    inner join rows_of_others
        on
            {{ same_keys('observations', 'rows_of_others', ['source_id', 'file_name', 'city_id']) }}
            and observations.edition_year is not distinct from rows_of_others.edition_year
    left join {{ ref('int_values_corroborated') }} as corroborated on observations.observation_id = corroborated.observation_id
    where observations.place_level = 'city' and not coalesce(corroborated.is_confirmed, false)
)

select * exclude (strength) from flags
qualify row_number() over (partition by observation_id order by grade asc, strength desc, detail asc) = 1
