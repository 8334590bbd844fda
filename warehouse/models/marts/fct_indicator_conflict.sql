-- grain: one row is a city, year and indicator with another source whose value differs from the current one by more than 0.05 per cent
with graded as (
    select * from {{ ref('int_observations_graded') }}
),

chosen as (
    select
        city_id,
        "year",
        indicator_id,
        place_level,
        source_id,
        "value"
    from graded
    where choice_rank = 1 and is_usable
),

-- each other source speaks with its own best value, blocked or not
others as (
    select
        city_id,
        "year",
        indicator_id,
        place_level,
        source_id,
        "value",
        quality_rule
    from graded
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
        others.quality_rule as other_rule,
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

powers as (
    select
        *,
        case when value_ratio > 0 then round(log10(value_ratio)) else 0 end as power_of_ten,
        {% for digits in range(4) -%}
            abs(other_value - round(chosen_value, {{ digits }})) < 1e-9 or abs(chosen_value - round(other_value, {{ digits }})) < 1e-9
            {%- if not loop.last %} or {% endif %}
        {% endfor %} as is_rounded
    from neighbours
),

final as (
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
            when other_rule = 'index_for_growth' then 'index_for_growth'
            when abs(relative_gap) < 0.005 and is_rounded then 'rounding'
            when is_neighbour_year then 'period_shift'
            else 'unexplained'
        end as suspected_cause,
        place_level
    from powers
)

select * from final
