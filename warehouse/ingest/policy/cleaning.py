"""Text of a policy file as found to readable simplified text, every character with its place in
what was found (pure).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

# All characters but those of official texts: emoji and their joiners, dingbats, private use, other
# scripts are noise of a mirror site.
_STRAY = re.compile(
    r"[^\n\t "
    r"-~\xa0-\u024f\u0370-\u03ff\u2010-\u2027\u2030-\u2033\u2103\u2116\u2160-\u2182\u2200-\u22ff\u2460-\u249b\u25a1\u3000-\u303f"
    r"\u3200-\u33ff\u3400-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff01-\uff5e\ufffd\U00020000-\U0003134f]+"
)
_MARKDOWN = re.compile(
    r"^[ \t]*(?:#{1,6}[ \t]+|[-*+][ \t]+|>[ \t]?|\|)|\*\*|`|(?<=\])\([^()\n]*\)|[ \t]*\|[ \t]*$",
    re.MULTILINE,
)
_HANZI = r"\u3400-\u9fff"
_CLOSE = r"\u3000-\u303f\uff01-\uff5e()\[\],.;:!?%+\"“”‘’—…0-9"
# a single space is layout where a letter-spaced word is set, and beside Chinese punctuation,
# brackets and figures
_SPACING = re.compile(
    rf"(?<=[{_HANZI}])(?<![{_HANZI}]{{2}})[ \u3000](?=[{_HANZI}](?![{_HANZI}]))"
    rf"|(?<=[{_HANZI}])[ ](?=[{_CLOSE}])|(?<=[{_CLOSE}])[ ](?=[{_HANZI}])|(?<=[〕〔（）])[ "
    r"](?=[0-9])|(?<=[0-9])[ ](?=[〔〕])"
)
# readings that some sites set behind a character: 南(nán)京
_TONE = "āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ"
_READING = re.compile(rf"(?<=[{_HANZI}])[(（][a-zü]{{0,4}}[{_TONE}][a-zü{_TONE}]{{0,4}}[)）]")
_GAP = re.compile(r"(?<=\S)[ \t\u3000\xa0]{6,}(?=\S)")
_MARKER_START = re.compile(
    r"[(（]?[一二三四五六七八九十]{1,3}[)）、]|\d{1,2}[.、](?!\d)|[(（]\d{1,2}[)）]|[①-⑳]|第[一二三四五六七八九十百]+[章节条]|——"
)
_SENTENCE_END = "。；;！？!?：:"

_FULL_WIDTH = {
    code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if chr(code) not in "，。；：！？（）"
}
_ONE_TO_ONE = _FULL_WIDTH | {
    0xFE52: ".",
    0x2024: ".",
    0xA0: " ",
    0x0B: "\n",
    0x0C: "\n",
    0x2028: "\n",
    0x2029: "\n",
    0x85: "\n",
}


@dataclass(frozen=True)
class MappedText:
    """A text and the place of each of its characters in the text as found; origin has shape
    (len(text),), dtype int32.
    """

    text: str
    origin: np.ndarray

    def without(self, pattern: re.Pattern[str]) -> MappedText:
        """Return the text without every match of a pattern."""
        if pattern.search(self.text) is None:
            return self
        return self.rearranged(_kept(pattern, self.text))

    def rearranged(self, spans: Iterable[tuple[int, int] | None]) -> MappedText:
        """Return the text made of spans of this one, None for a new line (which takes the place of
        the character before it).
        """
        parts, places = [], [np.empty(0, np.int32)]
        last = np.zeros(1, np.int32)
        for span in spans:
            if span is None:
                parts.append("\n")
                places.append(last)
            elif span[1] > span[0]:
                parts.append(self.text[span[0] : span[1]])
                places.append(self.origin[span[0] : span[1]])
                last = places[-1][-1:]
        return MappedText("".join(parts), np.concatenate(places))


def clean_text(found: str, *, is_markdown: bool = False) -> MappedText:
    """Readable simplified text of a policy file.

    Full-width letters and figures become half-width, traditional characters simplified, stray
    symbols go, two interleaved columns are read one after the other, readings behind characters go,
    lines that a page width cut are joined, and letter-spacing is closed. Masked characters stay as
    found.

    Parameters
    ----------
    found : str
        Text as extracted from the file.
    is_markdown : bool
        Whether heading signs, list signs, emphasis and link targets are layout.

    Returns
    -------
    MappedText
        Its `origin` counts characters of `found`.
    """
    simplified = to_simplified(found.translate(_ONE_TO_ONE))
    mapped = MappedText(simplified, np.arange(len(found), dtype=np.int32))
    if is_markdown:
        mapped = mapped.without(_MARKDOWN)
    mapped = _unweave_columns(mapped.without(_STRAY).without(_READING))
    return _join_wrapped(mapped).without(_SPACING)


def to_simplified(text: str) -> str:
    """Simplified characters for traditional ones (OpenCC t2s); the length never changes."""
    convert = _converter().convert
    simplified = convert(text)
    if len(simplified) == len(text):
        return simplified
    # a phrase of another length would move every later place: then character by character
    signs = {sign: convert(sign) for sign in set(text)}
    return text.translate({ord(sign): new for sign, new in signs.items() if len(new) == 1})


@lru_cache(maxsize=1)
def _converter() -> Any:
    import opencc

    return opencc.OpenCC("t2s")


def _kept(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in pattern.finditer(text):
        yield start, match.start()
        start = match.end()
    yield start, len(text)


def _line_spans(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer("^.*$", text, re.MULTILINE)]


def _unweave_columns(mapped: MappedText) -> MappedText:
    """Return blocks of at least three lines with a wide gap inside: first the left column, then the
    right one.
    """
    text = mapped.text
    if len(_GAP.findall(text)) < 3:
        return mapped
    spans = _line_spans(text)
    gaps = [_GAP.search(text, *span) for span in spans]
    order: list[tuple[int, int] | None] = []
    n = 0
    while n < len(spans):
        end = n
        while end < len(spans) and gaps[end]:
            end += 1
        if end - n >= 3:
            order += _two_columns(text, spans[n:end], gaps[n:end])
        elif n < len(spans):
            end = max(end, n + 1)
            for span in spans[n:end]:
                order += [span, None]
        n = end
    return mapped.rearranged(order)


def _two_columns(
    text: str, spans: list[tuple[int, int]], gaps: list[re.Match[str]]
) -> list[tuple[int, int] | None]:
    left = [(start, gap.start()) for (start, _), gap in zip(spans, gaps, strict=True)]
    right = [(gap.end(), end) for (_, end), gap in zip(spans, gaps, strict=True)]
    indents = [len(text[a:b]) - len(text[a:b].lstrip()) for a, b in left]
    base = min(indents)
    left_opens = [indent > base + 2 for indent in indents]
    return [
        *_column(text, left, left_opens),
        None,
        *_column(text, right, [False] * len(right)),
        None,
    ]


def _column(
    text: str, spans: list[tuple[int, int]], opens: list[bool]
) -> Iterator[tuple[int, int] | None]:
    """Lines of a column joined to paragraphs: a new one where a line is indented, begins with an
    enumeration, or follows a colon.
    """
    before = ""
    for (left, right), is_open in zip(spans, opens, strict=True):
        line = text[left:right]
        start, end = right - len(line.lstrip()), left + len(line.rstrip())
        if start >= end:
            continue
        if before and (is_open or before in ":：" or _MARKER_START.match(text, start, end)):
            yield None
        yield start, end
        before = text[end - 1]


def _join_wrapped(mapped: MappedText) -> MappedText:
    """Join lines that a fixed page width cut: only where most lines have one and the same width."""
    text = mapped.text
    lengths = np.array([len(line.strip()) for line in text.split("\n")])
    filled = lengths[lengths > 0]
    if len(filled) < 8:
        return mapped
    width = int(np.sort(filled)[int(0.8 * (len(filled) - 1))])
    is_full = (lengths >= width - 3) & (lengths <= width + 3)
    if not 12 <= width <= 80 or is_full.sum() < 0.4 * len(filled):
        return mapped
    order: list[tuple[int, int] | None] = []
    spans = _line_spans(text)
    for n, (start, end) in enumerate(spans):
        shift = len(text[start:end]) - len(text[start:end].lstrip())
        follows = (
            n > 0
            and is_full[n - 1]
            and lengths[n] > 0
            and text[spans[n - 1][1] - 1] not in _SENTENCE_END
        )
        if order and not (
            follows and shift < 2 and not _MARKER_START.match(text, start + shift, end)
        ):
            order.append(None)
        order.append((start + shift, end))
    return mapped.rearranged(order)
