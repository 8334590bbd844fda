-- grain: one row is a policy text, with the force of its issuer, the years in which it is in force and the text it copies
-- key: document_id
with corrections as (
    select
        document_id,
        max(override_value) filter (where field = 'document_no') as document_no,
        max(override_value) filter (where field = 'issuer') as issuer,
        max(cast(override_value as date)) filter (where field = 'issue_date') as issue_date,
        max(cast(override_value as date)) filter (where field = 'in_force_to') as in_force_to
    from {{ ref('policy_document_overrides') }}
    group by document_id
),

overridden as (
    select
        d.* replace (
            coalesce(c.document_no, d.document_no) as document_no,
            coalesce(c.issuer, d.issuer) as issuer,
            coalesce(c.issue_date, d.issue_date) as issue_date,
            coalesce(c.in_force_to, d.in_force_to) as in_force_to
        )
    from {{ ref('stg_policy__documents') }} as d
    left join corrections as c on d.document_id = c.document_id
),

levelled as (
    select
        d.*,
        p.province_id,
        case
            when d.issuer like '国务院%' or regexp_matches(d.document_no, '^国(函|发|办)') then 'state_council'
            when
                regexp_matches(d.issuer, '^(国家|海关总署|中国|[财商科交农]\S{1,5}部|工业和信息化部|人力资源)')
                or regexp_matches(d.document_no, '^(财|商|署|税总|汇发|银发|海关)')
                then 'ministry'
            when p.province_id is not null and regexp_matches(d.issuer, '人民政府(办公[厅室])?$') then 'province'
            when p.province_id is not null and regexp_matches(d.issuer, '^\S+?(省|自治区)[^市州盟县]*(厅|局|委员会|办公室)$') then 'department'
            when regexp_matches(d.issuer, '(市|州|盟|地区|县|区)') then 'city'
            when
                d.issuer is null
                and regexp_matches(
                    d.document_no,
                    '^(京|津|沪|渝|冀|晋|内|蒙|辽|吉|黑|苏|浙|皖|闽|赣|鲁|豫|鄂|湘|粤|桂|琼|川|贵|黔|云|滇|藏|陕|甘|青|宁|新)(政|府)'
                )
                then 'province'
        end as issuer_level
    from overridden as d
    left join {{ ref('province_roster') }} as p on starts_with(d.issuer, p.province_name_zh)
),

originals as (
    select
        a.document_id,
        arg_max(b.document_id, (b.n_characters, b.document_id)) as copy_of
    from {{ ref('stg_policy__documents') }} as a
    inner join {{ ref('int_policy_copies') }} as c on a.document_id in (c.document_id, c.other_document_id)
    inner join {{ ref('stg_policy__documents') }} as b
        on b.document_id in (c.document_id, c.other_document_id) and a.document_id <> b.document_id
    where (b.n_characters, b.document_id) > (a.n_characters, a.document_id)
    group by a.document_id
),

repeals as (
    select
        repealed_no,
        min(issue_year) as repealed_year
    from (
        select
            unnest(repealed_numbers) as repealed_no,
            issue_year
        from overridden
    ) as named
    group by repealed_no
)

select
    cast(l.document_id as varchar) as document_id,
    l.title,
    l.document_type,
    l.document_no,
    l.issuer,
    l.issuer_level,
    cast(l.province_id as integer) as issuer_province_id,
    cast(case
        when l.document_type = '通知' then greatest(f.force - 1, 1)
        else f.force
    end as integer) as force,
    l.zone_texts,
    l.zone_rule,
    l.not_stated,
    l.cited_numbers,
    l.n_characters,
    l.sketch,
    originals.copy_of,
    l.title is not null or l.document_no is not null as is_policy_document,
    l.issue_date,
    coalesce(year(l.issue_date), l.issue_year) as issue_year,
    coalesce(year(l.in_force_from), year(l.issue_date), l.issue_year) as first_year_in_force,
    least(coalesce(year(l.in_force_to), 9999), coalesce(repeals.repealed_year - 1, 9999)) as last_year_in_force
from levelled as l
left join {{ ref('policy_issuer_forces') }} as f on l.issuer_level = f.issuer_level
left join originals on l.document_id = originals.document_id
left join repeals on l.document_no = repeals.repealed_no
