-- grain: one row is one value of a delivered row whose columns contradict each other
-- key: observation_id
{% set row = 'source_id, edition_year, file_name, city_id, "year", identity' -%}
{% set column = 'source_id, edition_year, file_name, city_id, identity, sign(difference), indicator_id' -%}
with observations as (
    select * from {{ ref('int_observations_corrected') }}
    where place_level = 'city' and "value" > 0
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

-- each column of a row that contradicts itself
broken as (
    {% for identity, formula in detected_identities().items() -%}
        select
            delivered_rows.*,
            columns_of.indicator_id,
            limits.* exclude (indicator_id),
            '{{ identity }}' as identity,
            '{{ formula['expected'] }}' as expected,
            contains('{{ formula['whole'] }}', columns_of.indicator_id) as is_whole,
            contains('{{ formula['parts'] }}', '+') as is_sum,
            limits.identity_{{ identity }} as tolerance,
            {{ formula['parts'] }} as parts,
            {{ formula['whole'] }} as whole,
            ln(parts / whole) as difference
        from delivered_rows
        cross join unnest({{ formula['indicators'] }}) as columns_of (indicator_id)
        inner join {{ ref('int_indicator_limits') }} as limits on limits.indicator_id = 'gdp_nominal_cny_100m'
        where abs(difference) > tolerance
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

members as (
    select
        broken.*,
        observations.observation_id,
        -- how far off the column must be, alone, to explain the difference: a part of a sum by more than the sum
        case
            when broken.is_whole then -broken.difference
            when not broken.is_sum then broken.difference
            else ln(observations."value" / nullif(greatest(observations."value" - broken.parts + broken.whole, 0), 0))
        end as needed,
        -- a small step that stays may be that from one vintage to the next
        least(
            abs(trends.log_value - trends.expected_log - needed),
            case
                when abs(broken.difference) >= broken.level_break_step
                    then least(abs(trends.step_before - needed), abs(trends.step_after - needed))
            end
        ) / abs(needed) as unexplained,
        -- the figure of another source would mend the row
        exists(
            select 1
            from observations as others
            where
                {{ same_keys('others', 'observations', ['indicator_id', 'city_id', '"year"']) }}
                and abs(ln(observations."value" / others."value") - needed) <= broken.source_equal
        ) as is_mended,
        foreign_figures.observation_id is not null as is_foreign,
        coalesce(corroborated.is_vouched, false) and foreign_figures.observation_id is null as is_vouched
    from broken
    inner join observations
        on
            {{ same_keys('broken', 'observations', ['source_id', 'file_name', 'city_id', '"year"', 'indicator_id']) }}
            and broken.edition_year is not distinct from observations.edition_year
    left join {{ ref('int_trends_delivered') }} as trends on observations.observation_id = trends.observation_id
    left join {{ ref('int_values_corroborated') }} as corroborated on observations.observation_id = corroborated.observation_id
    -- a figure that is known to be another city's or year's explains why its row contradicts itself
    left join {{ ref('int_observations_misplaced') }} as foreign_figures
        on observations.observation_id = foreign_figures.observation_id
),

-- the column that another source mends, or that is off its trend by what explains the difference, to half of it, is wrong; without one any
-- may be, or of another vintage
ranked as (
    select
        *,
        row_number() over (
            partition by {{ row }}
            order by is_foreign desc, is_vouched asc, is_mended desc, unexplained asc nulls last, indicator_id asc
        ) = 1
        and coalesce(is_foreign or (is_mended and not is_vouched) or unexplained <= 0.5, false) as is_alone_culprit,
        "year" - row_number() over (partition by {{ column }} order by "year") as run_no
    from members
),

-- rows that are off one after the other are each other's neighbours: what strays where they begin or end is wrong in all of them
in_runs as (
    select
        *,
        bool_or(is_alone_culprit) over (partition by {{ column }}, run_no) as is_run_culprit,
        -- rows of two vintages contradict each other for years, by less than a quarter
        count(*) over (
            partition by {{ column }} order by "year" range between 2 preceding and 2 following
        ) = 1 as is_lone_row
    from ranked
),

named as (
    select
        *,
        is_run_culprit and row_number() over (
            partition by {{ row }}
            order by is_alone_culprit desc, is_run_culprit desc, unexplained asc nulls last, indicator_id asc
        ) = 1 as is_culprit,
        bool_or(is_run_culprit) over (partition by {{ row }}) as has_culprit,
        case {{ power_of_ten('needed', 'tolerance') }}
            when 1 then '; a tenth of this column would fit'
            when -1 then '; ten times this column would fit'
            else ''
        end as decimal_fit
    from in_runs
)

select
    observation_id,
    'identity' as rule,
    case
        when
            not is_culprit
            or (not is_lone_row and abs(difference) < run_province)
            or (not is_mended and abs(difference) < identity_block)
            then 'warned'
        when abs(difference) > 1 or (is_alone_culprit and abs(difference) >= identity_block) then 'blocked'
        else 'quarantined'
    end as grade,
    'expected ' || expected || ', found ' || {{ short_number('parts') }} || ' against ' || {{ short_number('whole') }}
    || case
        when is_culprit and is_foreign then '; this column has the figure of another city or year'
        when is_culprit and is_mended then '; another source has the figure of this column that would mend the row'
        when is_culprit then '; this column strays from its own trend' else '; no column strays by what would explain it'
    end || decimal_fit as detail
from named
where not is_vouched and (is_culprit or not has_culprit)
qualify row_number() over (partition by observation_id order by is_culprit desc, abs(difference) desc, identity asc) = 1
