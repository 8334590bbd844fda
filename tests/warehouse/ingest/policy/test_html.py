"""Web pages: the text that a reader would see, or a fault of the file."""

from __future__ import annotations

import pytest

from warehouse.ingest.errors import FileFault
from warehouse.ingest.policy.html import visible_text


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>一</p><p>二&amp;三</p>", "\n一\n二&三\n"),
        ("<html><head><title>题</title><style>x{}</style></head>文", "\n题\n文"),
        ("甲<script>var a='<p>no</p>'</script>乙", "甲乙"),
        ("甲<!-- no -->乙<br/>丙\t\n丁", "甲乙\n丙 丁"),
        ("<textarea>no</textarea>甲<a href='x'>乙</a>", "甲乙"),
        ("<![if x]>甲<![endif]>", "甲"),
    ],
)
def test_the_text_is_what_a_reader_sees(page, text):
    assert visible_text(page) == text


def test_a_page_that_cannot_be_parsed_is_a_fault_of_its_file():
    with pytest.raises(FileFault, match="a web page; found one that cannot be parsed"):
        visible_text("<p>&#" + "9" * 5_000 + ";</p>")
