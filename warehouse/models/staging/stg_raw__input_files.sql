-- grain: one row is one file of the landing
-- key: file_path
with files as (
    select * from {{ source('raw', 'input_files') }}
)

select
    cast("path" as varchar) as file_path,
    cast(source_id as varchar) as source_id,
    cast(edition_year as integer) as edition_year,
    cast(sha256 as varchar) as sha256,
    cast(bytes as bigint) as n_bytes,
    cast(status as varchar) as status,
    cast(note as varchar) as note,
    cast(n_observations as bigint) as n_observations,
    cast(n_rejected as bigint) as n_rejected
from files
