-- grain: one row is an indicator of the catalog
-- key: indicator_id
select
    cast(indicator_catalog.indicator_id as varchar) as indicator_id,
    cast(indicator_catalog.label_en as varchar) as label_en,
    cast(indicator_catalog.label_zh as varchar) as label_zh,
    cast(indicator_catalog.place_level as varchar) as place_level,
    cast(indicator_catalog.canonical_unit as varchar) as unit,
    cast(indicator_catalog.kind as varchar) as kind,
    cast(indicator_catalog.is_public as boolean) as is_public,
    cast({{ rule_kind('indicator_catalog.kind', 'indicator_catalog.canonical_unit') }} as varchar) as rule_kind,
    cast(coalesce(unit_tolerances.revision_tolerance, 0) as double) as revision_tolerance
from {{ ref('indicator_catalog') }} as indicator_catalog
left join {{ ref('unit_tolerances') }} as unit_tolerances on indicator_catalog.canonical_unit = unit_tolerances.canonical_unit
