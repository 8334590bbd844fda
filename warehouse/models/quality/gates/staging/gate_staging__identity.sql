-- grain: one row is an accounting identity of an edition of a source, with the share of its city-years that break it: older editions do
-- not dilute what a new one breaks
-- key: source_id, edition_year, identity; edition_year may be null, and null counts as a value
-- an identity is checked within one source, edition, city and year
with delivered_rows as (
    select
        {% for name in identity_indicators(identities()) -%}
            max(case when indicator_id = '{{ name }}' then "value" end) as {{ name }},
        {% endfor -%}
        source_id,
        edition_year
    from {{ ref('int_raw_observations') }}
    where place_level = 'city'
    group by source_id, edition_year, city_id, "year"
),

sums as (
    {% for identity in identities().values() %}
        select
            source_id,
            edition_year,
            '{{ identity['sentence'] }}' as identity,
            {{ identity['parts'] }} as parts,
            cast({{ identity['whole'] }} as double) as whole,
            cast({{ identity['tolerance'] }} as double) as tolerance,
            {{ identity['whole'] == '100' }} as is_share_of_100
        from delivered_rows
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

-- a residual is a share of the whole, or a difference in per cent points where the whole is 100
residuals as (
    select
        source_id,
        edition_year,
        identity,
        tolerance,
        case when is_share_of_100 then abs(parts - whole) else abs(parts / nullif(whole, 0) - 1) end as residual
    from sums
)

-- in a small source a few rows make a large share: only an edition of at least 100 rows can stop a run
select
    source_id,
    edition_year,
    identity,
    count(residual) as n_checked,
    avg(cast(residual > tolerance as integer)) as failing_share,
    case when count(residual) >= 100 then avg(cast(residual > tolerance as integer)) end as failing_share_large
from residuals
group by source_id, edition_year, identity
having count(residual) > 0
order by source_id, edition_year, identity
