-- grain: one row is a clause of a policy text
-- key: document_id, clause_no
-- depends_on: {{ source('raw', 'input_files') }}
with texts as (
    select * from {{ read_policy_parquet() }}
),

clauses as (
    select
        document_id,
        unnest(clauses) as item
    from texts
    where edition_year is null or edition_year <= {{ as_of_edition() }}
)

select
    cast(row_number() over (order by document_id, item['clause_no']) as integer) as clause_key,
    cast(document_id as varchar) as document_id,
    cast(item['clause_no'] as integer) as clause_no,
    cast(item['clause_text'] as varchar) as clause_text,
    cast(item['clause_kind'] as varchar) as clause_kind,
    cast(item['marker'] as varchar) as marker,
    cast(item['marker_level'] as integer) as marker_level,
    cast(item['zone_text'] as varchar) as zone_text,
    cast(item['char_start'] as integer) as char_start,
    cast(item['char_end'] as integer) as char_end,
    cast(item['line_no'] as integer) as line_no
from clauses
