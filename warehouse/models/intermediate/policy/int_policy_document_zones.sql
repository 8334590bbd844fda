-- grain: one row is a policy text and a zone it concerns
-- key: document_id, zone_name_zh
with names as (
    select
        zone_name_zh as name,
        zone_name_zh,
        city_id,
        document_no
    from {{ ref('int_pilot_zones') }}
    union
    select
        regexp_replace(zone_name_zh, '(市|新区|地区|[^市区]{2,3}族.*自治州|自治州)$', '') as name,
        zone_name_zh,
        city_id,
        document_no
    from {{ ref('int_pilot_zones') }}
    union
    select
        split_part(zone_name_en, ' (', 1) as name,
        zone_name_zh,
        city_id,
        document_no
    from {{ ref('int_pilot_zones') }}
),

written as (
    select
        document_id,
        document_no,
        unnest(zone_texts) as zone_text
    from {{ ref('int_policy_documents') }}
),

-- where two zones share a romanised name, the number of the reply decides; without it the text gets no zone
matched as (
    select
        w.document_id,
        w.zone_text,
        n.zone_name_zh,
        n.city_id
    from written as w
    inner join names as n on lower(w.zone_text) = lower(n.name)
    qualify
        count(*) over (partition by w.document_id, w.zone_text) = 1
        or (w.document_no = n.document_no and count(*) over (partition by w.document_id, w.zone_text, w.document_no = n.document_no) = 1)
),

others as (
    select
        w.document_id,
        w.zone_text,
        c.city_name_zh as zone_name_zh,
        c.city_id
    from written as w
    inner join {{ ref('city_roster') }} as c on w.zone_text in (c.city_name_zh, regexp_replace(c.city_name_zh, '(市|地区)$', ''))
    anti join matched as m on w.document_id = m.document_id and w.zone_text = m.zone_text
),

-- a text for a whole province or the country applies to each zone there, from the zone's approval on
wide as (
    select
        d.document_id,
        null as zone_text,
        z.zone_name_zh,
        z.city_id
    from {{ ref('int_policy_documents') }} as d
    inner join {{ ref('int_pilot_zones') }} as z
        on
            (
                d.issuer_level in ('state_council', 'ministry')
                or (d.issuer_level = 'province' and z.city_id // 10000 * 10000 = d.issuer_province_id)
            )
            and len(d.zone_texts) = 0
            and d.is_policy_document
),

united as (
    select * from matched
    union all
    select * from others
    union all
    select * from wide
)

select
    united.document_id,
    united.zone_name_zh,
    cast(united.city_id as integer) as city_id,
    united.zone_text is null as is_province_or_country_wide,
    min(united.zone_text) as zone_text,
    year(min(zones.approval_date)) as approval_year
from united
left join {{ ref('int_pilot_zones') }} as zones on united.zone_name_zh = zones.zone_name_zh
group by 1, 2, 3, 4
