-- grain: one row is one value that belongs to another cell
-- key: observation_id
-- rows of a province shifted, or two cities exchanged, as the series of the city and its neighbours show
with placed as (
    select
        placed.*,
        limits.swap_fit,
        coalesce(corroborated.is_vouched, false) as is_vouched,
        placed.may_be_swap and not coalesce(corroborated.is_vouched, false) as is_swap_miss
    from {{ ref('int_trends_placed') }} as placed
    inner join {{ ref('int_indicator_limits') }} as limits on placed.indicator_id = limits.indicator_id and limits.swap_fit is not null
    left join {{ ref('int_values_corroborated') }} as corroborated on placed.observation_id = corroborated.observation_id
),

shifted_rows as (
    select
        placed.observation_id,
        'row_shift' as rule,
        'blocked' as grade,
        {{ expected_and_found('placed.expected_log', 'placed.log_value', 'placed.rate_unit') }} || case
            when shifted.is_core
                then
                    ', which fits city ' || shifted.owner_city_id || ', ' || abs(shifted.k) || ' row(s) '
                    || case when shifted.k > 0 then 'on' else 'back' end
            else ', beside a run of rows that are shifted by ' || abs(shifted.k)
        end as detail,
        shifted.n_shifted as strength
    from {{ ref('int_rows_shifted') }} as shifted
    inner join placed on shifted.observation_id = placed.observation_id
    where not placed.is_vouched
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

of_twins as (
    select
        observation_id,
        'duplicated_block' as rule,
        'blocked' as grade,
        'expected a figure of its own, found ' || {{ short_number('exp(log_value)') }} || ', which city '
        || twin_city_id || ' has too, in ' || n_years || ' years nearby' as detail,
        0 as strength
    from {{ ref('int_values_duplicated') }}
    where observation_id not in {{ observations_where(ref('int_values_corroborated'), 'is_confirmed') }}
),

single as (
    select *
    from (
        {% for flags in [ref('int_observations_matched'), 'of_twins', 'shifted_rows', 'swapped'] %}
            select * from {{ flags }} {{ 'union all by name' if not loop.last }}
        {% endfor %}
    )
    qualify row_number() over (partition by observation_id order by grade asc, strength desc, detail asc) = 1
),

-- what holds for a row holds for its columns: where rows of a file are shifted, a column of these rows is shifted with them if most of
-- its figures there are nearer to what the row they fit leads one to expect
shifts as (
    select
        cells.*,
        run.owner_city_id
    from single
    inner join {{ ref('int_rows_shifted') }} as run on single.observation_id = run.observation_id
    inner join {{ ref('int_observations_corrected') }} as cells on single.observation_id = cells.observation_id
    where single.rule = 'row_shift' and cells.row_no is not null
    qualify row_number() over (
        partition by cells.source_id, cells.edition_year, cells.file_name, cells.sheet_name, cells.row_no, cells."year"
        order by run.n_shifted desc, run.is_core desc, abs(run.k) asc, run.k asc, run.place_order asc, run.indicator_id asc
    ) = 1
),

columns_of_rows as (
    select
        here.*,
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
        || recoded.n_shifted || ' of its ' || recoded.n_compared
        || ' cells in this file that others have too are another city''s' as detail,
        -1 as strength
    from {{ ref('int_observations_corrected') }} as observations
    inner join {{ ref('int_files_recoded') }} as recoded
        on
            {{ same_keys('observations', 'recoded', ['source_id', 'file_name', 'city_id']) }}
            and observations.edition_year is not distinct from recoded.edition_year
    where
        observations.place_level = 'city'
        and observations.observation_id not in {{ observations_where(ref('int_values_corroborated'), 'is_confirmed') }}
)

select * exclude (strength) from flags
qualify row_number() over (partition by observation_id order by grade asc, strength desc, detail asc) = 1
