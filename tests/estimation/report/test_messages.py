"""Sentences of the tables in Chinese: every one that the code can write has a template, and nothing
but what differs stays as it is.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import estimation
from estimation.report.language import book
from estimation.report.messages import in_chinese
from estimation.study.primary import in_words_of_the_study
from expectations.suites import RULES

ROOT = Path(estimation.__file__).parents[1]
ENGLISH = re.compile(r"(?:[A-Za-z][a-z'’-]+[ ,;:]+){2,}[A-Za-z]+")
# what these say is for people who call the library or its command: it reaches no table of a
# publication
NOT_OF_TABLES = re.compile(
    "estimation/(report|api|engines|data)/|estimation/(cli|classify|fit_panel|fit_results).py"
    "|panel/(columns|pair_rows|((pair|city)_file|panel|unit)_?)"
)
WHERE = "if pilots are larger"
# what the first place of a sentence may hold
PLACES = ("7", "a_b", "of two never-treated cities", "human capital of marts.dim_city")


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
    # the ends of sentences that are added to a text which is not a constant
    ends = (
        "give earlier years",
        "give more",
        "the effect may be",
        "one result under",
        "Estimate alone",
        "a draw of doubly_robust",
    )
    # a place may hold a number, an id or words; parts of a sentence that is added up are tried as
    # they are
    missing = [
        (where, text)
        for where, text in found
        if not text.startswith(ends)
        and not any(
            in_chinese(text.replace("\0", place, 1).replace("\0", "7").strip()) for place in PLACES
        )
    ]
    assert missing == []


def test_a_missing_verdict_is_said_in_chinese_in_the_words_of_the_study() -> None:
    """The study says provinces for blocks and leaves out what the owner of a file would change:
    another text than the test's own.
    """
    fill = {"{a}": "2015", "{n}": "0", "{m}": "3"}
    own = [text for text, _ in book("messages.yml")["reasons"] if text.startswith("No verdict")]
    assert len(own) > 5
    for text in own:
        said = re.sub(r"\{[anm]\}", lambda place: fill[place.group()], text)
        reason = in_words_of_the_study(said)
        assert in_chinese(reason) and not ENGLISH.search(in_chinese(reason)), reason


def reasons_of_layouts() -> Iterator[str]:
    for path in (ROOT / "warehouse/ingest/layouts").glob("*.yml"):
        layout = yaml.safe_load(path.read_text(encoding="utf-8"))
        told = json.dumps(layout, ensure_ascii=False)
        for reason in re.findall(r'"(?:reason|zero_is_missing)": "([^"]+)"', told):
            yield f"row left out by the layout: {reason.strip()}"


def whys_of_checks() -> Iterator[str]:
    yield from (rule.why for rules in RULES.values() for rule in rules)


@pytest.mark.parametrize("texts", [reasons_of_layouts, whys_of_checks])
def test_reasons_of_layouts_and_whys_of_checks_have_their_chinese(texts) -> None:
    found = set(texts())
    assert len(found) > 40
    assert [
        text for text in found if ENGLISH.search(in_chinese(text) or "no words of its own")
    ] == []


def test_details_of_the_rules_have_their_chinese() -> None:
    """Openings of details as the SQL of the rules writes them."""
    folder = ROOT / "warehouse/models/intermediate"
    paths = [*sorted(folder.glob("detectors/*.sql")), folder / "raw/int_raw_rejections.sql"]
    texts = {
        text
        for path in [*paths, ROOT / "warehouse/macros/trends.sql"]
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
            "treated: without province 330000 (Zhejiang) the estimate is 1 instead of 2, a move "
            "of more than one standard error (3).",
            "treated：剔除省份 330000（浙江省）后估计值为 1，而不是 2，变动超过一个标准误（3）。",
        ),
        (
            "needs gdp_nominal_cny_100m and cpi_prev_year_100 without gaps from 2010 to 2019 for "
            "at least two cities, found 0 of them",
            "需要至少两个城市在 2010—2019 年无缺口的 gdp_nominal_cny_100m 与 "
            "cpi_prev_year_100，仅有 0 个",
        ),
        (
            "expected a number, found 'a; b'; correct the cell, or name the text in "
            "missing_values of the layout",
            "应为数字，实为 'a; b'；请更正单元格，或在版式的 missing_values 中列出该文字",
        ),
        (
            "p = 0.748 (province jackknife, corrected for 3 tests)",
            "p = 0.748（省级刀切法，按 3 项检验校正）",
        ),
        (
            "expected a city, found a county with code 1 and name none; its figure is no figure of "
            "a city, nothing needs to be done",
            "应为城市，实为县级单位（代码：1，名称：无）；其数值不是城市的数值，无需处理",
        ),
        (
            "needs texts with the tool public_service in force in at least 10 pilot cities of the "
            "sample, found 2",
            "需要样本中至少 10 个试点城市有含政策工具“公共服务”的有效文本，仅有 2 个",
        ),
        ("a sentence that nobody wrote", None),
        ("p = 0.748 (city); a sentence that nobody wrote", None),
    ],
)
def test_texts_in_chinese(text: str, chinese: str | None) -> None:
    assert in_chinese(text, {330000: "浙江省"}) == chinese
