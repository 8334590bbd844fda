"""The text of a web page that a reader would see (pure)."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from warehouse.ingest.errors import FileFault, message_of

_BLOCK_TAGS = (
    "address article aside blockquote br center dd div dl dt fieldset footer form h1 h2 h3 h4 "
    "h5 h6 header hr li main nav ol p pre section table tbody td th thead title tr ul"
)
_UNSEEN_TAGS = "script style noscript template iframe object svg math textarea select"
_BLOCKS, _UNSEEN = frozenset(_BLOCK_TAGS.split()), frozenset(_UNSEEN_TAGS.split())


def visible_text(page: str) -> str:
    """Return the text of a page, one line for each block; scripts, styles and embedded objects are
    left out.

    Raises
    ------
    FileFault
        The parser gives up: a reference of thousands of digits, a section of no known name.
    """
    parser = _VisibleText()
    try:
        parser.feed(page)
        parser.close()
    except (AssertionError, ValueError) as error:
        found = f"one that cannot be parsed ({message_of(error)})"
        raise FileFault("a web page", found, "save its text alone, as txt") from error
    return re.sub(r"\n\s*\n+", "\n", "".join(parser.parts))


class _VisibleText(HTMLParser):
    """Collects the text that a reader would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden: list[str] = []

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
