"""Made-up policy texts of a given length for the speed of splitting and classifying."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import numpy as np

from estimation.classify import find_lexicon
from warehouse.ingest.simulation.policy_texts import SENTENCES

_VERBS = ("支持", "鼓励", "推动", "加快", "完善", "落实", "探索", "健全")
_LINKS = ("和", "与", "，进一步", "，着力提升", "，同步推进", "，依托", "，引导企业参与")
_NUMERALS = "一二三四五六七八九十"


def generate_texts(n_documents: int, n_characters: int, seed: int = 1) -> Iterator[bytes]:
    """Texts in the manner of a plan: head, numbered headings, enumerated sentences until the length
    is reached.

    Half of the sentences are those of the simulated landing, half join three to six terms of the
    lexicon: more terms a clause than in real texts, so that the measured time is no flattering one.

    Parameters
    ----------
    n_documents, n_characters : int
        The length counts characters, from `n_characters` to one sentence more.
    seed : int
        The same seed gives the same bytes.
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, 11]))
    with find_lexicon().open(encoding="utf-8", newline="") as stream:
        terms = sorted({row["term"] for row in csv.DictReader(stream)})
    written = [sentence for sentences in SENTENCES.values() for sentence in sentences]
    for number in range(1, n_documents + 1):
        yield _text(number, n_characters, terms, written, rng).encode()


def _text(
    number: int, n_characters: int, terms: list[str], written: list[str], rng: np.random.Generator
) -> str:
    year = 2015 + number % 10
    lines = [
        f"某州市人民政府关于印发中国(某州)跨境电子商务综合试验区实施方案第{number}版的通知",
        f"某政发〔{year}〕{number}号",
        "各县(区)人民政府，市政府各部门：",
        "现将实施方案印发给你们，请认真贯彻执行。",
        "某州市人民政府",
        f"{year}年{number % 12 + 1}月{number % 28 + 1}日",
    ]
    length, n_lines = sum(map(len, lines)) + len(lines), 0
    while length < n_characters:
        if n_lines % 6 == 0:
            line = f"{_NUMERALS[(n_lines // 6) % 10]}、主要任务"
        elif rng.random() < 0.5:
            pattern = written[int(rng.integers(len(written)))]
            line = f"{n_lines % 6}.{pattern.format(n=int(rng.integers(2, 10)), year=year + 3)}"
        else:
            chosen = [terms[int(k)] for k in rng.integers(len(terms), size=int(rng.integers(3, 7)))]
            links = [_LINKS[int(k)] for k in rng.integers(len(_LINKS), size=len(chosen))]
            body = "".join(part for pair in zip(links, chosen, strict=True) for part in pair)
            line = f"{n_lines % 6}.{_VERBS[int(rng.integers(len(_VERBS)))]}{body[1:]}。"
        lines.append(line)
        length, n_lines = length + len(line) + 1, n_lines + 1
    return "\n".join([*lines, ""])
