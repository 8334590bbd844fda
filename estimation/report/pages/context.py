"""What every page needs: the data, the words of its language, rows by query, and small look-ups."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

from ..cells import Row, number, rows_of
from ..data import ReportData
from ..language import Words
from ..messages import in_chinese


@dataclass(frozen=True)
class Context:
    """Data and words of a page; `catalogs` is what the files of the cities and the policy texts say of themselves."""

    data: ReportData
    words: Words
    catalogs: dict[str, Any] = field(default_factory=dict)

    @functools.cached_property
    def _kept(self) -> dict[str, list[Row]]:
        return {}

    def rows(self, name: str) -> list[Row]:
        """Rows of a query, made once."""
        if name not in self._kept:
            self._kept[name] = rows_of(self.data, name)
        return self._kept[name]

    def one(self, name: str, **keys: object) -> Row | None:
        """The row of a query with these keys; None where there is none."""
        return next((row for row in self.rows(name) if all(row[key] == value for key, value in keys.items())), None)

    def some(self, name: str, **keys: object) -> list[Row]:
        """The rows of a query with these keys."""
        return [row for row in self.rows(name) if all(row[key] == value for key, value in keys.items())]

    def diagnostic(self, spec_id: str, name: str, term: str | None = None) -> Row | None:
        """A diagnostic of a spec that is not missing."""
        row = self.diagnostics.get((spec_id, name, term))
        return row if row is not None and number(row["value"]) is not None else None

    @functools.cached_property
    def diagnostics(self) -> dict[tuple[str, str, str | None], Row]:
        """Diagnostics by spec, name and term."""
        return {(row["spec_id"], row["diagnostic"], row["term"]): row for row in self.rows("diagnostic")}

    @functools.cached_property
    def places(self) -> dict[int, str]:
        """Names of cities and provinces by their code, in the language of the page."""
        names: dict[int, str] = {}
        for level in ("province", "city"):
            names |= {int(row[f"{level}_id"]): self.words.place(row, level) for row in self.rows("cities")}
        return names

    def said(self, text: object) -> str:
        """A sentence that a table holds, in the language of the page; as it stands where `messages.yml` does not know it."""
        if text is None or self.words.language == "en":
            return str(text or "")
        return in_chinese(str(text), self.places) or str(text)

    @property
    def is_simulated(self) -> bool:
        """Whether every number is simulated."""
        return self.data.is_simulated

    @property
    def stamp(self) -> str:
        """What a picture says of itself where its numbers are simulated; empty where they are not."""
        return self.words.plain("label.simulated") if self.is_simulated else ""


def variant(spec_id: str) -> str:
    """The last part of a spec's id."""
    return spec_id.rsplit(".", maxsplit=1)[-1]
