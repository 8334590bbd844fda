-- grain: one row is a policy text of the landing
-- key: document_id
-- depends_on: {{ source('raw', 'input_files') }}
with texts as (
    select * from {{ read_policy_parquet() }}
)

select
    cast(document_id as varchar) as document_id,
    cast(edition_year as integer) as edition_year,
    cast(title as varchar) as title,
    cast(document_type as varchar) as document_type,
    cast(document_no as varchar) as document_no,
    cast(issuer as varchar) as issuer,
    cast(zone_texts as varchar[]) as zone_texts,
    cast(zone_rule as varchar) as zone_rule,
    cast(cited_numbers as varchar[]) as cited_numbers,
    cast(repealed_numbers as varchar[]) as repealed_numbers,
    cast(not_stated as varchar[]) as not_stated,
    cast(is_transmitted as boolean) as is_transmitted,
    cast(n_characters as integer) as n_characters,
    cast(n_masked as integer) as n_masked,
    cast(n_broken as integer) as n_broken,
    cast(text_hash as varchar) as text_hash,
    cast(sketch as ubigint[]) as sketch,
    cast(issue_date as date) as issue_date,
    cast(issue_year as integer) as issue_year,
    cast(in_force_from as date) as in_force_from,
    cast(in_force_to as date) as in_force_to
from texts
where edition_year is null or edition_year <= {{ as_of_edition() }}
