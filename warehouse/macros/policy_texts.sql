{#- The policy texts of this run. A build folder made without any has no such files; then the same columns are read without rows. -#}
{% macro read_policy_parquet() -%}
    {%- set pattern = build_folder() | replace("'", "''") ~ "/policy/*.parquet" -%}
    {%- set has_files = execute and run_query("select count(*) from glob('" ~ pattern ~ "')").rows[0][0] > 0 -%}
    {%- if has_files -%}
        read_parquet('{{ pattern }}', union_by_name = true)
    {%- else -%}
        (
        select
            null as document_id,
            null as file_name,
            null as edition_year,
            null as title,
            null as document_type,
            null as document_no,
            null as issuer,
            null as issue_date,
            null as issue_year,
            null as in_force_from,
            null as in_force_to,
            cast([] as varchar[]) as zone_texts,
            null as zone_rule,
            cast([] as varchar[]) as cited_numbers,
            cast([] as varchar[]) as repealed_numbers,
            null as is_transmitted,
            cast([] as varchar[]) as not_stated,
            null as n_characters,
            null as n_masked,
            null as n_broken,
            null as text_hash,
            cast([] as ubigint[]) as sketch,
            cast([] as struct(
                clause_no integer, clause_text varchar, clause_kind varchar, marker varchar, marker_level integer, zone_text varchar,
                char_start integer, char_end integer, line_no integer
            )[]) as clauses
        where false
    ) as no_texts
    {%- endif -%}
{%- endmacro %}

{#- Score of a measure, 0-5 by the codebook: 5 an amount, a rate, an exemption or a prohibition; 3 a thing built, set up or ordered;
    1 a wish. -#}
{% macro policy_measure_score(text) -%}
    case
        when regexp_matches({{ text }}, '\d(\.\d+)?[万亿]?元|\d(\.\d+)?%|全额|一次性|免征|免税|退税|免收|必须|不得|严禁|禁止') then 5
        when regexp_matches(
            {{ text }},
            '建立|设立|建设|建成|制定|制订|出台|搭建|组建|开通|开设|实行|实施|推行|落实|纳入|开展|给予|安排|简化|打造|新建|成立|布局'
        ) then 3
        else 1
    end
{%- endmacro %}

{#- Score of a goal, 0-5 by the codebook: 5 a figure with its date; 3 a figure or a date; 1 neither. -#}
{% macro policy_goal_score(text) -%}
    case
        when
            regexp_matches({{ text }}, '翻一?番|倍增')
            or (
                regexp_matches({{ text }}, '20\d\d年|年底|[三五]年内')
                and regexp_matches({{ text }}, '\d(\.\d+)?(%|亿|万|多?家|个|人|倍|吨)')
            )
            then 5
        when regexp_matches({{ text }}, '20\d\d年|年底|[三五]年内|\d(\.\d+)?(%|亿|万|多?家|个|人|倍|吨)') then 3
        else 1
    end
{%- endmacro %}
