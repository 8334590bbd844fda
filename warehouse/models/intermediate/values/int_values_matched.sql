-- grain: one row is a value that matches a different cell of another source (another city, an adjacent year, or its own cell times a power
-- of ten), or none in a table that mostly matches none; `grade` says how strongly that source supports this
-- key: observation_id
{% set by_block = ['source_id', 'series_no', 'other_source_id', 'kind', 'place_order', 'k', 'block', 'block_id'] -%}
{% set block = by_block | join(', ') -%}

with trends as (
    select
        trends.*,
        trends.log_value = lag(trends.log_value) over city_years
        and trends."year" = lag(trends."year") over city_years + 1 as repeats_before,
        trends.log_value = lead(trends.log_value) over city_years
        and trends."year" = lead(trends."year") over city_years - 1 as repeats_after,
        percent_rank() over (partition by trends.series_no, trends."year" order by round(trends.log_value, 9)) as size,
        row_number() over (partition by trends.series_no, trends."year" order by trends.city_id) as code_place,
        row_number() over (
            partition by trends.series_no, trends."year" order by observations.row_no, observations.col_no, trends.observation_id
        ) as file_place,
        -- one figure may end in a zero, most of a table do not
        coalesce(
            median(figures.rounding * exp(trends.log_value)) over (partition by trends.series_no, trends."year") / exp(trends.log_value), 0
        ) / 2 as rounding
    from {{ ref('int_trends_delivered') }} as trends
    inner join {{ ref('int_observations_corrected') }} as observations on trends.observation_id = observations.observation_id
    left join {{ ref('int_values_figures') }} as figures on trends.observation_id = figures.observation_id
    where trends.indicator_id in (select paired.indicator_id from {{ ref('int_values_paired') }} as paired)
    window city_years as (partition by trends.series_no, trends.city_id order by trends."year")
),

pairs as (
    select
        paired.* exclude (log_value, other_log_value),
        round(paired.log_value, 12) as log_value,
        round(paired.other_log_value, 12) as other_log_value,
        limits.* exclude (indicator_id),
        abs(paired.gap) as own_distance,
        witness.series_no as other_series_no,
        own.code_place,
        own.file_place,
        own.size,
        witness.size as other_size,
        own.repeats_before,
        own.repeats_after,
        own.rounding,
        witness.repeats_before as other_repeats_before,
        witness.repeats_after as other_repeats_after,
        count(*) over (partition by paired.series_no, paired.other_source_id, paired."year") as n_table,
        count(*) over (partition by paired.series_no, paired.other_source_id, paired."year", paired.city_id // 10000) as n_province,
        count(*) filter (where abs(paired.gap) > limits.mixed_up_apart) over city_pairs as n_contradicted,
        max(abs(paired.gap)) over city_pairs as farthest
    from {{ ref('int_values_paired') }} as paired
    inner join {{ ref('int_indicator_limits') }} as limits on paired.indicator_id = limits.indicator_id and limits.match_apart is not null
    inner join trends as own on paired.observation_id = own.observation_id
    inner join trends as witness on paired.other_observation_id = witness.observation_id
    window city_pairs as (partition by paired.series_no, paired.other_source_id, paired.city_id)
),

-- the same city a year earlier or later, where the two differ in some year; a figure of few digits is equal where it is the other one,
-- rounded
of_other_years as (
    select
        here.*,
        'year' as kind,
        'year' as place_order,
        shifts.k,
        abs(here.log_value - there.log_value) as distance,
        greatest(here.year_offset_equal, least(here.source_equal, greatest(here.rounding, there.rounding, own.rounding))) as equal_within,
        greatest(here.year_offset_differs, 2 * equal_within) as differs_by,
        -- one late year is off by a year's growth: beside a figure that is wrong in another way everybody's next year is nearer
        least(here.own_distance, coalesce(abs(here.log_value - beside.log_value), here.own_distance)) as step
    from pairs as here
    cross join unnest([-1, 1]) as shifts (k)
    left join trends as there
        on here.other_series_no = there.series_no and here.city_id = there.city_id and here."year" + shifts.k = there."year"
    left join trends as own
        on here.series_no = own.series_no and here.city_id = own.city_id and here."year" + shifts.k = own."year"
    left join trends as beside
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
            here.source_differs as differs_by,
            here.own_distance as step
        from pairs as here
        cross join unnest([-3, -2, -1, 1, 2, 3]) as shifts (k)
        inner join trends as giver
            on
                here.series_no = giver.series_no
                and here."year" = giver."year"
                and here.{{ place }}_place + shifts.k = giver.{{ place }}_place
        inner join trends as there
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
        'city' as place_order,
        others.city_id as k,
        abs(pairs.log_value - others.log_value) as distance,
        pairs.source_equal as equal_within,
        pairs.source_differs as differs_by,
        pairs.own_distance as step
    from pairs
    inner join trends as others
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
            or pairs.own_distance
            > case when pairs.city_id // 10000 = others.city_id // 10000 then pairs.mixed_up_apart else pairs.mixed_up_apart_across end
        )
),

