-- grain: one row is an indicator of the catalog
-- key: indicator_id
with indicator_catalog as (
    select * from {{ ref('indicator_catalog') }}
),

final as (
    select
        cast(indicator_id as varchar) as indicator_id,
        cast(label_en as varchar) as label_en,
        cast(label_zh as varchar) as label_zh,
        cast(place_level as varchar) as place_level,
        cast(canonical_unit as varchar) as unit,
        cast(kind as varchar) as kind,
        cast(is_public as boolean) as is_public
    from indicator_catalog
)

select * from final
