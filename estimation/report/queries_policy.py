"""Queries on policy texts: documents, clauses, and their tools by batch of zones and by city."""

from __future__ import annotations

from .query import Query

# strengths are whole numbers of halves, so their sums are exact in any order
_POLICY = """with zones as (select zone_name_zh, min(batch) as batch
    from marts.dim_pilot_zone group by zone_name_zh),
        tools as (
            select coalesce(zones.batch, 0) as batch, t.* from marts.fct_policy_tool as t left
                join zones using (zone_name_zh)
            where t."year" = (select max("year") from marts.fct_policy_tool)
        )"""
_BY_DATE = "issue_year nulls last, issue_date nulls last, document_id"
_TEXTS = f"""with sizes as (
            select document_id, count(*) as n_clauses, sum(length(clause_text)) as n_characters,
                count(*) filter (where tool_class in ('supply', 'environment', 'demand'))
                    as n_with_tool
            from marts.fct_policy_clause group by document_id
        ),
        texts as (
            select d.*, n_clauses, n_with_tool
            from marts.dim_policy_document as d inner join sizes using (document_id)
            qualify sum(sizes.n_characters) over (order by {_BY_DATE}) - sizes.n_characters
                < 1_000_000
        )"""
_SHARES = ", ".join(
    f"sum(case when tool_class = '{name}' then strength else 0 end) / nullif(sum(strength), 0) "
    f"as {name}"
    for name in ("supply", "environment", "demand")
)

POLICY = {
    "policy": Query(
        ("marts.fct_policy_clause",),
        "n_clauses, n_documents",
        (
            "select count(*) as n_clauses, count(distinct document_id) as n_documents from "
            "marts.fct_policy_clause"
        ),
    ),
    # the earliest texts, as many as a page can hold: a million characters
    "policy_document": Query(
        ("marts.fct_policy_clause", "marts.dim_policy_document"),
        "document_id, title, document_no, issuer, issued, zones, is_wide, copy_of, in_force, "
        "n_clauses, n_with_tool",
        f"""
        {_TEXTS}
        select document_id, coalesce(title, document_no, document_id) as title, document_no,
            issuer, coalesce(issue_date::date::varchar, issue_year::varchar) as issued,
            array_to_string(zone_names_zh, '、') as zones,
            is_province_or_country_wide as is_wide, copy_of,
            first_year_in_force || '–' || coalesce(last_year_in_force::varchar, '') as in_force,
            n_clauses, n_with_tool
        from texts order by {_BY_DATE}
        """,
        ("document_id",),
    ),
    "policy_clause": Query(
        ("marts.fct_policy_clause", "marts.dim_policy_document"),
        "document_id, clause_no, clause_kind, marker, clause_text, tool, matched_terms, places",
        f"""
        {_TEXTS}
        select document_id, clause_no, clause_kind, coalesce(marker, '') as marker, clause_text,
            if(tool_class in ('supply', 'environment', 'demand'), tool, '') as tool,
            coalesce(matched_terms, '') as matched_terms,
            coalesce(array_to_string(matched_places, '|'), '') as places
        from marts.fct_policy_clause semi join texts using (document_id)
        order by document_id, clause_no
        """,
        ("document_id", "clause_no"),
    ),
    "policy_batch": Query(
        ("marts.fct_policy_tool", "marts.dim_pilot_zone"),
        "batch, year, n_zones, strength, supply, environment, demand",
        f"""
        {_POLICY}
        select batch, "year", count(distinct zone_name_zh) as n_zones, sum(strength) as strength,
            {_SHARES}
        from tools group by batch, "year" having sum(strength) > 0 order by batch = 0, batch
        """,
        ("batch",),
    ),
    # What the texts of a city's zones hold, each tool with who issued the text: the city, the
    # province (named there, or for all of it) or the nation.
    "city_tool": Query(
        (
            "marts.fct_policy_clause",
            "marts.dim_policy_document",
            "marts.dim_pilot_zone",
            "marts.dim_city",
        ),
        "city_id, tool_class, tool, issued_by, n_clauses, n_documents",
        """
        with texts as (
            select document_id, issuer, issuer_level, is_province_or_country_wide as is_wide,
                zone_names_zh,
                case issuer_level when 'city' then 'own' when 'province' then 'province'
                    when 'ministry' then 'nation' when 'state_council' then 'nation'
                    else 'unknown' end as issued_by
            from marts.dim_policy_document where copy_of is null
        ),
        applied as (
            select distinct c.city_id, t.document_id, t.issued_by
            from texts as t
            inner join (marts.dim_pilot_zone as z
                inner join marts.dim_city as c on z.city_id in (c.city_id, c.province_id))
                on list_contains(t.zone_names_zh, z.zone_name_zh)
                or (t.is_wide and (t.issued_by = 'nation'
                    or starts_with(t.issuer, left(c.province_name_zh, 2))))
        )
        select a.city_id, c.tool_class, c.tool, a.issued_by, count(*) as n_clauses,
            count(distinct c.document_id) as n_documents
        from applied as a inner join marts.fct_policy_clause as c using (document_id)
        where c.tool_class in ('supply', 'environment', 'demand')
        group by all order by all
        """,
        ("city_id", "tool", "issued_by"),
    ),
    "policy_tool": Query(
        ("marts.fct_policy_tool", "marts.dim_pilot_zone"),
        "tool_class, tool, batch, share",
        f"""
        {_POLICY}
        , totals as (select batch, sum(strength) as total from tools group by batch)
        select tool_class, tool, batch, sum(strength) / nullif(min(total), 0) as share
            from tools inner join totals using (batch)
        group by tool_class, tool, batch order by all
        """,
        ("tool_class", "tool", "batch"),
    ),
}
