-- grain: one row is one value of a delivered row whose columns contradict each other: sectors and gross domestic product, loans and
-- deposits and their ratio to it, wage bill and employees times average wage
-- key: observation_id
with observations as (
    select * from {{ ref('int_observations_corrected') }}
    where place_level = 'city' and "value" > 0
),

trends as (
    select
        observation_id,
        abs(log_value - expected_log) as miss,
        abs(residual - median(residual) over (partition by series_no, city_id)) as usual_miss
    from {{ ref('int_trends_delivered') }}
),

delivered_rows as (
    select
        source_id,
        edition_year,
        file_name,
        city_id,
        {% for name in identity_indicators(detected_identities()) -%}
            max(case when indicator_id = '{{ name }}' then "value" end) as {{ name }},
        {% endfor -%}
        "year"
    from observations
    group by source_id, edition_year, file_name, city_id, "year"
),

sums as (
    {% for identity, formula in detected_identities().items() %}
        select
            source_id,
            edition_year,
            file_name,
            city_id,
            "year",
            '{{ identity }}' as identity,
            {{ formula['parts'] }} as parts,
            {{ formula['whole'] }} as whole
        from delivered_rows
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

broken as (
    select
        sums.*,
        limits.identity_block,
        ln(sums.parts / sums.whole) as difference
    from sums
    inner join {{ ref('int_indicator_limits') }} as limits on limits.indicator_id = 'gdp_nominal_cny_100m'
    where
        abs(ln(sums.parts / sums.whole))
        > case sums.identity
            when 'sectors' then limits.identity_sectors
            when 'credit' then limits.identity_credit
            else limits.identity_wages
        end
),

members as (
    select
        broken.*,
        observations.observation_id,
        observations.indicator_id,
        observations."value",
        -- years that are off one after the other are each other's neighbours: a factor shows against the usual level of the city
        coalesce(case when abs(broken.difference) > 1 then greatest(trends.miss, trends.usual_miss) else trends.miss end, 0) as miss,
        foreign_figures.observation_id is not null as is_foreign,
        coalesce(corroborated.is_vouched, false) and foreign_figures.observation_id is null as is_vouched
    from broken
    inner join observations
        on
            broken.source_id = observations.source_id
            and broken.edition_year is not distinct from observations.edition_year
            and broken.file_name = observations.file_name
            and broken.city_id = observations.city_id
            and broken."year" = observations."year"
            and list_contains(
                case broken.identity
                    {% for identity, formula in detected_identities().items() -%}
                        {% set names = formula['indicators'] -%}
                        when '{{ identity }}' then ['{{ names | join("', '") }}']
                    {% endfor -%}
                end,
                observations.indicator_id
            )
    left join trends on observations.observation_id = trends.observation_id
    left join {{ ref('int_values_corroborated') }} as corroborated on observations.observation_id = corroborated.observation_id
    -- a figure that is known to be another city's or year's explains why its row contradicts itself
    left join {{ ref('int_observations_misplaced') }} as foreign_figures
        on observations.observation_id = foreign_figures.observation_id
),

-- the column that leaves its own trend by about the difference is the wrong one; without such a column any of them may be wrong
ranked as (
    select
        *,
        row_number() over (
            partition by source_id, edition_year, file_name, city_id, "year", identity
            order by is_foreign desc, is_vouched asc, miss desc, indicator_id asc
        ) = 1
        and (is_foreign or miss >= abs(difference) / 2) as is_culprit
    from members
),

named as (
    select
        *,
        bool_or(is_culprit) over (partition by source_id, edition_year, file_name, city_id, "year", identity) as has_culprit
    from ranked
)

select
    observation_id,
    'identity' as rule,
    case when is_culprit and abs(difference) >= identity_block then 'blocked' else 'quarantined' end as grade,
    case identity
        when 'sectors' then 'expected sectors that add up to gross domestic product, found '
        when 'credit' then 'expected loans and deposits that give the delivered ratio to gross domestic product, found '
        else 'expected employees times average wage to give the wage bill, found '
    end || {{ short_number('parts') }} || ' against ' || {{ short_number('whole') }}
    || case
        when is_culprit and is_foreign then '; this column has the figure of another city or year'
        when is_culprit then '; this column strays from its own trend' else '; no column strays by as much'
    end as detail,
    cast(null as double) as proposed_value
from named
where not is_vouched and (is_culprit or not has_culprit)
qualify row_number() over (partition by observation_id order by is_culprit desc, abs(difference) desc, identity asc) = 1
