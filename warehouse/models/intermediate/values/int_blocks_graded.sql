-- grain: one row is a block of int_blocks_matched with its grade, null where the other source is the wrong one
-- key: block_no
with facts as (
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
        {{ exact_median('other_miss') }} as other_miss,
        {% for evidence in ['n_for', 'n_against', 'own_off', 'other_off'] -%}
            any_value({{ evidence }}) as {{ evidence }}
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from {{ ref('int_blocks_matched') }}
    group by fact_no, source_id, other_source_id, kind, block
),

decided_facts as (
    select
        facts.*,
        case
            when facts.n_for > facts.n_against then 'cleared'
            when facts.n_for < facts.n_against then 'blocked'
            when facts.n_repeated > facts.n_other_repeated then 'blocked'
            when facts.n_repeated < facts.n_other_repeated then 'cleared'
            -- the one that left its trend, by what the two differ
            when facts.own_miss > greatest(limits.match_mover * facts.other_miss, limits.spike_other_share * facts.distance) then 'blocked'
            when facts.other_miss > greatest(limits.match_mover * facts.own_miss, limits.spike_other_share * facts.distance) then 'cleared'
            when facts.own_off > limits.match_mover * facts.other_off then 'blocked'
            when facts.other_off > limits.match_mover * facts.own_off then 'cleared'
            when facts.own_miss > limits.match_mover * facts.other_miss and not facts.is_codes then 'blocked'
            when limits.match_mover * facts.own_miss < facts.other_miss and not facts.is_codes then 'cleared'
        end as decision
    from facts
    inner join {{ ref('int_indicator_limits') }} as limits on facts.indicator_id = limits.indicator_id
),

-- a source whose other tables, or other figures of the city, are off by the same is off here, too
elsewhere as (
    select
        source_id,
        kind,
        k,
        unit_city,
        count(distinct indicator_id) as n_indicators
    from decided_facts
    where
        (block = 'table' or unit_city is not null)
        and (
            decision = 'blocked'
            or ({{ publisher_of('source_id') }} = {{ publisher_of('other_source_id') }} and priority > other_priority)
        )
    group by source_id, kind, k, unit_city
),

graded_facts as (
    select
        facts.fact_no,
        case
            when facts.decision = 'cleared' then null
            when facts.decision = 'blocked' then 'blocked'
            when own.n_indicators > coalesce(other.n_indicators, 0) then 'blocked'
            when other.n_indicators > coalesce(own.n_indicators, 0) then null
            when facts.unit_city is not null then null
            -- of two that follow their trend the less trusted one
            when facts.priority < facts.other_priority then null
            when facts.priority > facts.other_priority and facts.block = 'table' then 'blocked'
            else 'quarantined'
        end as grade
    from decided_facts as facts
    left join elsewhere as own
        on {{ same_keys('facts', 'own', ['source_id', 'kind', 'k']) }} and facts.unit_city is not distinct from own.unit_city
    left join elsewhere as other
        on
            facts.other_source_id = other.source_id
            and facts.kind = other.kind
            and facts.k = -other.k
            and facts.unit_city is not distinct from other.unit_city
)

select
    blocks.*,
    graded_facts.grade
from {{ ref('int_blocks_matched') }} as blocks
inner join graded_facts on blocks.fact_no = graded_facts.fact_no
-- what another tells of one side accuses no other
where
    blocks.kind not in ('row', 'city')
    or not exists (
        select 1
        from {{ ref('int_blocks_matched') }} as others
        inner join graded_facts as known on others.fact_no = known.fact_no and known.grade = 'blocked'
        where
            others.kind = blocks.kind
            and others.k = case when blocks.kind = 'row' then -blocks.k else blocks.block_id // 100 end
            and (blocks.kind = 'row' or others.block_id // 100 = blocks.k)
            and others.source_id = blocks.other_source_id
            and others.other_source_id <> blocks.source_id
    )
