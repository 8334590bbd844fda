-- grain: one row is an indicator of a source, with the share of its values that a detector blocked or quarantined
-- key: source_id, indicator_id
with shares as (
    select
        source_id,
        indicator_id,
        count(*) as n_values,
        avg(cast(quality_flag = 'blocked' as integer)) as blocked_share,
        avg(cast(quality_flag = 'quarantined' as integer)) as quarantined_share
    from {{ ref('fct_indicator_observation') }}
    group by source_id, indicator_id
)

-- small series are shown but stop nothing: one flag among ten values says little
select
    *,
    case when n_values >= 200 then blocked_share end as blocked_share_large
from shares
order by source_id, indicator_id
