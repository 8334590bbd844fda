"""Write control characters of delivered texts out, since a terminal or a browser obeys them instead
of showing them.
"""

from __future__ import annotations

import re

# Colours, titles and going back over a line; marks that turn the direction of what follows, so that
# `fdp.exe` reads `exe.pdf`; marks of no width. Ends of lines and tabs stay.
OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
# The same in JSON, which writes the first ones as escapes itself.
IN_JSON = re.compile(
    r"(?<!\\)((?:\\\\)*)\\u(00[01][0-9a-fA-F]|007[fF])|" + OBEYED.pattern,
)


def visible(text: str) -> str:
    """Return a text with what would be obeyed written out, such as `\\x1b` and `\\u202e`."""
    return OBEYED.sub(lambda found: _written_out(found[0]), text)


def visible_in_json(text: str) -> str:
    """Return JSON whose texts are as `visible` makes them once they are read."""
    return IN_JSON.sub(_json_written_out, text)


def _json_written_out(found: re.Match[str]) -> str:
    if found[2]:
        sign = chr(int(found[2], 16))
        if sign in "\n\t":
            return found[0]
        return found[1] + "\\" + _written_out(sign)
    return "\\" + _written_out(found[0])


def _written_out(sign: str) -> str:
    code = ord(sign)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
