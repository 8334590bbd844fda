-- grain: one row is an approved pilot zone
with pilot_zones as (
    select * from {{ ref('pilot_zones') }}
),

zones as (
    select
        *,
        cast(approval_date as date) as approved
    from pilot_zones
),

final as (
    select
        cast(zone_name_zh as varchar) as zone_name_zh,
        cast(zone_name_en as varchar) as zone_name_en,
        cast(city_id as integer) as city_id,
        cast(batch as integer) as batch,
        approved as approval_date,
        cast(document_no as varchar) as document_no,
        cast(is_whole_prefecture as boolean) as is_whole_prefecture,
        {{ treated_year('approved', 'second_half_next_year') }} as treated_year,
        {{ treated_year('approved', 'calendar_year') }} as treated_year_calendar_year,
        cast(evidence as varchar) as evidence
    from zones
)

select * from final
