-- grain: one row is a part of a delivered file of which something was turned away: an indicator, a unit of it, or a column, with how much
-- of it was taken
-- key: part, source_id, edition_year, file_name, indicator_id, label; edition_year may be null, and null counts as a value
-- what a layout leaves out, and repetitions of a value that was taken, are no losses
with cells as (
    select
        source_id,
        edition_year,
        file_name,
        sheet_name,
        cell_ref,
        indicator_id,
        unit_delivered as unit_text,
        cast(null as varchar) as reason
    from {{ ref('int_raw_observations') }}
    union all
    select
        source_id,
        edition_year,
        file_name,
        sheet_name,
        cell_ref,
        indicator_id,
        unit_text,
        reason
    from {{ ref('int_raw_rejections') }}
    where indicator_id is not null and reason not in ('dropped_row', 'duplicate')
),

parts as (
    select
        'indicator' as part,
        '' as label,
        *
    from cells
    union all
    select
        'unit' as part,
        coalesce(unit_text, '') as label,
        *
    from cells
    where reason is null or reason = 'unknown_unit'
    union all
    select
        'column' as part,
        coalesce(sheet_name || '!', '') || regexp_extract(cell_ref, '^[A-Z]+') as label,
        *
    from cells
    where cell_ref is not null and (reason is null or reason in ('unknown_unit', 'not_a_number', 'unknown_year'))
),

counted as (
    select
        part,
        source_id,
        edition_year,
        file_name,
        indicator_id,
        label,
        count(*) filter (where reason is null) as n_accepted,
        count(reason) as n_rejected,
        mode(reason order by reason) as reason
    from parts
    group by part, source_id, edition_year, file_name, indicator_id, label
    having count(reason) > 0
)

-- a handful of cells says nothing about a whole part
select
    *,
    n_rejected / (n_accepted + n_rejected) as rejected_share,
    case when n_rejected >= 20 then n_rejected / (n_accepted + n_rejected) end as rejected_share_large
from counted
order by part, source_id, edition_year, file_name, indicator_id, label
