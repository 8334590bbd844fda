-- grain: one row is an original policy document: the share of its text that no earlier document of the landing holds
-- key: document_id
with shingles as (
    select
        document_id,
        coalesce(issue_date, make_date(issue_year, 12, 31)) as dated,
        unnest(sketch) as shingle
    from {{ ref('int_policy_documents') }}
    where copy_of is null and issue_year is not null and is_policy_document
),

firsts as (
    select
        shingle,
        min(dated) as first_dated
    from shingles
    group by shingle
)

select
    shingles.document_id,
    count(*) filter (where shingles.dated = firsts.first_dated) / count(*) as novelty_ratio
from shingles
inner join firsts on shingles.shingle = firsts.shingle
group by shingles.document_id
