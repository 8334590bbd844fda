"""The page of policy texts: what it shows, and that no delivered text can become markup."""

from __future__ import annotations

import re

import duckdb
import pytest

from estimation.report.policy_page import TOOLS, marked, write_policy_page

HOSTILE = "</script><img src=x onerror=alert(1)>\"'&"


def marts(clauses: list[tuple], title: str = "方案") -> duckdb.DuckDBPyConnection:
    """Marts with one text of a zone of batch 2 and the given clauses (tool_class, tool, text, terms, places)."""
    con = duckdb.connect()
    con.execute("create schema marts")
    con.execute(
        """
        create table marts.dim_policy_document as select 'a.txt' as document_id, $title as title, null::varchar as document_no,
            $title as issuer, null::date as issue_date, 2019 as issue_year, [$title] as zone_names_zh, false as is_province_or_country_wide,
            null::varchar as copy_of, ['document_no'] as not_stated, 2 as force, 2019 as first_year_in_force,
            null::int as last_year_in_force
        """,
        {"title": title},
    )
    con.execute(
        """
        create table marts.fct_policy_clause (document_id varchar, clause_no int, clause_kind varchar, marker varchar, clause_text varchar,
            tool_class varchar, tool varchar, matched_terms varchar, matched_places int[], line_no int)
        """
    )
    for number, (tool_class, tool, text, terms, places) in enumerate(clauses, start=1):
        row = ["a.txt", number, "body", "1.", text, tool_class, tool, terms, places, number]
        con.execute(f"insert into marts.fct_policy_clause values ({', '.join('?' * len(row))})", row)
    con.execute("create table marts.dim_pilot_zone as select $z as zone_name_zh, 2 as batch", {"z": title})
    con.execute("create table marts.fct_policy_zone as select 1 as one")
    con.execute(
        """
        create table marts.fct_policy_tool as select $z as zone_name_zh, 2019 as "year", * from (values
            ('supply', 'capital', 2, 30e0), ('demand', 'outsourcing', 1, 10e0)) as t(tool_class, tool, clause_count, strength)
        """,
        {"z": title},
    )
    return con


def test_a_text_with_its_tools_and_terms(tmp_path):
    con = marts([("supply", "capital", "给予补贴50万元。", "补贴|万元", [3, 7]), ("none", "none", "特此通知。", "", [])])
    page = write_policy_page(con, tmp_path, is_simulated=True).read_text(encoding="utf-8")
    assert "给予<mark>补贴</mark>50<mark>万元</mark>。" in page
    assert 'data-tool="capital" data-class="supply" tabindex="0"' in page
    assert 'data-tool="none" data-class="none">' in page
    assert "1 of 2 clauses with a tool" in page
    assert "S 75%" in page
    assert "D 25%" in page
    assert "Simulated texts" in page
    assert all(english in page for group in TOOLS.values() for english, _ in group.values())
    again = write_policy_page(con, tmp_path / "again", is_simulated=True).read_text(encoding="utf-8")
    assert again == page


def test_nothing_delivered_becomes_markup_and_nothing_is_fetched(tmp_path):
    con = marts([("supply", "capital", f"补贴{HOSTILE}", f"补贴|{HOSTILE[:9]}", [1, 3])], title=HOSTILE)
    page = write_policy_page(con, tmp_path).read_text(encoding="utf-8")
    assert "<img" not in page
    assert page.count("</script>") == 1
    assert "onerror=alert(1)>" not in page
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//|@import|url\(", page)


@pytest.mark.parametrize(
    ("text", "terms", "places", "expected"),
    [
        ("b2b出口", "B2B出口", [1], "<mark>b2b出口</mark>"),
        ("出口退税", "退税", [2], "出口退税"),
        ("税税税", "税税|税税", [1, 2], "<mark>税税</mark>税"),
        ("a<b", "", [], "a&lt;b"),
    ],
)
def test_terms_are_marked_where_they_stand(text, terms, places, expected):
    assert str(marked(text, terms, places)) == expected


def test_no_texts_no_page(tmp_path):
    assert write_policy_page(marts([]), tmp_path) is None
    assert write_policy_page(duckdb.connect(), tmp_path) is None
    assert list(tmp_path.iterdir()) == []
