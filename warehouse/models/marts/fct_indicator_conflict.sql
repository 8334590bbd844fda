-- grain: one row is a city, year and indicator with another source whose value differs from the current one by more than 0.05 per cent
-- key: place_level, city_id, year, indicator_id, other_source_id
{% set causes = {
    'index_for_growth': 'index_for_growth', 'current_prices': 'current_prices', 'row_shift': 'row_shift', 'swap': 'swap',
    'year_offset': 'period_shift', 'stale': 'stale'
} -%}

-- every rule that flags a value, not only the worst one
with rules as (
    select
        observation_id,
        list(rule order by rule_rank) as rules,
        map_from_entries(list(struct_pack(k := rule, v := proposed_value) order by rule_rank)) as proposals
    from {{ ref('int_observations_flagged') }}
    group by observation_id
),

-- how much of the area or of the registered persons of a city a change of its borders moved; sources may cover either area around it
boundary_steps as (
    select
        events.city_id,
        events.event_id,
        ln(figures."value" / lag(figures."value") over in_order) as step
    from {{ ref('int_boundary_years') }} as events
    inner join {{ ref('int_observations_graded') }} as figures
        on
            events.city_id = figures.city_id
            and events."year" = figures."year"
            and figures.indicator_id in ('area_km2', 'population_registered_10k')
            and figures.place_level = 'city'
            and figures.choice_rank = 1
            and figures.is_usable
            and figures."value" > 0
    window in_order as (partition by events.event_id, events.city_id, figures.indicator_id order by figures."year")
),

boundary_cities as (
    select
        events.city_id,
        events."year",
        max(abs(steps.step)) as largest_step
    from {{ ref('int_boundary_years') }} as events
    inner join boundary_steps as steps on events.city_id = steps.city_id and events.event_id = steps.event_id
    group by events.city_id, events."year"
),

-- a city that is nothing but districts has one figure for both
undivided as (
    select
        part.city_id,
        part."year"
    from {{ ref('int_observations_graded') }} as part
    inner join {{ ref('int_observations_graded') }} as whole
        on
            part.city_id = whole.city_id
            and part."year" = whole."year"
            and part.source_id = whole.source_id
            and part.indicator_id = 'population_registered_districts_10k'
            and whole.indicator_id = 'population_registered_10k'
            and abs(part."value" - whole."value") <= 0.02 * whole."value"
    where part.place_level = 'city' and whole.place_level = 'city'
),

-- the figure of the districts under a city, which some tables give for the whole of it
districts as (
    select
        city_id,
        "year",
        replace(indicator_id, '_districts', '') as indicator_id,
        list(distinct "value") as district_values
    from {{ ref('int_observations_graded') }}
    where
        indicator_id like '%\_districts\_%' escape '\'
        and place_level = 'city'
        and (city_id, "year") not in (select (undivided.city_id, undivided."year") from undivided)
    group by all
),

-- the same city and year by another definition of the quantity
definitions as (
    select
        city_id,
        "year",
        case indicator_id
            when 'population_registered_10k' then 'population_resident_10k'
            when 'population_resident_10k' then 'population_registered_10k'
            when 'gdp_real_cny_100m' then 'gdp_nominal_cny_100m'
        end as indicator_id,
        list(distinct "value") as definition_values
    from {{ ref('int_observations_graded') }}
    where
        place_level = 'city'
        and indicator_id in ('population_registered_10k', 'population_resident_10k', 'gdp_real_cny_100m')
    group by all
),

chosen as (
    select
        observation_id,
        edition_year,
        city_id,
        "year",
        indicator_id,
        place_level,
        source_id,
        "value"
    from {{ ref('int_observations_graded') }}
    where choice_rank = 1 and is_usable
),

-- the best value of each other source, blocked or not
others as (
    select
        observation_id,
        edition_year,
        city_id,
        "year",
        indicator_id,
        place_level,
        source_id,
        "value"
    from {{ ref('int_observations_graded') }}
    qualify row_number() over (
        partition by city_id, "year", indicator_id, place_level, source_id order by choice_rank
    ) = 1
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
        coalesce(chosen_rules.rules, []) as chosen_rules,
        -- a rule is a cause only where what it proposes is what the other source has
        list_filter(
            coalesce(chosen_rules.rules, []),
            lambda rule: coalesce(abs(chosen_rules.proposals[rule] - others."value") <= 0.05 * abs(others."value"), true)
        ) as chosen_causes,
        coalesce(other_rules.rules, []) as other_rules,
        -- a rule is a cause only where what it proposes is what the other source has
        list_filter(
            coalesce(other_rules.rules, []),
            lambda rule: coalesce(abs(other_rules.proposals[rule] - chosen."value") <= 0.05 * abs(chosen."value"), true)
        ) as other_causes,
        coalesce(others.edition_year > chosen.edition_year, false) as is_later_edition,
        others."value" / nullif(chosen."value", 0) - 1 as relative_gap,
        others."value" / nullif(chosen."value", 0) as value_ratio
    from chosen
    inner join others
        on
            chosen.city_id = others.city_id
            and chosen."year" = others."year"
            and chosen.indicator_id = others.indicator_id
            and chosen.place_level = others.place_level
            and chosen.source_id <> others.source_id
    left join rules as chosen_rules on chosen.observation_id = chosen_rules.observation_id
    left join rules as other_rules on others.observation_id = other_rules.observation_id
    where abs(others."value" - chosen."value") > 0.0005 * abs(chosen."value")
),

