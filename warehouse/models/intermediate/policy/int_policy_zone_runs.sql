-- grain: one row is a zone and a run of four Chinese characters in the measures of its own texts
-- key: zone_name_zh, run
-- texts that the State Council writes for a whole batch, or a province for all its zones, are not a zone's own; its name is left out too
with own as (
    select
        clauses.clause_key,
        clauses.zone_name_zh,
        clauses.city_id,
        clauses.first_year,
        clauses.last_year,
        coalesce(documents.issue_date, make_date(documents.issue_year, 12, 31)) as dated,
        regexp_replace(
            replace(texts.clause_text, regexp_replace(clauses.zone_name_zh, '(市|地区)$', ''), ''), '[^\x{4e00}-\x{9fff}]', '', 'g'
        ) as hanzi
    from {{ ref('int_policy_zone_clauses') }} as clauses
    inner join {{ ref('int_policy_clause_tools') }} as texts on clauses.clause_key = texts.clause_key
    inner join {{ ref('int_policy_documents') }} as documents on clauses.document_id = documents.document_id
    inner join {{ ref('int_policy_document_zones') }} as document_zones
        on clauses.document_id = document_zones.document_id and clauses.zone_name_zh = document_zones.zone_name_zh
    where
        clauses.tool <> 'none'
        and not document_zones.is_province_or_country_wide
        and coalesce(documents.issuer_level, '') not in ('state_council', 'ministry')
        and documents.issue_year is not null
),

placed as (
    select
        *,
        unnest(range(1, length(hanzi) - 2)) as place
    from own
    where length(hanzi) >= 4
)

select
    zone_name_zh,
    city_id,
    substr(hanzi, place, 4) as run,
    min(dated) as first_dated,
    min(first_year) as first_year,
    max(last_year) as last_year
from placed
group by zone_name_zh, city_id, substr(hanzi, place, 4)
