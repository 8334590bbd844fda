-- grain: one row is one delivered figure that is shown not to be what its table says: misprinted, in other prices, of another row, year or
-- place, a power of ten off, or an index or fraction in place of a rate; with the evidence, and the figure that is proved in its place
-- key: erratum_id
{% set causes = {
    'current_prices': 'other_prices',
    'index_for_growth': 'other_form',
    'growth_fraction': 'other_form',
    'row_shift': 'shifted',
    'year_offset': 'shifted',
    'swap': 'other_area',
    'wrong_entity': 'other_area',
    'duplicated_block': 'other_area',
    'unit_factor': 'decimal_off',
    'sign': 'misprinted',
    'spike': 'misprinted',
    'outvoted': 'misprinted',
    'value_corrections': 'misprinted',
} -%}

-- an index of growth is a rate plus 100
with graded as (
    select
        observations.*,
        coalesce(catalog.same_as, observations.indicator_id) as quantity_id,
        case when catalog.same_as is null then 0 else 100 end as base
    from {{ ref('int_observations_graded') }} as observations
    inner join {{ ref('indicator_catalog') }} as catalog on observations.indicator_id = catalog.indicator_id
),

-- what an independent source has in the same cell that no rule doubts, of several the one that is chosen first; rates of a table at current
-- prices are not put right by an index, which may be of another vintage
witnesses as (
    select
        graded.observation_id,
        arg_min(
            case when others.base = graded.base then others."value" else round(others."value" - others.base + graded.base, 6) end,
            (others.choice_rank, others.source_id)
        ) as witness_value,
        arg_min(others.source_id, (others.choice_rank, others.source_id)) as witness_source_id
    from graded
    inner join graded as others
        on {{ same_keys('graded', 'others', ['quantity_id', 'place_level', 'city_id', '"year"']) }} and graded.source_id <> others.source_id
    inner join {{ ref('int_sources_related') }} as related
        on
            graded.source_id = related.source_id
            and others.source_id = related.other_source_id
            and graded.quantity_id = related.indicator_id
            and related.relation = 'independent'
    where
        graded.quality_flag in ('blocked', 'corrected')
        and others.quality_flag in ('ok', 'corrected')
        and (graded.quality_rule <> 'current_prices' or graded.indicator_id = others.indicator_id)
    group by graded.observation_id
),

corrections as (
    select
        source_id,
        file_name,
        cast(city_id as integer) as city_id,
        cast("year" as integer) as "year",
        indicator_id,
        cast(delivered_value as double) as value_delivered,
        any_value(reason || ': ' || evidence) as evidence
    from {{ ref('value_corrections') }}
    group by all
),

-- a figure that leaves its trend alone may be true: another source must have another one
shown as (
    select
        graded.*,
        witnesses.witness_value,
        coalesce(
            witnesses.witness_source_id,
            case
                when graded.quality_rule = 'current_prices' and growth.growth_official_evidence = 'index_confirmed'
                    then growth.growth_official_source_id
            end
        ) as witness_source_id,
        corrections.evidence as correction,
        case graded.quality_rule
            {% for rule, cause in causes.items() -%}
                when '{{ rule }}' then '{{ cause }}'
            {% endfor -%}
        end as cause,
        round(100 * exp(growth.growth_index_pct / 100) - 100, 6) as index_rate,
        -- an index of growth is believed where it agrees with the rates printed for the years beside; what an index or a fraction in
        -- place of a rate stands for must be what others have
        case
            when graded.quality_rule = 'current_prices'
                then
                    coalesce(
                        witnesses.witness_value,
                        case when growth.growth_official_evidence = 'index_confirmed' then index_rate end
                    )
            when graded.quality_rule = 'value_corrections' then graded."value"
            when graded.quality_rule in ('index_for_growth', 'growth_fraction')
                then
                    case
                        when abs(graded.proposed_value - coalesce(witnesses.witness_value, index_rate)) <= 0.3
                            then graded.proposed_value
                    end
            when graded.quality_rule = 'unit_factor'
                then
                    case
                        when abs(graded.proposed_value - witnesses.witness_value) <= 0.05 * abs(witnesses.witness_value)
                            then witnesses.witness_value
                    end
            else witnesses.witness_value
        end as proved_value
    from graded
    left join witnesses on graded.observation_id = witnesses.observation_id
    left join {{ ref('fct_city_year') }} as growth
        on
            graded.city_id = growth.city_id
            and graded."year" = growth."year"
            and graded.place_level = 'city'
            and graded.quantity_id = 'gdp_growth_official_pct'
    left join corrections
        on {{ same_keys('graded', 'corrections', ['source_id', 'file_name', 'city_id', '"year"', 'indicator_id', 'value_delivered']) }}
    where
        graded.quality_flag in ('blocked', 'corrected')
        and (graded.quality_rule not in ('spike', 'outvoted') or witnesses.observation_id is not null)
)

select
    md5(concat_ws('|', source_id, edition_year, file_name, sheet_name, cell_ref, indicator_id, place_level, city_id, "year")) as erratum_id,
    source_id,
    edition_year,
    file_name,
    sheet_name,
    cell_ref,
    place_level,
    city_id,
    "year",
    indicator_id,
    raw_text as text_printed,
    value_delivered as value_printed,
    coalesce(unit_delivered, unit) as unit_printed,
    cause,
    quality_rule,
    coalesce(correction, quality_detail) as evidence,
    proved_value as proposed_value,
    unit,
    coalesce(witness_source_id, source_id) as witness_source_id
from shown
where cause is not null
