"""Sentences of the tables in Chinese: every one that the code can write has a template, and nothing
but what differs stays as it is.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

import estimation
from estimation.report.language import book
from estimation.report.messages import in_chinese
from estimation.study.primary import verdict_of

ROOT = Path(estimation.__file__).parents[1]
ENGLISH = re.compile(r"(?:[A-Za-z][a-z'’-]+[ ,;:]+){2,}[A-Za-z]+")
# what these say is for people who call the library or its command: it reaches no table of a
# publication
NOT_OF_TABLES = re.compile(
    "estimation/(report|api|engines|data)/|estimation/(cli|classify|fit|primary/command).py|panel/(pair_file|panel|unit)_?"
)
WHERE = "if pilots are larger"
# what the first place of a sentence may hold
PLACES = ("7", "a_b", "of two never-pilots", "human capital of marts.dim_city")


def template(node: ast.AST) -> str | None:
    """Text of a string, of an f-string with a zero for each place, or of two added."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            part.value if isinstance(part, ast.Constant) else "\0" for part in node.values
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = template(node.left), template(node.right)
        return None if None in parts else "".join(parts)
    return None


def sentences() -> Iterator[tuple[str, str]]:
    """Whole sentences and reasons in the code of the study, by file and line."""
    for path in sorted((ROOT / "estimation").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if NOT_OF_TABLES.search(name):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for child in ast.iter_child_nodes(node):
                text = (
                    None
                    if isinstance(node, (ast.JoinedStr, ast.Expr, ast.BinOp))
                    else template(child)
                )
                if (
                    text
                    and len(text.split()) > 4
                    and re.search(r"\. ?$|^needs ", text)
                    and WHERE not in text
                ):
                    yield f"{name}:{child.lineno}", text


def test_every_sentence_of_the_study_has_its_chinese() -> None:
    found = list(sentences())
    assert len(found) > 60
    missing = [
        (where, text)
        for where, text in found
        # a place may hold a number, an id or words; parts of a sentence that is added up are tried
        # as they are
        if not any(
            in_chinese(text.replace("\0", place, 1).replace("\0", "7").strip()) for place in PLACES
        )
    ]
    # the ends of sentences that are added to a text which is not a constant
    ends = (
        "give earlier years",
        "give more",
        "the effect may be",
        "one result under",
        "Estimate alone",
        "a draw of doubly_robust",
    )
    assert [item for item in missing if not item[1].startswith(ends)] == []


def test_a_missing_verdict_is_said_in_chinese_in_the_words_of_the_study() -> None:
    """The study says provinces for blocks and leaves out what the owner of a file would change:
    another text than the test's own.
    """
    own = [
        text.replace("{a}", "2015").replace("{n}", "0").replace("{m}", "3")
        for text, _ in book("messages.yml")["reasons"]
    ]
    texts = [text for text in own if text.startswith("No verdict")]
    assert len(texts) > 5
    for text in texts:
        reason = verdict_of(SimpleNamespace(p_value=None, warnings=(text, texts[0])))[1]
        said = in_chinese(reason)
        assert said and not ENGLISH.search(said), reason


def test_reasons_of_layouts_have_their_chinese() -> None:
    def walk(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            for key, inner in value.items():
                if key in ("reason", "zero_is_missing") and isinstance(inner, str):
                    yield inner.strip()
                else:
                    yield from walk(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from walk(inner)

    paths = sorted((ROOT / "warehouse/ingest/layouts").glob("*.yml"))
    reasons = {
        reason
        for path in paths
        for reason in walk(yaml.safe_load(path.read_text(encoding="utf-8")))
    }
    assert len(reasons) > 50
    said = {reason: in_chinese(f"row left out by the layout: {reason}") for reason in reasons}
    assert [reason for reason, text in said.items() if text is None or ENGLISH.search(text)] == []


def test_whys_of_checks_have_their_chinese() -> None:
    whys = set()
    for path in (ROOT / "expectations/suites").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                whys |= {
                    text
                    for part in node.args
                    if (text := template(part))
                    and len(text.split()) > 4
                    and text.endswith((".", "?"))
                }
    assert len(whys) > 40
    assert [why for why in whys if in_chinese(why) is None] == []


def test_details_of_the_rules_have_their_chinese() -> None:
    """Openings and tails of details as the SQL of the rules writes them, each place a number."""
    folder = ROOT / "warehouse/models/intermediate"
    texts = set()
    for path in [
        *sorted(folder.glob("detectors/*.sql")),
        folder / "raw/int_raw_rejections.sql",
        ROOT / "warehouse/macros/trends.sql",
    ]:
        texts |= {
            text
            for text in re.findall(r"'((?:[^']|'')*)'", path.read_text(encoding="utf-8"))
            if re.match("expected [a-z]", text)
        }
    assert len(texts) > 15
    known = [row[0] for group in ("values", "rejected") for row in book("messages.yml")[group]]
    # the SQL knows the first and the last year, which the template leaves open
    openings = [
        re.sub("from 1900 to 2100.*", "from", text.replace("''", "'")).rstrip("' ")
        for text in texts
    ]
    assert [text for text in openings if not any(one.startswith(text) for one in known)] == []


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        (
            (
                "treated: without province 330000 (Zhejiang) the estimate is 1 instead of 2, a "
                "move "
                "of more than one standard error (3)."
            ),
            "treated：剔除省份 330000（浙江省）后估计值为 1，而不是 2，变动超过一个标准误（3）。",
        ),
        (
            (
                "expected 7 as in a, with which it agrees in the years around, found 8; so in 3 "
                "of 11 "
                "cities of the province: another vintage"
            ),
            "应与 a 一样为 7（前后各年均一致），实为 8；该省 11 个城市中有 3 个如此：另一版本口径",
        ),
        (
            (
                "needs gdp_nominal_cny_100m and cpi_prev_year_100 without gaps from 2010 to 2019 "
                "for "
                "at least two cities, found 0 of them"
            ),
            "需要至少两个城市在 2010—2019 年无缺口的 gdp_nominal_cny_100m 与 "
            "cpi_prev_year_100，仅有 0 个",
        ),
        (
            "column left out by the layout: province of the city; the roster has it",
            "版式剔除该列：城市所在省份；名册已有",
        ),
        (
            (
                "expected a number, found 'a; b'; correct the cell, or name the text in "
                "missing_values of the layout"
            ),
            None,
        ),
        ("a sentence that nobody wrote", None),
    ],
)
def test_texts_in_chinese(text: str, chinese: str | None) -> None:
    found = in_chinese(text, {330000: "浙江省"})
    if text.startswith("expected a number"):
        assert (
            found == "应为数字，实为 'a; b'；请更正单元格，或在版式的 missing_values 中列出该文字"
        )
    else:
        assert found == chinese


def test_templates_use_their_places() -> None:
    for rows in book("messages.yml").values():
        for english, chinese in rows:
            places = set(re.findall(r"\{(\w+)\}", english))
            assert places == set(re.findall(r"\{(\w+)\}", chinese)), english
            assert re.search(r"[\u4e00-\u9fff]", chinese) or len(places) > 1, english


def test_the_dictionary_is_whole_in_chinese() -> None:
    """Every table and column that a publication describes."""
    known = book("dictionary.yml")
    described = yaml.safe_load(
        (ROOT / "warehouse/publication/table_comments.yml").read_text(encoding="utf-8")
    )
    for path in sorted((ROOT / "warehouse/models/marts").glob("*.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            described[f"marts.{model['name']}"] = {
                "columns": {column["name"]: "" for column in model.get("columns", [])}
            }
    assert sorted(table for table in described if table not in known["tables"]) == []
    columns = {name for table in described.values() for name in table.get("columns", {})}
    assert sorted(name for name in columns if name not in known["columns"]) == []
