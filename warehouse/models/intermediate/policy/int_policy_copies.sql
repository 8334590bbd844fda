-- grain: one row is a pair of policy texts of which one is a copy of the other
-- key: document_id, other_document_id
with shingles as (
    select
        document_id,
        unnest(sketch) as shingle
    from {{ ref('stg_policy__documents') }}
),

-- standard phrases of official documents occur in many texts and are no sign of copying
telling as (
    select
        document_id,
        shingle
    from shingles
    qualify count(*) over (partition by shingle) <= 50
),

shared as (
    select
        a.document_id,
        b.document_id as other_document_id,
        count(*) as n_shared
    from telling as a
    inner join telling as b on a.shingle = b.shingle and a.document_id < b.document_id
    group by 1, 2
)

select
    cast(a.document_id as varchar) as document_id,
    cast(b.document_id as varchar) as other_document_id
from {{ ref('stg_policy__documents') }} as a
inner join {{ ref('stg_policy__documents') }} as b on a.document_id < b.document_id
left join shared on a.document_id = shared.document_id and b.document_id = shared.other_document_id
where
    a.text_hash = b.text_hash
    or (shared.n_shared >= 5 and shared.n_shared >= 0.8 * least(len(a.sketch), len(b.sketch)))
