{#- A landing may bring its own places (warehouse/ingest/roster.py): they take the place of the seed's, for this build. Hooks after the
    seeds, which change nothing where the build folder holds no roster. -#}

{#- The statement that puts a landing's places or zones, or what follows from them, into the seed's table; nothing without a roster. -#}
{% macro take_roster_of_landing() -%}
    {%- set folder = build_folder() | replace("'", "''") -%}
    {%- set places = "read_parquet('" ~ folder ~ "/roster.parquet')" -%}
    {%- if execute and run_query("select 1 as found from glob('" ~ folder ~ "/roster.parquet')") | length -%}
        {%- if this.identifier == 'city_roster' -%}
            create or replace table {{ this }} as select * from {{ places }}
        {%- elif this.identifier == 'pilot_zones' -%}
            create or replace table {{ this }} as select * from read_parquet('{{ folder }}/zones.parquet')
        {%- elif this.identifier == 'city_aliases' -%}
            create or replace table {{ this }} as
            select distinct
                lower(regexp_replace(name, '\s', '', 'g')) as alias,
                city_id,
                kind as alias_kind
            from (
                select city_id, city_name_zh as name, 'full_zh' as kind from {{ places }}
                union all
                select city_id, city_name_en as name, 'english' as kind from {{ places }}
            )
            qualify count(*) over (partition by alias) = 1
        {%- elif this.identifier == 'boundary_events' -%}
            delete from {{ this }}
            where
                coalesce(from_city_id, to_city_id) not in (select city_id from {{ places }})
                or coalesce(to_city_id, from_city_id) not in (select city_id from {{ places }})
        {%- else -%}
            delete from {{ this }} where city_id not in (select city_id from {{ places }})
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
