-- grain: one row is a study by others of what the zones did
-- key: study_id
select
    cast(study_id as varchar) as study_id,
    cast(study_no as integer) as study_no,
    cast(reference_en as varchar) as reference_en,
    cast(reference_zh as varchar) as reference_zh,
    cast(year as integer) as year,
    cast(outcome_en as varchar) as outcome_en,
    cast(outcome_zh as varchar) as outcome_zh,
    cast(sample_en as varchar) as sample_en,
    cast(sample_zh as varchar) as sample_zh,
    cast(method_en as varchar) as method_en,
    cast(method_zh as varchar) as method_zh,
    cast(finding as varchar) as finding,
    cast(shared_cities as varchar) as shared_cities,
    cast(seen as varchar) as seen
from {{ ref('literature') }}
