-- grain: one row is a city, year and indicator with another source whose value differs from the current one by more than 0.05 per cent
-- key: place_level, city_id, year, indicator_id, other_source_id
{% set causes = {
    'index_for_growth': 'index_for_growth', 'current_prices': 'current_prices', 'row_shift': 'row_shift', 'swap': 'swap',
    'year_offset': 'period_shift', 'stale': 'stale'
} -%}
{%- set keys = ['city_id', '"year"', 'indicator_id'] -%}

-- every rule that flags a value, not only the worst one
with rules as (
    select
        observation_id,
        list(rule order by rule_rank) as rules,
        map_from_entries(list(struct_pack(k := rule, v := proposed_value) order by rule_rank)) as proposals
    from {{ ref('int_observations_flagged') }}
    group by observation_id
),

chosen as (
    select * from {{ ref('int_observations_graded') }}
    where choice_rank = 1 and is_usable
),

-- the best value of each other source, blocked or not
others as (
    select * from {{ ref('int_observations_graded') }}
    qualify row_number() over (partition by city_id, "year", indicator_id, place_level, source_id order by choice_rank) = 1
),

differing as (
    select
        chosen.city_id,
        chosen."year",
        chosen.indicator_id,
        chosen.place_level,
        chosen.source_id as chosen_source_id,
        chosen."value" as chosen_value,
        others.source_id as other_source_id,
        others."value" as other_value,
        {% for side, other_side in [('chosen', 'others'), ('others', 'chosen')] -%}
            coalesce({{ side }}_rules.rules, []) as {{ side }}_rules,
            -- a rule is a cause only where what it proposes is what the other source has
            list_filter(
                coalesce({{ side }}_rules.rules, []),
                lambda rule: coalesce(
                    abs({{ side }}_rules.proposals[rule] - {{ other_side }}."value") <= 0.05 * abs({{ other_side }}."value"), true
                )
            ) as {{ side }}_causes,
        {% endfor -%}
        coalesce(others.edition_year > chosen.edition_year, false) as is_later_edition,
        others."value" / nullif(chosen."value", 0) - 1 as relative_gap,
        others."value" / nullif(chosen."value", 0) as value_ratio,
        case when value_ratio > 0 then ln(value_ratio) end as log_ratio,
        exists(
            select 1 from others as near
            where
                {{ same_keys('near', 'chosen', ['city_id', 'indicator_id', 'place_level', 'source_id']) }}
                and near."year" in (chosen."year" - 1, chosen."year" + 1)
                and abs(others."value" / nullif(near."value", 0) - 1) <= 0.002
        ) as is_neighbour_year
    from chosen
    inner join others on {{ same_keys('chosen', 'others', keys + ['place_level']) }} and chosen.source_id <> others.source_id
    left join rules as chosen_rules on chosen.observation_id = chosen_rules.observation_id
    left join rules as others_rules on others.observation_id = others_rules.observation_id
    where abs(others."value" - chosen."value") > 0.0005 * abs(chosen."value")
),

-- two sources with about the same gap in the year before or after have two vintages of one series
distances as (
    select
        *,
        least(
            case when lag("year") over pair_years = "year" - 1 then abs(log_ratio - lag(log_ratio) over pair_years) end,
            case when lead("year") over pair_years = "year" + 1 then abs(log_ratio - lead(log_ratio) over pair_years) end
        ) as distance_change
    from differing
    window pair_years as (partition by place_level, city_id, indicator_id, chosen_source_id, other_source_id order by "year")
),

{% set gaps = 'abs(figure / nullif(distances.other_value, 0) - 1), abs(figure / nullif(distances.chosen_value, 0) - 1)' -%}

powers as (
    select
        distances.*,
        case when value_ratio > 0 then round(log10(value_ratio)) else 0 end as power_of_ten,
        {% for digits in range(4) -%}
            abs(other_value - round(chosen_value, {{ digits }})) < 1e-9 or abs(chosen_value - round(other_value, {{ digits }})) < 1e-9
            {%- if not loop.last %} or {% endif %}
        {% endfor %} as is_rounded,
        -- what a new boundary adds or takes is no larger than its part of area or persons; growth and shares hardly notice it
        limits.rule_kind not in ('rate', 'share') and abs(distances.log_ratio) <= boundaries.largest_step as is_boundary_change,
        -- some tables give the figure of the districts for the whole of a city
        len(list_filter(alternatives.district_values, lambda figure: least({{ gaps }}) <= 0.005)) > 0 as is_of_districts,
        len(list_filter(
            alternatives.definition_values, lambda figure: least({{ gaps }}) <= 0.005 and greatest({{ gaps }}) > 0.02
        )) > 0 as is_of_definition,
        -- two vintages of one quantity stand within a stated distance; beyond it, or where a rule knows better, nothing is a revision
        coalesce(
            case
                when limits.rule_kind = 'rate' then abs(distances.other_value - distances.chosen_value) / 100
                else abs(distances.log_ratio)
            end <= limits.revision_max, true
        )
        and not list_has_any(list_concat(distances.chosen_rules, distances.others_rules), ['level_run', 'outvoted', 'wrong_entity'])
            as is_within_revisions
    from distances
    left join {{ ref('int_indicator_limits') }} as limits on distances.indicator_id = limits.indicator_id
    left join {{ ref('int_values_alternative') }} as alternatives
        on {{ same_keys('distances', 'alternatives', keys) }} and distances.place_level = 'city'
    left join {{ ref('int_boundary_steps') }} as boundaries
        on {{ same_keys('distances', 'boundaries', ['city_id', '"year"']) }} and distances.place_level = 'city'
)

select
    city_id,
    "year",
    indicator_id,
    chosen_source_id,
    chosen_value,
    other_source_id,
    other_value,
    relative_gap,
    case
        when power_of_ten <> 0 and abs(value_ratio / pow(10, power_of_ten) - 1) <= 0.01 then 'unit_factor'
        {% for rule, cause in causes.items() -%}
            when list_contains(chosen_causes, '{{ rule }}') or list_contains(others_causes, '{{ rule }}') then '{{ cause }}'
        {% endfor -%}
        when abs(relative_gap) < 0.005 and is_rounded then 'rounding'
        when is_neighbour_year then 'period_shift'
        when is_of_definition then 'definition'
        when is_of_districts and abs(relative_gap) > 0.02 then 'boundary_change'
        when
            is_within_revisions
            and (list_contains(chosen_rules, 'vintage') or list_contains(others_rules, 'vintage') or is_later_edition)
            then 'revision'
        when is_within_revisions and distance_change <= greatest(0.01, 0.3 * abs(log_ratio)) then 'revision'
        when is_boundary_change and abs(relative_gap) > 0.02 then 'boundary_change'
        else 'unexplained'
    end as suspected_cause,
    place_level
from powers
