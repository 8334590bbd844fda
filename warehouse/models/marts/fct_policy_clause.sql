-- grain: one row is a clause of a policy document
with final as (
    select
        cast(null as varchar) as document_id,
        cast(null as integer) as clause_no,
        cast(null as varchar) as clause_text,
        cast(null as varchar) as tool_class,
        cast(null as varchar) as tool,
        cast(null as varchar) as matched_terms
    where false
)

select * from final
