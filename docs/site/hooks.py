"""Hooks of the documentation site: the folders of methods and evidence in the navigation, pages
that lie above docs/, tables of the CSV files that pages link to, and formulas as MathML, which
browsers set without a script.

Run by MkDocs in .venv-site, so it imports nothing of this project.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

# pages of the root that pages of docs/ send a reader to
ABOVE = ("CHANGELOG.md", "CONTRIBUTING.md", "README.md")
# what the theme would load from another host, and our copy of it
SHIM = re.compile(r"https://unpkg\.com/iframe-worker/shim")
COPY = "site/iframe-worker.js"
LINK = re.compile(r"\]\(([^)\s]+)\)")
# a line that is nothing but a link to a CSV file beside the page
TABLE = re.compile(r"^\[[^\]]+\]\(([\w-]+\.csv)\)$", re.MULTILINE)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Replace `name/` in the navigation by the pages of that folder, its README first, and have
    blocks of ```math set.
    """
    docs = Path(config.docs_dir)
    fence = {"name": "math", "class": "math", "format": _formula}
    config.mdx_configs["pymdownx.superfences"] = {"custom_fences": [fence]}
    config.nav = [_filled(entry, docs) for entry in config.nav] + [
        {"Repository": [name.lower() for name in ABOVE]}
    ]
    return config


def _formula(source: str, *_: Any, **__: Any) -> str:
    return f'<div class="math" tabindex="0">{convert(source, display="block")}</div>'


def _filled(entry: Any, docs: Path) -> Any:
    if not isinstance(entry, dict):
        return entry
    is_folder = {
        title: isinstance(value, str) and value.endswith("/") for title, value in entry.items()
    }
    return {
        title: _pages(docs / value, docs) if is_folder[title] else value
        for title, value in entry.items()
    }


def _pages(folder: Path, docs: Path) -> list[str]:
    found = sorted(folder.glob("*.md"), key=lambda path: (path.name != "README.md", path.name))
    return [str(path.relative_to(docs)) for path in found]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages above docs/, their links to files of docs/ shortened and those to other files
    taken out.
    """
    root = Path(config.config_file_path).parent
    for name in ABOVE:
        text = LINK.sub(_inside_docs, (root / name).read_text(encoding="utf-8"))
        files.append(File.generated(config, name.lower(), content=text))
    return files


def _inside_docs(match: re.Match[str]) -> str:
    target = match[1]
    if target.startswith("docs/"):
        return f"]({target.removeprefix('docs/')})"
    return f"]({target.lower()})" if target in ABOVE else match[0]


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Send links to the pages above docs/ to their copies, keep MkDocs from reading `<![` in a line
    of code as markup, and show the table of a CSV file below the line that links to it.
    """
    up = "../" * page.file.src_uri.count("/")
    folder = Path(page.file.abs_src_path or "").parent
    markdown = TABLE.sub(lambda match: f"{match[0]}\n\n{_table(folder / match[1])}", markdown)

    def copied(match: re.Match[str]) -> str:
        name = match[1].removeprefix("../" + up)
        return f"]({up}{name.lower()})" if name in ABOVE else match[0]

    return LINK.sub(copied, markdown.replace("<![", "<\u200b!["))


def _table(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    lines = []
    for row in (head, ["---"] * len(head), *rows):
        cells = [cell.replace("|", r"\|").replace("*", r"\*") for cell in row]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def on_post_page(output: str, page: Page, **_: Any) -> str:
    """Take the search's helper from our copy, and name its window."""
    return _searched(output, "../" * page.url.count("/"))


def on_post_template(output_content: str, template_name: str, **_: Any) -> str:
    """The same on the page of missing addresses."""
    return _searched(output_content, "/") if template_name.endswith(".html") else output_content


def _searched(page: str, up: str) -> str:
    return SHIM.sub(up + COPY, page).replace('role="dialog"', 'role="dialog" aria-label="Search"')
