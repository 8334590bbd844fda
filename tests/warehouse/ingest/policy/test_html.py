"""Web pages: the text is what Python's parser finds, whatever the page, and the time grows with the
page and no faster.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.ingest.policy.html import _BLOCKS, _UNSEEN, visible_text

TOKENS = (
    "<",
    ">",
    "</",
    "/>",
    "<!--",
    "-->",
    "--",
    "<!",
    "<!doctype html>",
    "<?",
    "?>",
    "<![CDATA[",
    "]]>",
    "<![if x]>",
    "<![endif]>",
    "]>",
    "<a ",
    "<p>",
    "</p>",
    "<br/>",
    "b=",
    "'",
    '"',
    "=",
    "&",
    "&amp;",
    "&lt",
    "&#60;",
    "&#x",
    ";",
    " ",
    "\n",
    "\t",
    "x",
    "综合",
    "<script>",
    "</script>",
    "<style>",
    "</style>",
    "<div class='a>b'>",
    "</div >",
    "<textarea>",
    "</textarea>",
    "<\x00",
    "</ p>",
    "<p/ >",
)


class Reference(HTMLParser):
    """Python's parser, fed as it is meant to be."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.hidden: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag in _UNSEEN:
            self.hidden.append(tag)
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag):
        if self.hidden and tag == self.hidden[-1]:
            self.hidden.pop()
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data):
        if not self.hidden:
            self.parts.append(re.sub(r"[\t\r\n]+", " ", data))


def reference_text(page: str) -> str | None:
    """None where Python's parser gives up."""
    parser = Reference()
    try:
        parser.feed(page)
        parser.close()
    except AssertionError:
        return None
    return re.sub(r"\n\s*\n+", "\n", "".join(parser.parts))


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(TOKENS), max_size=30).map("".join))
def test_the_text_is_what_pythons_parser_finds(page):
    expected = reference_text(page)
    found = visible_text(page)
    assert expected is None or found == expected
