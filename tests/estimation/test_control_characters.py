"""What a terminal or a browser would obey is shown instead, as text and through JSON."""

import json

import pytest

from estimation.control_characters import visible
from estimation.report.city_files import script

TURNED = "sales\u202efdp.exe"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (TURNED, r"sales\u202efdp.exe"),
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("a\u2066b\u200bc\x9bd", r"a\u2066b\u200bc\x9bd"),
        (r"C:\u0001 and \x1b", r"C:\u0001 and \x1b"),
        ("\\\x01", r"\\x01"),
        ("两行\n一列\tä", "两行\n一列\tä"),
    ],
)
def test_it_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown
    handed_over = script("page", {"file": text})
    assert json.loads(handed_over[handed_over.index(",") + 1 : -3])["file"] == shown
