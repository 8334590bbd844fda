"""Words of the pages in both languages, read from `words.yml` and `dictionary.yml`."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Phrase:
    """One phrase in both languages; `zh` is empty where there is none."""

    en: str
    zh: str = ""


@functools.cache
def _book(name: str) -> dict[str, Any]:
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def phrase(group: str, key: str) -> Phrase:
    """A phrase by its group and key.

    Raises
    ------
    KeyError
        Where `words.yml` lacks the key.
    """
    return Phrase(*_book("words.yml")[group][key])


def analysis_title(name: str) -> Phrase:
    """Title of an analysis; its own name where `words.yml` does not know it."""
    known = _book("words.yml")["analyses"].get(name)
    return Phrase(*known["title"]) if known else Phrase(name.replace("_", " ").capitalize())


def analysis_intro(name: str) -> str:
    """How to read the page of an analysis; empty where `words.yml` does not know it."""
    return _book("words.yml")["analyses"].get(name, {}).get("intro", "")


def table_words(name: str) -> str:
    """Chinese description of a table by `schema.table`; empty where there is none."""
    return _book("dictionary.yml")["tables"].get(name, "")


def column_words(name: str) -> str:
    """Chinese description of a column; empty where there is none."""
    return _book("dictionary.yml")["columns"].get(name, "")


def slug(name: str) -> str:
    """A file name from any text: small letters, digits and hyphens only."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "unnamed"
