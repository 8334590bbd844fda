"""The tool of a clause of a policy text, by a lexicon (docs/methods, section 10.2)."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

#: Characters in which a word of `must_stand_near` or `negated_by` is looked for.
NEAR, BEFORE = 20, 8
#: Sum of weights below which a clause has no tool.
LEAST_SCORE = 2


class ClauseTool(NamedTuple):
    """What the lexicon says of a clause: its tool, the terms that decided, where each stands first
    (from 1), and the sum of their weights.
    """

    tool_class: str = "none"
    tool: str = "none"
    terms: tuple[str, ...] = ()
    places: tuple[int, ...] = ()
    score: int = 0


class Lexicon:
    """Terms of policy language and the tool each of them indicates.

    Parameters
    ----------
    rows : iterable of mapping
        With term, tool_class, tool, weight, priority, must_stand_near, negated_by; the last two are
        words joined by ``|``, or blank.
    """

    def __init__(self, rows: Iterable[Mapping[str, object]]) -> None:
        self.rows: dict[str, list[tuple]] = {}
        for row in rows:
            words = (str(row[name] or "") for name in ("must_stand_near", "negated_by"))
            near, negating = ([*filter(None, text.split("|"))] for text in words)
            tool = str(row["tool"]), str(row["tool_class"])
            rule = (tool, int(row["weight"]), int(row["priority"]), near, negating)  # type: ignore[call-overload]
            self.rows.setdefault(str(row["term"]).upper(), []).append(rule)
        # at one place the longest term wins; terms of one first letter share a branch
        letters = groupby(sorted(filter(None, self.rows)), lambda term: term[0])
        branches = []
        for letter, terms in letters:
            rests = [re.escape(term[1:]) for term in sorted(terms, key=len, reverse=True)]
            branches.append(f"{re.escape(letter)}(?:{'|'.join(rests)})")
        pattern = "|".join(branches)
        if not pattern:
            # a lexicon without terms finds nothing
            pattern = "(?!)"
        self.pattern = re.compile(pattern)

    def tool_of(self, clause: str) -> ClauseTool:
        """Tool of a clause in simplified characters.

        Terms do not overlap. A term counts once with its weight, unless a word that negates it
        is among the 8 characters before it, or a word that it requires is not within 20 characters.
        The largest sum wins; ties go to the higher priority, then to what is named first.
        """
        text = "".join(sign if len(sign.upper()) > 1 else sign.upper() for sign in clause)
        hits: dict[tuple[str, str], dict[str, tuple[int, int, int]]] = {}
        for found in self.pattern.finditer(text):
            term, at = found.group(), found.start()
            around = text[max(at - NEAR, 0) :][: 2 * NEAR + len(term)]
            before = text[max(at - BEFORE, 0) : at]
            for tool, weight, priority, near, negating in self.rows[term]:
                if (not near or any(word in around for word in near)) and not any(
                    word in before for word in negating
                ):
                    hits.setdefault(tool, {}).setdefault(term, (at + 1, weight, priority))
        scores: list[tuple] = []
        for tool, terms in hits.items():
            places, weights, priorities = zip(*terms.values(), strict=True)
            scores.append((-sum(weights), -max(priorities), min(places), tool))
        best = min(scores, default=(0,))
        if -best[0] < LEAST_SCORE:
            return ClauseTool()
        tool = best[-1]
        named = sorted((place, term) for term, (place, *_) in hits[tool].items())
        return ClauseTool(
            tool[1],
            tool[0],
            tuple(term for _, term in named),
            tuple(place for place, _ in named),
            -best[0],
        )


def read_lexicon(path: Path) -> Lexicon:
    """Lexicon of a CSV file in UTF-8."""
    with path.open(encoding="utf-8", newline="") as stream:
        return Lexicon(csv.DictReader(stream))
