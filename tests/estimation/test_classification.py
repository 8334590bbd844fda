"""The lexicon's rules: against a literal loop over terms, on the labelled clauses, and through the
command.
"""

import csv
from collections import Counter
from pathlib import Path

import pytest

from estimation.classify import LEXICON, classify_clauses
from estimation.cli import main

LABELLED = Path(__file__).with_name("labelled_clauses.csv")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def labelled() -> list[dict[str, str]]:
    rows = rows_of(LABELLED)
    labels = classify_clauses([row["clause"] for row in rows])
    return [
        row | {"tool_class": c, "tool": t, "terms": m}
        for row, (c, t, m) in zip(rows, labels, strict=True)
    ]


def classify_by_loop(clause: str, lexicon: list[dict[str, str]]) -> tuple[str, str, str]:
    """The rules of the codebook, letter by letter: the independent reference."""
    terms = sorted({row["term"].upper() for row in lexicon}, key=len, reverse=True)
    text, at, hits = clause.upper(), 0, {}
    while at < len(text):
        term = next((term for term in terms if text.startswith(term, at)), None)
        for row in lexicon if term else []:
            before, window = text[max(at - 8, 0) : at], text[max(at - 20, 0) :][: 40 + len(term)]
            fits = not row["must_stand_near"] or any(
                word in window for word in row["must_stand_near"].split("|")
            )
            negated = row["negated_by"] and any(
                word in before for word in row["negated_by"].split("|")
            )
            if row["term"].upper() == term and fits and not negated:
                hits.setdefault((row["tool_class"], row["tool"]), {}).setdefault(
                    term, (int(row["weight"]), int(row["priority"]), at)
                )
        at += len(term) if term else 1
    scored = [
        (
            -sum(w for w, _, _ in found.values()),
            -max(p for _, p, _ in found.values()),
            min(a for _, _, a in found.values()),
            key[1],
            key,
            found,
        )
        for key, found in hits.items()
    ]
    best = min((item for item in scored if item[0] <= -2), default=None)
    if best is None:
        return "none", "none", ""
    return (*best[4], "|".join(sorted(best[5], key=lambda term: (best[5][term][2], term))))


def test_the_rule_equals_a_literal_loop(labelled):
    lexicon = rows_of(LEXICON)
    # every second clause: a loop is slow, and each rule is in many of them
    texts = [row["clause"] for row in labelled[::2]] + [
        "取消对企业的补贴",
        "B2b出口",
        "",
        "不得给予财政补贴，可以给予贷款贴息",
        "免税" * 40,
    ]
    assert classify_clauses(texts) == [classify_by_loop(text, lexicon) for text in texts]


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("建设公共海外仓", ("demand", "overseas_institutions", "公共海外仓")),
        ("取消对企业的财政补贴", ("none", "none", "")),
        ("給予最高50萬元的一次性資金獎勵", ("supply", "capital", "万元|一次性资金奖励")),
        ("开展b2b出口试点", ("demand", "trade_facilitation", "B2B出口")),
        ("综合试验区", ("none", "none", "")),
    ],
)
def test_longest_match_negation_scripts_and_case(clause, expected):
    assert classify_clauses([clause]) == [expected]


def test_the_measured_half_meets_what_was_promised(labelled):
    measured = [row for row in labelled if row["part"] == "measured"]
    assert len(labelled) >= 300 and abs(len(measured) - len(labelled) / 2) < 5
    right = [row for row in measured if row["tool"] == row["tool_first"]]
    assert len(right) / len(measured) >= 0.85
    classes = {row["tool_first"]: row["tool_class"] for row in right}
    for label, n_kinds in (("tool", 15), ("tool_class", 4)):
        truth = [row["tool_first"] for row in measured]
        truth = truth if label == "tool" else [classes[tool] for tool in truth]
        found = Counter(t for t, row in zip(truth, measured, strict=True) if row[label] == t)
        recall = {name: found[name] / n for name, n in Counter(truth).items()}
        assert len(recall) == n_kinds and min(recall.values()) >= 0.75, recall


def test_the_command_keeps_order_and_quotes(tmp_path, capsys):
    file = tmp_path / "clauses.csv"
    file.write_text(
        'id,clause\n9,"支持企业建设海外仓, ""展示中心"""\n-2,今天天气\n"=a,b",\n', encoding="utf-8"
    )
    assert main(["classify", str(file)]) == 0
    assert capsys.readouterr().out == (
        "id,tool_class,tool,matched_terms\n9,demand,overseas_institutions,海外仓\n"
        '-2,none,none,\n"\'=a,b",none,none,\n'
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"id,text\n1,x\n", "expected columns id and clause"),
        (b"", "an empty file"),
        (b"id,clause\n1\n", "line 2: expected a cell for id and for clause"),
    ],
)
def test_a_bad_file_of_clauses_is_refused(tmp_path, capsys, content, said):
    file = tmp_path / "clauses.csv"
    file.write_bytes(content)
    code = main(["classify", str(file)])
    captured = capsys.readouterr()
    assert (code, captured.out) == (2, "") and said in captured.err