-- another unit; nobody's figure, which tells of most of a table
of_nobody as (
    select
        *,
        case when {{ power_of_ten('gap', 'unit_factor_source_within') }} <> 0 then 'unit' else 'apart' end as kind,
        'value' as place_order,
        {{ power_of_ten('gap', 'unit_factor_source_within') }} as k,
        cast(0 as double) as distance,
        match_apart as equal_within,
        match_apart as differs_by,
        own_distance as step
    from pairs
    where own_distance >= match_apart and (kind = 'unit' or relation in ('independent', 'edition'))
),

distances as (
    select * from of_other_years
    union all
    select * from of_other_rows
    union all
    select * from of_other_cities
    union all
    select * from of_nobody
),

-- sources round and revise: what is far closer to the other figure matches, too
judged as (
    select
        *,
        coalesce(own_distance > differs_by and distance <= greatest(equal_within, match_left_share * step), false) as is_match,
        coalesce(own_distance > differs_by and distance <= equal_within, false) as is_exact,
        coalesce(greatest(own_distance, distance) > differs_by and own_distance <= distance, own_distance <= differs_by) as is_contrary
    from distances
),

-- what counts as one fact: a table of a year, the rows of a province in a year, or a city over some years
blocks as (
    select
        *,
        'table' as block,
        "year" as block_id
    from judged
    where kind <> 'city'
    union all
    select
        *,
        'province' as block,
        "year" * 1000 + city_id // 10000 as block_id
    from judged
    where
        kind = 'row'
        -- a row of one year leaves the trend of its city; two places of one size have like figures in any year
        and abs(log_value - expected_log) > greatest(differs_by, coalesce(abs(other_log_value - other_expected_log), 0))
    union all
    select
        *,
        'city' as block,
        city_id * 100 + case
            when kind = 'year'
                then count_if(is_contrary) over (partition by kind, series_no, other_source_id, city_id, k order by "year")
            else 0
        end as block_id
    from judged
    -- copies have other vintages of a city now and then
    where kind = 'unit' or (kind in ('year', 'city') and relation in ('independent', 'edition'))
),

