-- grain: one row is a clause of a policy document
-- key: document_id, clause_no
select
    document_id,
    clause_no,
    clause_text,
    tool_class,
    tool,
    matched_terms,
    cast(matched_places as integer[]) as matched_places,
    clause_kind,
    marker,
    zone_text,
    cast(strength_score as integer) as strength_score,
    line_no,
    char_start,
    char_end
from {{ ref('int_policy_clause_tools') }}
