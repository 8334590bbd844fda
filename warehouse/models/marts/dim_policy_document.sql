-- grain: one row is a policy text of the landing
-- key: document_id
with zones as (
    select
        document_id,
        list(zone_name_zh order by zone_name_zh) filter (where not is_province_or_country_wide) as zone_names_zh,
        bool_or(is_province_or_country_wide) as is_province_or_country_wide
    from {{ ref('int_policy_document_zones') }}
    group by document_id
)

select
    documents.document_id,
    documents.title,
    documents.document_type,
    documents.document_no,
    documents.issuer,
    documents.issuer_level,
    documents.force,
    cast(coalesce(zones.zone_names_zh, []) as varchar[]) as zone_names_zh,
    coalesce(zones.is_province_or_country_wide, false) as is_province_or_country_wide,
    documents.is_policy_document,
    cast(documents.copy_of as varchar) as copy_of,
    cast(documents.not_stated as varchar[]) as not_stated,
    cast(documents.n_characters as integer) as n_characters,
    cast(novelty.novelty_ratio as double) as novelty_ratio,
    documents.issue_date,
    cast(documents.issue_year as integer) as issue_year,
    cast(documents.first_year_in_force as integer) as first_year_in_force,
    cast(nullif(documents.last_year_in_force, 9999) as integer) as last_year_in_force
from {{ ref('int_policy_documents') }} as documents
left join zones on documents.document_id = zones.document_id
left join {{ ref('int_policy_novelty') }} as novelty on documents.document_id = novelty.document_id
