"""Texts that repeat down a sheet as codes into a list of words: places, years, units, reasons
(pure).

A sheet repeats a city's name in every year and an indicator in every row; codes are gathered and
written many times faster than texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

#: Arrow type of such a column; a raw Parquet file stores it as plain text.
CODED = pa.dictionary(pa.int32(), pa.string())
NO_TEXT = -1


@dataclass(frozen=True)
class CodedTexts:
    """Texts, some of them none.

    Attributes
    ----------
    codes : ndarray of int32, shape (n,)
        Position in ``words``, ``NO_TEXT`` where there is none.
    words : list of str
        The distinct texts.
    """

    codes: np.ndarray
    words: list[str]

    @classmethod
    def constant(cls, text: str | None, n: int) -> CodedTexts:
        """Return the same text, or none, n times."""
        return cls(
            np.full(n, NO_TEXT if text is None else 0, np.int32), [] if text is None else [text]
        )

    @classmethod
    def from_list(cls, texts: Sequence[str | None]) -> CodedTexts:
        """Return texts of a list, in the order of their first occurrence."""
        words = [text for text in dict.fromkeys(texts) if text is not None]
        code_of: dict[str | None, int] = {text: code for code, text in enumerate(words)}
        code_of[None] = NO_TEXT
        return cls(np.array([code_of[text] for text in texts], np.int32), words)

    @classmethod
    def concat(cls, parts: Iterable[CodedTexts]) -> CodedTexts:
        """Return parts one after another, words in the order of their first occurrence."""
        words: dict[str, int] = {}
        codes = []
        for part in parts:
            new = [words.setdefault(word, len(words)) for word in part.words]
            codes.append(_recoded(part.codes, new))
        return cls(np.concatenate(codes) if codes else np.empty(0, np.int32), list(words))

    def mapped(self, function: Callable[[str], str | None]) -> CodedTexts:
        """Return each word through a function; none where it says None."""
        words = CodedTexts.from_list([function(word) for word in self.words])
        return CodedTexts(_recoded(self.codes, words.codes.tolist()), words.words)

    def take(self, positions: np.ndarray) -> CodedTexts:
        """Return the texts at the given positions."""
        return CodedTexts(
            self.codes[positions] if self.words else np.full(len(positions), NO_TEXT, np.int32),
            self.words,
        )

    def to_list(self) -> list[str | None]:
        """Return the texts themselves, None for none."""
        words = [*self.words, None]
        return [words[code] for code in self.codes.tolist()]

    def to_arrow(self) -> pa.DictionaryArray:
        """Return the same as an Arrow array of type ``CODED``."""
        is_none = self.codes == NO_TEXT
        return pa.DictionaryArray.from_arrays(
            pa.array(self.codes, mask=is_none if is_none.any() else None),
            pa.array(self.words, pa.string()),
        )


def _recoded(codes: np.ndarray, new: list[int]) -> np.ndarray:
    # NO_TEXT is -1, so as a position it reads this last entry
    return np.array([*new, NO_TEXT], np.int32)[codes]