neighbours as (
    select
        differing.*,
        coalesce(abs(differing.other_value / nullif(year_before."value", 0) - 1) <= 0.002, false)
        or coalesce(abs(differing.other_value / nullif(year_after."value", 0) - 1) <= 0.002, false) as is_neighbour_year
    from differing
    left join others as year_before
        on
            differing.city_id = year_before.city_id
            and differing."year" - 1 = year_before."year"
            and differing.indicator_id = year_before.indicator_id
            and differing.place_level = year_before.place_level
            and differing.chosen_source_id = year_before.source_id
    left join others as year_after
        on
            differing.city_id = year_after.city_id
            and differing."year" + 1 = year_after."year"
            and differing.indicator_id = year_after.indicator_id
            and differing.place_level = year_after.place_level
            and differing.chosen_source_id = year_after.source_id
),

logged as (
    select
        *,
        case when value_ratio > 0 then ln(value_ratio) end as log_ratio
    from neighbours
),

-- two sources with about the same gap in the year before or after have two vintages of one series
distances as (
    select
        *,
        least(
            case when lag("year") over pair_years = "year" - 1 then abs(log_ratio - lag(log_ratio) over pair_years) end,
            case when lead("year") over pair_years = "year" + 1 then abs(log_ratio - lead(log_ratio) over pair_years) end
        ) as distance_change
    from logged
    window pair_years as (partition by place_level, city_id, indicator_id, chosen_source_id, other_source_id order by "year")
),

powers as (
    select
        distances.*,
        case when value_ratio > 0 then round(log10(value_ratio)) else 0 end as power_of_ten,
        {% for digits in range(4) -%}
            abs(other_value - round(chosen_value, {{ digits }})) < 1e-9 or abs(chosen_value - round(other_value, {{ digits }})) < 1e-9
            {%- if not loop.last %} or {% endif %}
        {% endfor %} as is_rounded,
        -- what a new boundary adds or takes is no larger than its part of area or persons; growth and shares hardly notice it
        revision_limits.rule_kind not in ('rate', 'share')
        and abs(distances.log_ratio) <= boundary_cities.largest_step as is_boundary_change,
        len(list_filter(
            districts.district_values,
            lambda figure: least(abs(figure / nullif(distances.other_value, 0) - 1), abs(figure / nullif(distances.chosen_value, 0) - 1))
            <= 0.005
        )) > 0 as is_of_districts,
        len(list_filter(
            definitions.definition_values,
            lambda figure:
            least(abs(figure / nullif(distances.other_value, 0) - 1), abs(figure / nullif(distances.chosen_value, 0) - 1)) <= 0.005
            and greatest(abs(figure / nullif(distances.other_value, 0) - 1), abs(figure / nullif(distances.chosen_value, 0) - 1)) > 0.02
        )) > 0 as is_of_definition,
        -- two vintages of one quantity stand within a stated distance; beyond it, or where a rule knows better, nothing is a revision
        coalesce(
            case
                when revision_limits.rule_kind = 'rate' then abs(distances.other_value - distances.chosen_value) / 100
                else abs(distances.log_ratio)
            end <= revision_limits.revision_max, true
        )
        and not list_has_any(list_concat(distances.chosen_rules, distances.other_rules), ['level_run', 'outvoted', 'wrong_entity'])
            as is_within_revisions
    from distances
    left join {{ ref('int_indicator_limits') }} as revision_limits on distances.indicator_id = revision_limits.indicator_id
    left join districts
        on
            distances.city_id = districts.city_id
            and distances."year" = districts."year"
            and distances.indicator_id = districts.indicator_id
            and distances.place_level = 'city'
    left join definitions
        on
            distances.city_id = definitions.city_id
            and distances."year" = definitions."year"
            and distances.indicator_id = definitions.indicator_id
            and distances.place_level = 'city'
    left join boundary_cities
        on distances.city_id = boundary_cities.city_id and distances."year" = boundary_cities."year" and distances.place_level = 'city'
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
            when list_contains(chosen_causes, '{{ rule }}') or list_contains(other_causes, '{{ rule }}') then '{{ cause }}'
        {% endfor -%}
        when abs(relative_gap) < 0.005 and is_rounded then 'rounding'
        when is_neighbour_year then 'period_shift'
        when is_of_definition then 'definition'
        when is_of_districts and abs(relative_gap) > 0.02 then 'boundary_change'
        when
            is_within_revisions
            and (list_contains(chosen_rules, 'vintage') or list_contains(other_rules, 'vintage') or is_later_edition)
            then 'revision'
        when is_within_revisions and distance_change <= greatest(0.01, 0.3 * abs(log_ratio)) then 'revision'
        when is_boundary_change and abs(relative_gap) > 0.02 then 'boundary_change'
        else 'unexplained'
    end as suspected_cause,
    place_level
from powers
