-- grain: one row is a clause of an original policy document and a zone in which it holds
-- key: clause_key, zone_name_zh
-- a plan for several zones has one annex per zone; the clauses of an annex apply to that zone alone
select
    clauses.clause_key,
    clauses.document_id,
    document_zones.zone_name_zh,
    document_zones.city_id,
    clauses.tool_class,
    clauses.tool,
    clauses.strength_score,
    documents.force,
    greatest(documents.first_year_in_force, coalesce(document_zones.approval_year, 0)) as first_year,
    documents.last_year_in_force as last_year
from {{ ref('int_policy_clause_tools') }} as clauses
inner join {{ ref('int_policy_documents') }} as documents on clauses.document_id = documents.document_id
inner join {{ ref('int_policy_document_zones') }} as document_zones
    on
        clauses.document_id = document_zones.document_id
        and (
            clauses.zone_text is null
            or clauses.zone_text = document_zones.zone_text
            or clauses.zone_text = regexp_replace(document_zones.zone_name_zh, '(市|地区|新区)$', '')
        )
where
    clauses.clause_kind = 'body'
    and documents.copy_of is null
    and documents.is_policy_document
    and documents.first_year_in_force is not null
