-- grain: one row is one rate in a table of growth that belongs to another year or to other rows, or that holds means of several years
-- key: observation_id
{% set table = 'source_id, edition_year, indicator_id, "year"' -%}

with delivered as (
    select
        *,
        dense_rank() over (order by {{ table }}) as table_no,
        row_number() over (partition by {{ table }} order by city_id) as code_place,
        row_number() over (partition by {{ table }} order by row_no, col_no, observation_id) as file_place
    from {{ ref('int_rates_delivered') }}
),

-- the source's rates for the city in the four years before and the year after; from the same edition if it has them, else from the newest
around as (
    select
        here.observation_id,
        there."year" - here."year" as k,
        there.rate_pct
    from delivered as here
    inner join delivered as there
        on
            {{ same_keys('here', 'there', ['source_id', 'indicator_id', 'city_id']) }}
            and here."year" <> there."year"
            and here."year" between there."year" - 1 and there."year" + 4
    qualify row_number() over (
        partition by here.observation_id, there."year"
        order by here.edition_year is not distinct from there.edition_year desc, there.edition_year desc, there.observation_id asc
    ) = 1
),

rates as (
    select
        delivered.*,
        case when count(*) filter (where around.k < 0) = 4 then round(avg(around.rate_pct) filter (where around.k < 0), 9) end as mean_pct,
        any_value(around.rate_pct) filter (where around.k = -1) as pct_before,
        any_value(around.rate_pct) filter (where around.k = 1) as pct_after
    from delivered
    left join around on delivered.observation_id = around.observation_id
    group by all
),

-- what a table is compared with: the growth of levels in its own year and rows, in the year before and after, and up to three rows later
-- or earlier; and the mean of the rates printed for the four years before. k is the distance in years or rows
beside as (
    select
        *,
        unnest(['own', 'mean']) as kind,
        unnest([level_growth_pct, mean_pct]) as beside_pct,
        0 as k
    from rates
    union all by name
    select
        rates.*,
        'year' as kind,
        shifts.k,
        (
            select max(there.level_growth_pct) from rates as there
            where {{ same_keys('there', 'rates', ['growth_of', 'city_id']) }} and there."year" = rates."year" + shifts.k
        ) as beside_pct
    from rates
    cross join unnest([-1, 1]) as shifts (k)
    {% for place in ['code_place', 'file_place'] %}
        union all by name
        select
            here.*,
            '{{ place }}' as kind,
            shifts.k,
            there.level_growth_pct as beside_pct
        from rates as here
        cross join unnest([-3, -2, -1, 1, 2, 3]) as shifts (k)
        inner join rates as there on here.table_no = there.table_no and here.{{ place }} + shifts.k = there.{{ place }}
    {% endfor %}
),

ranked as (
    select
        *,
        rank() over (partition by table_no, kind, k order by rate_pct) as rate_rank,
        rank() over (partition by table_no, kind, k order by round(beside_pct, 9)) as beside_rank
    from beside
    where beside_pct is not null
),

compared as (
    select
        table_no,
        {{ table }},
        kind,
        k,
        count(*) as n_cities,
        count(*) filter (where rate_pct = case k when -1 then pct_before when 1 then pct_after end) as n_repeated,
        corr(rate_rank, beside_rank) as correlation,
        max(correlation) filter (where kind = 'own') over (partition by table_no) as own_correlation,
        correlation - own_correlation as gap
    from ranked
    group by table_no, {{ table }}, kind, k
),

-- a single table needs a large gap to count as another year's; several in a row, or a table that repeats that year's figures, need less.
-- If two tables have the same figures and neither clearly belongs to its own year, both are doubtful
checked as (
    select
        compared.*,
        compared.kind = 'year' and compared.n_repeated >= limits.match_table_share * compared.n_cities as is_repeated,
        count(*) over several_years >= 3 and avg(compared.gap) over several_years >= limits.rate_table_gap as is_of_several,
        case
            when compared.kind = 'mean' then compared.correlation >= limits.rate_table_mean
            when compared.correlation < limits.rate_table_follows then false
            when compared.kind = 'year' and not is_repeated
                then compared.gap >= limits.rate_table_year_gap or is_of_several
            else compared.gap >= limits.rate_table_gap
        end as is_other,
        is_other or (is_repeated and compared.gap > -limits.rate_table_gap) as is_doubtful
    from compared
    inner join {{ ref('int_indicator_limits') }} as limits on compared.indicator_id = limits.indicator_id
    where compared.kind <> 'own' and compared.n_cities >= limits.rate_table_cities
    window several_years as (
        partition by compared.source_id, compared.edition_year, compared.indicator_id, compared.kind, compared.k
        order by compared."year" range between 2 preceding and 2 following
    )
)

select
    rates.observation_id,
    case checked.kind
        when 'mean' then 'constructed'
        when 'year' then 'year_offset'
        else 'row_shift'
    end as rule,
    case when checked.is_other then 'blocked' else 'quarantined' end as grade,
    'expected growth in ' || rates."year" || ', found ' || {{ short_number('rates."value"') }} || '; the figures of its table follow '
    || case checked.kind
        when 'mean' then 'the mean of the four years before'
        when 'year' then 'the growth of levels in ' || (checked."year" + checked.k)
        else 'the growth of levels ' || abs(checked.k) || ' row(s) ' || case when checked.k > 0 then 'on' else 'back' end
    end || ' by ' || {{ short_number('checked.correlation') }} || ' (rank correlation)'
    || coalesce(', the growth of their own levels by ' || {{ short_number('checked.own_correlation') }}, '') as detail
from rates
inner join checked on rates.table_no = checked.table_no
where checked.is_doubtful
qualify row_number() over (
    partition by rates.observation_id
    order by
        checked.is_repeated desc, checked.is_other desc, checked.kind = 'mean' desc, checked.gap desc, checked.kind asc, checked.k asc
) = 1
