"""What every page needs: the data, the words of its language, rows by query, and small look-ups."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from ..cells import Row, num, number, rows_by, rows_of
from ..data import ReportData
from ..forest import is_below
from ..language import Words
from ..messages import in_chinese
from ..shown_specs import OFFICIAL, PRIMARY


@dataclass(frozen=True)
class Context:
    """Data and words of a page; `catalogs` is what the files of the cities say of themselves,
    `is_public` whether the page leaves this machine.
    """

    data: ReportData
    words: Words
    catalogs: dict[str, Any] = field(default_factory=dict)
    is_public: bool = False

    def rows(self, name: str) -> list[Row]:
        """Return rows of a query."""
        return rows_of(self.data, name)

    def one(self, name: str, **keys: object) -> Row | None:
        """Return the row of a query with these keys; None where there is none."""
        return next(iter(self.some(name, **keys)), None)

    def some(self, name: str, **keys: object) -> list[Row]:
        """Return the rows of a query with these keys."""
        return rows_by(self.data, name, *keys).get(tuple(keys.values()), [])

    def diagnostic(self, spec_id: str, name: str, term: str | None = None) -> Row | None:
        """Return a diagnostic of a spec that is not missing."""
        row = self.one("diagnostic", spec_id=spec_id, diagnostic=name, term=term)
        return row if row is not None and number(row["value"]) is not None else None

    @functools.cached_property
    def places(self) -> dict[int, str]:
        """Names of cities and provinces by their code, in the language of the page."""
        names: dict[int, str] = {}
        for level in ("province", "city"):
            names |= {
                int(row[f"{level}_id"]): self.words.place(row, level) for row in self.rows("cities")
            }
        return names

    def said(self, text: object) -> str:
        """Return a sentence that a table holds, in the language of the page; unchanged where
        `messages.yml` does not know it.
        """
        if text is None or self.words.language == "en":
            return str(text or "")
        return in_chinese(str(text), self.places) or str(text)

    def variant_name(self, spec_id: str) -> str:
        """Return what a specification is called beside its outcome; the primary test with its
        years.
        """
        name = self.words.name("variants", variant(spec_id))
        row = self.one("primary", spec_id=spec_id)
        if row is None or number(row["first_year"]) is None or number(row["last_year"]) is None:
            return name
        return self.words.plain(
            "label.with_years", text=name, first=int(row["first_year"]), last=int(row["last_year"])
        )

    def label(self, row: Row) -> str:
        """Return a specification in words, with its outcome where that is not official
        synchronization.
        """
        name = self.variant_name(row["spec_id"])
        if row["outcome"] == OFFICIAL:
            return name
        note = self.words.outcome(row["outcome"])
        return self.words.plain("label.with_note", text=name, note=note)

    def why(self, of: Sequence[str]) -> Markup | None:
        """Return why something is missing: the reason of the first of these specifications or
        analyses that was not run.

        Of an analysis it is the commonest reason. None where nothing of them was left out with a
        reason.
        """
        rows = [row for row in self.rows("primary") if row["reason"] and row["estimate"] is None]
        rows += self.rows("not_run")
        for name in of:
            own = [row["reason"] for row in rows if name in (row["spec_id"], row.get("analysis"))]
            if own:
                reason = self.said(Counter(own).most_common(1)[0][0])
                return self.words("label.why", reason=reason.rstrip(".。"))
        return None

    @functools.cached_property
    def changed(self) -> Markup:
        """What the answer was in the publication before, in a sentence."""
        run = self.data.run
        if run.get("not_compared"):
            return self.words("changed.not_compared", reason=run["not_compared"])
        if not run.get("previous_run_id"):
            return self.words("changed.first")
        row = self.one("estimate_changes", spec_id=PRIMARY)
        if row is None:
            return self.words("changed.no_answer", previous=run["previous_run_id"])
        numbers = {name: num(row, f"{name}_estimate", "+3") for name in ("old", "new")}
        numbers |= {f"{name}_p": num(row, f"{name}_p_value", "p") for name in ("old", "new")}
        moved = row["old_estimate"] != row["new_estimate"]
        key = f"changed.{'moved' if moved else 'same'}"
        return self.words(key, previous=row["previous_run_id"], **numbers)

    def counted_title(self, key: str, rows: Sequence[dict[str, Any]]) -> str:
        """Return a title that counts the rows of a forest that are found, which are the bold ones,
        among those with a p corrected within a family; then the others by their uncorrected p.
        """
        corrected, alone = [], []
        for row in rows:
            if number(row["row"].get("p_value_family")) is not None:
                corrected.append(row)
            elif number(row["row"].get("p_value")) is not None:
                alone.append(row)
        parts = []
        if corrected:
            n = sum(row["rejects"] for row in corrected)
            parts.append(self.words.plain(key if n else f"{key}_zero", n=n, of=len(corrected)))
        if alone:
            n = sum(is_below(row["row"]["p_value"]) for row in alone)
            ending = "" if n else "_zero"
            title = self.words.plain(f"label.title_uncorrected{ending}", n=n, of=len(alone))
            parts.append(title)
        return self.words.plain("label.chinese_semicolon").join(parts)


def variant(spec_id: str) -> str:
    """Return the last part of a spec's id."""
    return spec_id.rsplit(".", maxsplit=1)[-1]
