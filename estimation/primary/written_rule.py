"""The text and hash of a rule that is written down before its data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any


def text_and_hash(rule: Mapping[str, Any]) -> tuple[str, str]:
    """Return a rule as JSON with sorted keys, and the sha256 of that text in UTF-8."""
    text = json.dumps(rule, sort_keys=True, ensure_ascii=False)
    return text, hashlib.sha256(text.encode()).hexdigest()


def hash_of_starts(starts: Iterable[str]) -> str:
    """Return the sha256 of first treated years, one `unit year` a line, in the order given."""
    return hashlib.sha256("\n".join(starts).encode()).hexdigest()
