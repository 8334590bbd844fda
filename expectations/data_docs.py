"""Make Great Expectations' pages work without a network: no remote script, style or picture, a small style sheet of our own instead."""

from __future__ import annotations

import re
from pathlib import Path

# What the pages would load from elsewhere: scripts, style sheets, pictures.
REMOTE = [
    re.compile(r"<script\b[^>]*\bsrc=[\"']?https?:[^>]*>\s*</script>", re.I),
    re.compile(r"<link\b[^>]*\bhref=[\"']?https?:[^>]*>", re.I),
    re.compile(r"<img\b[^>]*\bsrc=[\"']?https?:[^>]*>", re.I),
    re.compile(r"<(?:object|iframe)\b[^>]*\b(?:data|src)=[\"']?https?:[^>]*>.*?</(?:object|iframe)>", re.I | re.S),
]
# The walk-through advertises how to use the pages with the maker's hosted service.
WALKTHROUGH = re.compile(r"<!-- walkthrough.*?<!-- end walkthrough -->", re.I | re.S)
OUTSIDE_LINK = re.compile(r"(<a\b[^>]*)\bhref=[\"']https?:[^\"']*[\"']", re.I)
MARK = "citysync-offline"
STYLE = f"""<style id="{MARK}">
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 76rem; padding: 1rem; color: #1b1f24; background: #fff; }}
table {{ border-collapse: collapse; width: 100%; margin: .5rem 0; }}
td, th {{ border: 1px solid #d0d7de; padding: .3rem .5rem; text-align: left; vertical-align: top; }}
ul, ol {{ padding-left: 1.2rem; }} .badge-info {{ background: #ddf4ff; padding: 0 .3rem; border-radius: .2rem; }}
.modal, #ge-walkthrough-modal, .ge-walkthrough-button-wrapper, .filter-control, nav .navbar-brand {{ display: none !important; }}
.fa-check-circle::before, .text-success::before {{ content: "\\2713 "; color: #0b6e4f; }}
.fa-times::before, .text-danger::before {{ content: "\\2717 "; color: #b42318; }}
.alert-secondary {{ background: #f6f8fa; padding: .5rem 1rem; }} a {{ color: #0b5394; }}
</style>"""


def make_self_contained(docs_dir: Path) -> None:
    """Rewrite every page below `docs_dir` in place; running it twice changes nothing more."""
    for page in sorted(docs_dir.rglob("*.html")):
        text = page.read_text(encoding="utf-8")
        if MARK in text:
            continue
        for pattern in REMOTE:
            text = pattern.sub("", text)
        text = OUTSIDE_LINK.sub(r"\1", WALKTHROUGH.sub("", text))
        page.write_text(text.replace("</head>", STYLE + "</head>", 1), encoding="utf-8")
