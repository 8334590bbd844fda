-- grain: one row is a claim of the published study
-- key: claim_id
select
    cast(claim_id as varchar) as claim_id,
    cast(claim_no as integer) as claim_no,
    cast(claim_en as varchar) as claim_en,
    cast(claim_zh as varchar) as claim_zh,
    cast(study_finding as varchar) as study_finding,
    cast(expected_direction as varchar) as expected_direction,
    cast(spec_id_study_form as varchar) as spec_id_study_form,
    cast(term_study_form as varchar) as term_study_form,
    cast(spec_id as varchar) as spec_id,
    cast(term as varchar) as term,
    cast(uses_primary as boolean) as uses_primary,
    cast(smallest_effect as double) as smallest_effect,
    cast(note as varchar) as note
from {{ ref('study_claims') }}
