"""Make Great Expectations' pages work without a network: no script, no remote style or picture, a
small style sheet of our own instead.

Their index is a table that only a remote script fills, so it is replaced by a static one with every
expectation of every stage.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

import pandas as pd

# What the pages would load from elsewhere: style sheets, pictures.
REMOTE = [
    re.compile(r"<link\b[^>]*\bhref=[\"']?https?:[^>]*>", re.I),
    re.compile(r"<img\b[^>]*\bsrc=[\"']?https?:[^>]*>", re.I),
    re.compile(
        r"<(?:object|iframe)\b[^>]*\b(?:data|src)=[\"']?https?:[^>]*>.*?</(?:object|iframe)>",
        re.I | re.S,
    ),
]
OUTSIDE_LINK = re.compile(r"(<a\b[^>]*)\bhref=[\"']https?:[^\"']*[\"']", re.I)
# Their own scripts call a library that was remote: filters and 'show more' would only fail, so they
# go, and what they folded is open.
SCRIPTS = re.compile(r"<script\b.*?</script>", re.I | re.S)
HANDLER = re.compile(r"\s+on[a-z]+=(?:\"[^\"]*\"|'[^']*')", re.I)
# the headings of those filters, and a picture that their pages look for in a folder that is not
# there
LEFT_OVER = re.compile(
    (
        r"<strong>Actions</strong>|<p[^>]*>\s*Validation "
        r"Filter:\s*</p>|<link\b[^>]*\brel=\"shortcut "
        r"icon\"[^>]*>"
    ),
    re.I,
)
STYLE = """<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 76rem; padding: 1rem;
  color: #1b1f24; background: #fff; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
td, th { border: 1px solid #d0d7de; padding: .3rem .5rem; text-align: left; vertical-align: top; }
ul, ol { padding-left: 1.2rem; }
.badge-info { background: #ddf4ff; padding: 0 .3rem; border-radius: .2rem; }
.modal, footer, .filter-control,
nav .navbar-brand, .btn-group,
[data-toggle=collapse] { display: none !important; }
.fa-check-circle::before, .text-success::before { content: "\\2713 "; color: #0b6e4f; }
.fa-times::before, .text-danger::before { content: "\\2717 "; color: #b42318; }
.alert-secondary { background: #f6f8fa; padding: .5rem 1rem; } a { color: #0b5394; }
</style>"""


def make_offline(page: str) -> str:
    """Return a page without scripts and without what it would load from elsewhere."""
    for pattern in (*REMOTE, SCRIPTS, HANDLER, LEFT_OVER):
        page = pattern.sub("", page)
    return OUTSIDE_LINK.sub(r"\1", page).replace("</head>", STYLE + "</head>", 1)


STAGES = ("raw", "staging", "marts", "estimates")
INDEX = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>citysync: data checks</title>{style}
<style>.scroll {{ overflow-x: auto; }} .no {{ color: #b42318; font-weight: 600; }}
.yes {{ color: #0b6e4f; }}</style></head>
<body><h1>Data checks</h1>
<p>Great Expectations checked the data after each stage. A check of severity <b>stop</b> blocks the
publication; <b>warn</b> is something to look at. The names lead to the page of each data set.</p>
{sections}
</body></html>
"""
HEADINGS = (
    "Check",
    "Data set",
    "Checked at",
    "Column",
    "Holds",
    "Severity",
    "Observed",
    "Failing values",
    "What it means",
)


def write_index(docs_dir: Path, results: pd.DataFrame) -> None:
    """Replace index.html by a static table of all expectations.

    Parameters
    ----------
    docs_dir : folder with the pages.
    results : rows of `quality.expectation_result`, every stage so far.
    """
    sections = [_section(docs_dir, stage, results[results["stage"] == stage]) for stage in STAGES]
    (docs_dir / "index.html").write_text(
        INDEX.format(style=STYLE, sections="\n".join(filter(None, sections))), encoding="utf-8"
    )


def _section(docs_dir: Path, stage: str, results: pd.DataFrame) -> str:
    if results.empty:
        return ""
    failed = int((~results["success"].astype(bool)).sum())
    head = "".join(f"<th scope=col>{text}</th>" for text in HEADINGS)
    rows = "\n".join(_row(docs_dir, stage, row) for row in results.itertuples())
    title = f"<h2>{escape(stage)}: {len(results)} checks, {failed} failed</h2>"
    return (
        f"{title}\n<div "
        f"class=scroll><table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table></div>"
    )


def _row(docs_dir: Path, stage: str, row: object) -> str:
    holds = (
        '<span class="yes">\u2713 yes</span>'
        if row.success
        else '<span class="no">\u2717 no</span>'
    )
    column = "" if pd.isna(row.column_name) else escape(str(row.column_name))
    pages = docs_dir.glob(f"validations/{stage}/{row.dataset}/**/*.html")
    # in a folder named by the time of the run, in one named by the run
    page = max(pages, key=lambda page: page.parent.name, default=None)
    name, checked_at = escape(row.dataset), ""
    if page is not None:
        name = f'<a href="{escape(page.relative_to(docs_dir).as_posix())}">{name}</a>'
        checked_at = page.parent.name
    cells = (
        escape(row.check_id),
        name,
        checked_at,
        column,
        holds,
        escape(row.severity),
        escape(str(row.observed)),
        escape(str(row.sample_rows)),
        escape(row.why),
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