blamed as (
    select
        {{ block }},
        row_number() over (order by {{ block }}) as block_no,
        any_value(match_table_cities) as match_table_cities,
        count(*) filter (where is_match) >= any_value(match_table_share) * any_value(n_province) as is_most,
        count(*) over (
            partition by source_id, series_no, other_source_id, kind, least(k, block_id // 100), greatest(k, block_id // 100)
        ) = 2 as is_exchanged,
        min("year") filter (where is_match) as first_year,
        max("year") filter (where is_match) as last_year,
        count(*) filter (where is_match) as n_matches,
        any_value(indicator_id) as indicator_id,
        any_value(priority) as priority,
        any_value(other_priority) as other_priority,
        {{ exact_median('own_distance') }} as distance,
        -- late years repeat a figure where they begin, early ones where they end
        case
            when kind <> 'year' then 0
            when k < 0 then {{ repeats_at('min', 'repeats_before') }}
            else {{ repeats_at('max', 'repeats_after') }}
        end as n_repeated,
        case
            when kind <> 'year' then 0
            when k < 0 then {{ repeats_at('max', 'other_repeats_after') }}
            else {{ repeats_at('min', 'other_repeats_before') }}
        end as n_other_repeated,
        {% for side, miss in [('', 'own'), ('other_', 'other')] -%}
            case
                when block = 'city'
                    then list_avg([
                        abs(arg_min_null({{ side }}step_before, "year") filter (where is_match)),
                        abs(arg_max_null({{ side }}step_after, "year") filter (where is_match))
                    ])
                else {{ exact_median('abs(' ~ side ~ 'log_value - ' ~ side ~ 'expected_log)') }}
            end as {{ miss }}_miss
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from blocks
    where is_match or (block = 'city' and kind = 'year' and not is_contrary)
    group by {{ block }}
    having
        case block
            when 'table' then count(*) >= greatest(any_value(match_table_cities), any_value(match_table_share) * any_value(n_table))
            when 'province' then count(*) filter (where is_exact) >= any_value(match_province_rows)
            else
                count(*) filter (where is_exact) >= any_value(match_city_years)
                and (kind = 'year' or count(*) >= any_value(match_city_share) * any_value(n_contradicted))
        end
),

-- many cities of a column, on both sides, that have others' figures and are not exchanged
coded as (
    select
        *,
        kind = 'city'
        and not is_exchanged
        and count(*) filter (where not is_exchanged) over (
            partition by indicator_id, least(source_id, other_source_id), greatest(source_id, other_source_id), kind
        ) >= 2 * match_table_cities as is_codes
    from blamed
),

-- the tables of a source that are off by the same are one fact, rows in all columns; so are two cities exchanged, and many cities under
-- the codes of others
found as (
    select
        *,
        dense_rank() over (
            order by source_id, other_source_id, kind, place_order, block, case
                when kind = 'city' and not is_codes then [series_no, least(k, block_id // 100), greatest(k, block_id // 100)]
                when kind = 'row' and block = 'table' then [k]
                when kind <> 'city' then [series_no, k, case when block <> 'table' then block_id end]
            end
        ) as fact_no
    from coded
    -- what is somebody's is not nobody's; where codes are shifted in all years, no rows slipped in one
    qualify
        not (kind = 'apart' and bool_or(kind <> 'apart') over (partition by series_no, other_source_id, block, block_id))
        -- an edition of which most is new is a revision
        and not (kind = 'apart' and {{ publisher_of('source_id') }} = {{ publisher_of('other_source_id') }})
        and not ((kind = 'apart' or block = 'province') and bool_or(is_codes) over (partition by series_no, other_source_id))
),

-- never is the one wrong that further sources stand by, copies of the other left out
votes as (
    select
        found.fact_no,
        count(*) filter (where abs(third.gap) < abs(third.other_log_value - blocks.other_log_value)) as n_for,
        count(*) filter (where abs(third.gap) > abs(third.other_log_value - blocks.other_log_value)) as n_against
    from found
    inner join blocks on {{ same_keys('found', 'blocks', by_block) }}
    inner join pairs as third on blocks.observation_id = third.observation_id
    inner join {{ ref('int_sources_related') }} as related
        on
            blocks.other_source_id = related.source_id
            and third.other_source_id = related.other_source_id
            and blocks.indicator_id = related.indicator_id
            and related.relation = 'independent'
    where blocks.is_match
    group by found.fact_no
),

-- rows or cities exchanged throughout leave no trend: how far each figure is, in its table, from the size of the city in further sources
sized as (
    select
        found.fact_no,
        sum(abs(blocks.size - others.size)) as own_off,
        sum(abs(blocks.other_size - others.size)) as other_off
    from found
    inner join blocks on {{ same_keys('found', 'blocks', by_block) }}
    inner join trends as others
        on
            blocks.city_id = others.city_id
            and blocks."year" = others."year"
            and others.source_id not in (blocks.source_id, blocks.other_source_id)
    where blocks.is_match and blocks.kind in ('row', 'city', 'apart') and blocks.size <> blocks.other_size
    group by found.fact_no
),

facts as (
    select
        fact_no,
        source_id,
        other_source_id,
        kind,
        block,
        min(k) as k,
        case when kind = 'unit' and block = 'city' then min(block_id) end as unit_city,
        bool_or(is_codes) as is_codes,
        min(indicator_id) as indicator_id,
        min(priority) as priority,
        min(other_priority) as other_priority,
        sum(n_repeated) as n_repeated,
        sum(n_other_repeated) as n_other_repeated,
        {{ exact_median('distance') }} as distance,
        {{ exact_median('own_miss') }} as own_miss,
        {{ exact_median('other_miss') }} as other_miss
    from found
    group by fact_no, source_id, other_source_id, kind, block
),

judged_facts as (
    select
        facts.*,
        case
            when votes.n_for > votes.n_against then 'cleared'
            when votes.n_for < votes.n_against then 'blocked'
            when facts.n_repeated > facts.n_other_repeated then 'blocked'
            when facts.n_repeated < facts.n_other_repeated then 'cleared'
            -- the one that left its trend, by what the two differ
            when facts.own_miss > greatest(limits.match_mover * facts.other_miss, limits.spike_other_share * facts.distance) then 'blocked'
            when facts.other_miss > greatest(limits.match_mover * facts.own_miss, limits.spike_other_share * facts.distance) then 'cleared'
            when sized.own_off > limits.match_mover * sized.other_off then 'blocked'
            when sized.other_off > limits.match_mover * sized.own_off then 'cleared'
            when facts.own_miss > limits.match_mover * facts.other_miss and not facts.is_codes then 'blocked'
            when limits.match_mover * facts.own_miss < facts.other_miss and not facts.is_codes then 'cleared'
        end as verdict
    from facts
    inner join {{ ref('int_indicator_limits') }} as limits on facts.indicator_id = limits.indicator_id
    left join votes on facts.fact_no = votes.fact_no
    left join sized on facts.fact_no = sized.fact_no
),

-- a source whose other tables, or other figures of the city, are off by the same is off here, too
elsewhere as (
    select
        source_id,
        kind,
        k,
        unit_city,
        count(distinct indicator_id) as n_indicators
    from judged_facts
    where
        (block = 'table' or unit_city is not null)
        and (
            verdict = 'blocked'
            or ({{ publisher_of('source_id') }} = {{ publisher_of('other_source_id') }} and priority > other_priority)
        )
    group by source_id, kind, k, unit_city
),

graded_facts as (
    select
        facts.fact_no,
        case
            when facts.verdict = 'cleared' then null
            when facts.verdict = 'blocked' then 'blocked'
            when own.n_indicators > coalesce(other.n_indicators, 0) then 'blocked'
            when other.n_indicators > coalesce(own.n_indicators, 0) then null
            when facts.unit_city is not null then null
            -- of two that follow their trend the less trusted one
            when facts.priority < facts.other_priority then null
            when facts.priority > facts.other_priority and facts.block = 'table' then 'blocked'
            else 'quarantined'
        end as grade
    from judged_facts as facts
    left join elsewhere as own
        on {{ same_keys('facts', 'own', ['source_id', 'kind', 'k']) }} and facts.unit_city is not distinct from own.unit_city
    left join elsewhere as other
        on
            facts.other_source_id = other.source_id
            and facts.kind = other.kind
            and facts.k = -other.k
            and facts.unit_city is not distinct from other.unit_city
),

graded as (
    select
        found.*,
        graded_facts.grade
    from found
    inner join graded_facts on found.fact_no = graded_facts.fact_no
    -- what another tells of one side accuses no other
    where found.kind not in ('row', 'city') or not exists (
        select 1 from found as others
        inner join graded_facts as known on others.fact_no = known.fact_no and known.grade = 'blocked'
        where
            others.kind = found.kind and others.k = case when found.kind = 'row' then -found.k else found.block_id // 100 end
            and (found.kind = 'row' or others.block_id // 100 = found.k)
            and others.source_id = found.other_source_id
            and others.other_source_id <> found.source_id
    )
),

-- a table that is refused speaks for nobody
refused_tables as (
    select
        series_no,
        block_id as "year"
    from graded
    where block = 'table' and grade = 'blocked'
),

-- all of a table loses its word, and all of a province most of whose rows are shifted, of rates, which are alike, where some are; so do all
-- years between the first and the last of a run
members as (
    select
        graded.block_no,
        trends.observation_id
    from graded
    inner join trends
        on
            graded.series_no = trends.series_no
            and graded.block_id = case
                when graded.block = 'table' then trends."year"
                when graded.block = 'province' and (graded.is_most or trends.rate_unit is not null)
                    then trends."year" * 1000 + trends.city_id // 10000
            end
    union
    select
        graded.block_no,
        blocks.observation_id
    from graded
    inner join blocks on {{ same_keys('graded', 'blocks', by_block) }}
    where
        graded.block <> 'table'
        and (blocks.other_series_no, blocks."year") not in (from refused_tables)
        and (
            blocks.is_match
            or (graded.kind = 'year' and blocks."year" between graded.first_year and graded.last_year)
            -- at the edge of a run of rows stands a figure of a row outside the file or the province
            or (graded.block = 'province' and abs(blocks.log_value - blocks.expected_log) > blocks.row_shift_miss)
        )
    qualify
        graded.block <> 'city'
        or count(*) filter (where blocks.is_match) over (partition by graded.block_no) >= blocks.match_city_years
    union
    -- other vintages inside a run
    select
        graded.block_no,
        pairs.observation_id
    from graded
    inner join pairs
        on
            graded.series_no = pairs.series_no
            and graded.other_source_id = pairs.other_source_id
            and graded.block_id // 100 = pairs.city_id
            and pairs."year" between graded.first_year and graded.last_year
    inner join trends as there
        on pairs.other_series_no = there.series_no and pairs."year" = there."year" and graded.k = there.city_id
    where
        graded.kind = 'city'
        and (pairs.other_series_no, pairs."year") not in (from refused_tables)
        and abs(pairs.log_value - there.log_value) <= pairs.match_left_share * pairs.own_distance
)

select
    members.observation_id,
    graded.kind,
    graded.place_order,
    graded.k,
    graded.block,
    graded.other_source_id,
    graded.grade,
    graded.first_year,
    graded.last_year,
    graded.n_matches,
    trends.log_value,
    trends.rate_unit,
    trends."year",
    pairs.other_log_value
from members
inner join graded on members.block_no = graded.block_no
inner join trends on members.observation_id = trends.observation_id
left join pairs on members.observation_id = pairs.observation_id and graded.other_source_id = pairs.other_source_id
where graded.grade is not null
qualify row_number() over (
    partition by members.observation_id
    order by
        graded.grade asc,
        graded.kind = 'apart' asc,
        graded.n_matches desc,
        graded.other_source_id asc,
        graded.kind asc,
        graded.k asc,
        graded.place_order asc
) = 1
