"""Words of the report, complete in English and in Chinese, read from `words.yml`; a page is written
in one of them.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from markupsafe import Markup

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "zh")


@functools.cache
def book(name: str = "words.yml") -> dict[str, Any]:
    """Return a file of words."""
    # libyaml, where it is installed, is ten times as fast
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((FOLDER / name).read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 -- it builds plain values alone


class Words:
    """The words of one language.

    Parameters
    ----------
    language : ``en`` or ``zh``
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._at = LANGUAGES.index(language)

    def __call__(self, key: str, **values: object) -> Markup:
        """Return a phrase by ``group.key``; values are escaped unless they are markup already.

        Raises
        ------
        KeyError
            Where `words.yml` lacks the key.
        """
        return Markup(self.template(key)).format(**values)  # noqa: S704 - the template is a text of ours, `format` escapes values

    def plain(self, key: str, **values: object) -> str:
        """Return a phrase without markup, for alternative texts and pictures."""
        return re.sub(r"<[^>]+>", "", self.template(key)).format(**values)

    def template(self, key: str) -> str:
        """Return a phrase with its open places, for a script to fill in as text."""
        group, name = key.split(".", maxsplit=1)
        return book()[group][name][self._at]

    def name(self, group: str, key: object) -> str:
        """Return what an id is called; the id itself, with blanks for its underscores, where
        `words.yml` does not know it.
        """
        known = book()[group].get(str(key))
        return known[self._at] if known else str(key).replace("_", " ")

    def knows(self, group: str, key: object) -> bool:
        """Return whether an id has a name."""
        return str(key) in book()[group]

    def outcome(self, outcome: str) -> str:
        """Return an outcome in words: measure and series, ``cm_growth_official`` is
        'synchronization, official growth'.
        """
        if self.knows("outcomes", outcome):
            return self.name("outcomes", outcome)
        for measure in book()["measures"]:
            if outcome.startswith(f"{measure}_"):
                comma = "，" if self.language == "zh" else ", "
                series = self.name("series", outcome.removeprefix(f"{measure}_"))
                return f"{self.name('measures', measure)}{comma}{series}"
        return self.name("series", outcome)

    def term(self, term: str) -> str:
        """Return a coefficient in words: ``difference:none-both`` is 'neither city less both'."""
        kind, colon, classes = term.partition(":")
        if not colon:
            return self.name("terms", term)
        if kind == "difference" and "-" in classes:
            one, _, other = classes.partition("-")
            return self.plain("terms.difference", one=self._class(one), other=self._class(other))
        if kind == "strength":
            return self._class(classes)
        return self.plain("terms.of_class", kind=self.name("terms", kind), of=self._class(classes))

    def _class(self, key: str) -> str:
        """Return a class in words; a pair of regions by its two regions."""
        one, _, other = key.partition("_")
        if (
            not self.knows("classes", key)
            and self.knows("classes", one)
            and self.knows("classes", other)
        ):
            return f"{self.name('classes', one)}–{self.name('classes', other)}"
        return self.name("classes", key)

    def place(self, row: dict[str, Any], level: str = "city") -> str:
        """Return the name of a city or province in the language of the page."""
        return str(row.get(f"{level}_name_{self.language}") or row.get(f"{level}_name_en") or "")

    def withheld_note(self, rows: Iterable[dict[str, Any]]) -> str:
        """Return why some rows have an estimate and no p, because the study withholds it
        (`estimation/study/withhold.py`); empty where none is withheld.
        """
        measures = {
            str(row["outcome"]).partition("_")[0]
            for row in rows
            if row.get("p_value_withheld_reason")
        }
        names = self.plain("label.and").join(self.name("measures", one) for one in sorted(measures))
        return self.plain("withheld.note", measures=names) if measures else ""
