-- grain: one row is an indicator of a source: how many values were accepted and rejected, how many lie outside the catalog's plausible
-- range, and how far the typical value moves from one year to the next
-- key: source_id, indicator_id
with accepted as (
    select
        observations.*,
        catalog.min_value,
        catalog.max_value,
        catalog.kind
    from {{ ref('int_raw_observations') }} as observations
    inner join {{ ref('indicator_catalog') }} as catalog on observations.indicator_id = catalog.indicator_id
),

-- jumps are taken within a place and source from one year to the next
jumps as (
    select
        source_id,
        indicator_id,
        case
            when kind = 'level' and "value" > 0 then abs(ln("value") - ln(nullif(greatest(lag("value") over city_years, 0), 0)))
        end as jump
    from accepted
    window city_years as (partition by source_id, edition_year, file_name, city_id, indicator_id order by "year")
),

jump_medians as (
    select
        source_id,
        indicator_id,
        {{ exact_median('jump') }} as median_abs_log_change
    from jumps
    group by source_id, indicator_id
),

counts as (
    select
        source_id,
        indicator_id,
        count(*) as n_accepted,
        avg(cast("value" < min_value or "value" > max_value as integer)) as outside_range_share
    from accepted
    group by source_id, indicator_id
),

rejected as (
    select
        source_id,
        indicator_id,
        count(*) as n_rejected
    from {{ ref('int_raw_rejections') }}
    where indicator_id is not null
    group by source_id, indicator_id
)

select
    coalesce(counts.source_id, rejected.source_id) as source_id,
    coalesce(counts.indicator_id, rejected.indicator_id) as indicator_id,
    coalesce(counts.n_accepted, 0) as n_accepted,
    counts.outside_range_share,
    jump_medians.median_abs_log_change,
    coalesce(rejected.n_rejected, 0) / (coalesce(counts.n_accepted, 0) + coalesce(rejected.n_rejected, 0)) as rejected_share
from counts
full join rejected on counts.source_id = rejected.source_id and counts.indicator_id = rejected.indicator_id
left join jump_medians on counts.source_id = jump_medians.source_id and counts.indicator_id = jump_medians.indicator_id
order by source_id, indicator_id
