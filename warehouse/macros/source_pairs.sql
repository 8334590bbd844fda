{#- What the detectors that hold one source against another share. -#}

{#- Whether two relations agree in each of these columns. -#}
{% macro same_keys(left, right, keys) -%}
    {% for key in keys %}
        {{- '\n            and ' if not loop.first }}{{ left }}.{{ key }} = {{ right }}.{{ key }}
    {%- endfor %}
{%- endmacro %}

{#- The observations of a relation for which a condition holds. -#}
{% macro observations_where(relation, condition='true') -%}
    (select chosen.observation_id from {{ relation }} as chosen where {{ condition }})
{%- endmacro %}

{#- The source of which a speaker of int_values_series is an edition. -#}
{% macro publisher_of(speaker) -%}
    split_part({{ speaker }}, ' ', 1)
{%- endmacro %}

{#- Whether a speaker of int_values_series is an edition that covers several years. -#}
{% macro is_edition(speaker) -%}
    contains({{ speaker }}, ' ')
{%- endmacro %}

{#- Of the editions of one source the latest counts. -#}
{% macro latest_edition(relation) -%}
    select *
    from {{ relation }}
    qualify row_number() over (
        partition by source_id, indicator_id, city_id, "year" order by edition_year desc nulls last, series_no asc
    ) = 1
{%- endmacro %}

{#- Each value of a trend beside that of every other source, with how far the two are from each other and each from its own trend. -#}
{% macro figures_beside(trends, sources_related, limits) -%}
    with speaking as (
        {{ latest_edition(trends) }}
    )

    select
        speaking.*,
        others.source_id as other_source_id,
        others.log_value as other_log_value,
        others.observation_id as other_observation_id,
        others.rate_unit as other_rate_unit,
        limits.* exclude (indicator_id),
        related.relation,
        related.is_heard,
        related.is_heard
        and (related.is_worse or (related.priority = 999 and related.other_priority < 999)) as is_weaker,
        related.is_other_worse,
        abs(speaking.log_value - others.log_value) as gap,
        abs(speaking.log_value - speaking.expected_log) as own_miss,
        abs(others.log_value - others.expected_log) as other_miss
    from speaking
    inner join {{ limits }} as limits on speaking.indicator_id = limits.indicator_id
    inner join speaking as others on {{ same_keys('speaking', 'others', ['indicator_id', 'city_id', '"year"']) }}
    inner join {{ sources_related }} as related
        on {{ same_keys('speaking', 'related', ['source_id', 'indicator_id']) }} and others.source_id = related.other_source_id
{%- endmacro %}

{#- Whether the series of a city repeats a figure where the matching years begin (`min`) or end (`max`), or most of a table repeats: a few
    do in any year, and all years of a late source have them. -#}
{% macro repeats_at(end, repeats) -%}
    case
        when block = 'city'
            then cast(coalesce(
                {{ end }}("year") filter (where {{ repeats }}) {{ '<=' if end == 'min' else '>=' }} {{ end }}("year") filter (where is_match),
                false
            ) as integer)
        else cast(2 * count(*) filter (where {{ repeats }}) > count(*) as integer)
    end
{%- endmacro %}

{#- What a spike says: the years beside it, the value, and what the nearest other source has. -#}
{% macro spike_detail() -%}
    {{ expected_and_found('expected_log', 'log_value') }}
    || coalesce('; ' || witness_source_id || ' has ' || {{ short_figure('witness_log_value', 'rate_unit') }}, '')
{%- endmacro %}

{#- Rows of int_values_candidates, each in the blocks of values that are off together or not at all: the table of a year, the rows of a
    province in a year, a city over some years. -#}
{% macro blocks_of(candidates) -%}
    select
        candidates.* exclude (differs_by, run_no),
        of_kind.block,
        case of_kind.block
            when 'table' then candidates."year"
            when 'province' then candidates."year" * 1000 + candidates.city_id // 10000
            else candidates.city_id * 100 + candidates.run_no
        end as block_id
    from {{ candidates }} as candidates
    cross join unnest(
        case candidates.kind when 'row' then ['table', 'province'] when 'city' then ['city'] else ['table', 'city'] end
    ) as of_kind (block)
    where
        case of_kind.block
            when 'table' then candidates.is_match
            -- a row of one year leaves the trend of its city; two places of one size have like figures in any year
            when 'province'
                then
                    abs(candidates.log_value - candidates.expected_log)
                    > greatest(candidates.differs_by, coalesce(abs(candidates.other_log_value - candidates.other_expected_log), 0))
            -- copies have other vintages of a city now and then
            else candidates.kind = 'unit' or (candidates.kind <> 'apart' and candidates.relation in ('independent', 'edition'))
        end
{%- endmacro %}
