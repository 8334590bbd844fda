"""Reads pages as a person would and holds every number against the query and column that it names,
run on the published file.
"""

import re
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qsl

import duckdb
import lxml.html

from estimation.report.queries import QUERIES


def numbers(page: str) -> tuple[list[tuple[str, str, str, str]], list[str]]:
    """Numbers of a page as (query?keys, column, form, text), and numeric cells that name no
    query.
    """
    tree = lxml.html.document_fromstring(page)
    found = []
    for node in tree.iterfind(".//*[@data-c]"):
        above = (one.get("data-q") for one in (node, *node.iterancestors()) if one.get("data-q"))
        keys = [next(above, ""), *filter(None, [node.get("data-k")])]
        column, _, form = node.get("data-c").rpartition(":")
        found.append(("&".join(keys), column, form, node.text_content()))
    cells = tree.xpath("//td[contains(concat(' ', @class, ' '), ' n ')][not(.//@data-c)]")
    texts = [cell.text_content() for cell in cells if not cell.get("data-c")]
    return found, [text for text in texts if any(sign.isdigit() for sign in text)]


def written(value: object, form: str) -> str:
    """A value as the page should write it; spelled out here again, apart from the code of the
    report.
    """
    if value is None or value != value:
        return "–"
    if form == "s":
        return str(value)
    x = float(value)
    sign = "−" if round(100 * x) < 0 or (round(100 * x) == 0 and x < 0) else ""
    whole = f"{abs(round(100 * x))}%"
    forms = {
        "p": "<0.001" if x < 0.001 else f"{x:.3f}",
        "int": f"{x:,.0f}",
        "year": f"{x:.0f}",
        "share": "<1%" if x < 0.01 else sign + whole,
        "%": sign + whole,
        "+%": (sign or "+") + whole,
        "%2": f"{100 * x:,.2f} %".replace("-", "−"),
        "g": f"{x:,.6g}".replace("-", "−"),
    }
    if form in forms:
        return forms[form]
    digits = int(form.lstrip("+"))
    text = f"{abs(round(x, digits)):,.{digits}f}"
    if round(x, digits) == 0:
        return text
    return ("−" if x < 0 else "+" if form.startswith("+") else "") + text


# columns of one meaning under one name of a specification, whatever query a page takes them from;
# what another query calls it
SAME = ("estimate", "ci_low", "ci_high", "p_value", "minimum_detectable_effect")
CALLED = {"coefficient": {"p_value_family": "p_value", "p_value": ""}}
# rows of coefficients; the table of all that stood out also has what is no test of its own
WITH_FAMILY = (
    "//tr[td[starts-with(@data-c, 'p_value_family:')]][not(starts-with(@data-q, 'stood_out'))]"
)
OF_SPECS = ("primary", "coefficient", "claim")


def faults(con: duckdb.DuckDBPyConnection, report: Path) -> tuple[int, list[str]]:
    """How many numbers the pages of a report hold, and what is wrong with them.

    A number differs from the query that it names; one of a specification has two values; a row
    stands bold, or a badge, that another page does not call found; a row with the p of a family is
    bold though that p is not below 5 %, or names another size of the family; a family of the
    differences, which their title counts, is in another table too. In either language.
    """
    known = {name: _rows(con, name) for name in OF_SPECS}
    several = Counter(row["spec_id"] for row in known["coefficient"].values())
    values: dict[tuple[str, str], set[float]] = {}
    found: dict[str, set[bool]] = {}
    families: dict[bool, set] = {True: set(), False: set()}
    count, wrong = 0, []
    for path in sorted([*report.glob("*.html"), *report.glob("zh/*.html")]):
        page = path.read_text(encoding="utf-8")
        stand, unnamed = numbers(page)
        wrong += [f"{path.name}: {text!r} names no query" for text in unnamed]
        for ref, column, form, text in stand:
            name, _, keys = ref.partition("?")
            if name not in known:
                known[name] = _rows(con, name)
            key = tuple(value for _, value in parse_qsl(keys, keep_blank_values=True))
            row = known[name].get(key)
            expected = "no such row" if row is None else written(row[column], form)
            count += 1
            if text != expected:
                wrong.append(f"{path.name}: {ref} {column}: page {text!r}, table {expected!r}")
            called = CALLED.get(name, {}).get(column, column)
            if row and name in OF_SPECS and called in SAME and row[column] is not None:
                values.setdefault((row["spec_id"], called), set()).add(round(row[column], 12))
        tree = lxml.html.document_fromstring(page)
        for line in tree.xpath(WITH_FAMILY):
            name, _, keys = line.get("data-q").partition("?")
            row = known[name][tuple(value for _, value in parse_qsl(keys, keep_blank_values=True))]
            told = ("rejects" in line.get("class", ""), _size_of_family(line))
            is_small = row["p_value_family"] is not None and row["p_value_family"] < 0.05
            if told != (is_small, row["family_size"] if row["family"] else None):
                wrong.append(f"{path.name}: {line.text_content()!r} is bold, of a family of {told}")
            is_counted = bool(line.xpath("ancestor::figure[starts-with(@id, 'differences')]"))
            families[is_counted].add(row["family"])
        for row in tree.iterfind(".//tr[@data-kind]"):
            name, _, keys = row.get("data-q").partition("?")
            if name in OF_SPECS:
                spec_id = dict(parse_qsl(keys))["spec_id"]
                found.setdefault(spec_id, set()).add("rejects" in row.get("class", ""))
    for row in known["claim"].values():
        found.setdefault(row["spec_id"], set()).add(row["verdict"] == "found")
    wrong += [f"{family}: in two tables" for family in families[True] & families[False]]
    differ = [(*key, sorted(of)) for key, of in values.items() if len(of) > 1]
    differ += [(spec, "found and not found") for spec, of in found.items() if len(of) > 1]
    # a specification of several coefficients has as many values
    return count, wrong + [" ".join(map(str, one)) for one in differ if several[one[0]] < 2]


def _size_of_family(line: lxml.html.HtmlElement) -> int | None:
    """The number in the cell that names a row's family."""
    (cell,) = line.xpath("td[@class = 'text']")
    size = re.search(r"\d+", cell.text_content())
    return int(size[0]) if size else None


def _rows(con: duckdb.DuckDBPyConnection, name: str) -> dict[tuple, dict]:
    query = QUERIES[name]
    found = con.execute(query.sql)
    columns = [column[0] for column in found.description]
    rows = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    return {tuple(_key(row[key]) for key in query.keys): row for row in rows}


def _key(value: object) -> str:
    """A key as an address writes it: whole numbers without a point."""
    if value is None or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
