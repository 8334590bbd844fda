"""The text of a web page that a reader would see, in a time that grows with the page and no faster
(pure).

`html.parser` of Python looks for the end of every comment, section and tag from where it begins; in
a page of a million beginnings without an end it would look through the rest of the page a million
times. Here it is told where the last end of each kind stands, and what follows the last `>` of a
page, which cannot hold a whole tag, is taken as text at once. The text found is the same.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from warehouse.ingest.character_references import unescape, without_endless

_BLOCK_TAGS = (
    "address article aside blockquote br center dd div dl dt fieldset footer form h1 h2 h3 h4 "
    "h5 h6 header hr li main nav ol p pre section table tbody td th thead title tr ul"
)
_UNSEEN_TAGS = "script style noscript template iframe object svg math textarea select"
_BLOCKS, _UNSEEN = frozenset(_BLOCK_TAGS.split()), frozenset(_UNSEEN_TAGS.split())
# what html.parser looks for: the end of a comment, of a section such as CDATA, of a condition as
# office programs write it
_ENDS = {
    "comment": re.compile(r"--!?\s*>"),
    "section": re.compile(r"\]\s*\]\s*>"),
    "condition": re.compile(r"\]\s*>"),
}
_CONDITION = re.compile(r"<!\[\s*(?:if|else|endif)\b", re.IGNORECASE)


def visible_text(page: str) -> str:
    """Text of a page, one line for each block; scripts, styles and embedded objects are
    left out.
    """
    page = without_endless(page)
    end = page.rfind(">") + 1
    parser = _VisibleText(page[:end])
    parser.close()
    parser.handle_data(unescape(page[end:]))
    return re.sub(r"\n\s*\n+", "\n", "".join(parser.parts))


class _VisibleText(HTMLParser):
    """Collects the text that a reader would see."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden: list[str] = []
        # not by `feed`: what is fed in one piece is only looked at twice
        self.rawdata = page
        self._last = {
            kind: max((found.start() for found in pattern.finditer(page)), default=-1)
            for kind, pattern in _ENDS.items()
        }

    def parse_comment(self, i: int, report: bool = True) -> int:
        """End of a comment, -1 where there is none."""
        return super().parse_comment(i, report) if i < self._last["comment"] else -1

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        """End of a section, -1 where there is none or its name is none."""
        kind = "condition" if _CONDITION.match(self.rawdata, i) else "section"
        if i > self._last[kind]:
            return -1
        try:
            return super().parse_marked_section(i, report)
        except AssertionError:
            return -1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Hide what follows, or begin a line."""
        if tag in _UNSEEN:
            self._hidden.append(tag)
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """Show again what follows, or end a line."""
        if self._hidden and tag == self._hidden[-1]:
            self._hidden.pop()
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        """Keep text that is seen."""
        if not self._hidden:
            self.parts.append(re.sub(r"[\t\r\n]+", " ", data))
