"""Code blocks of a page of the documentation, run one after the other in one namespace; what they print stands in the block of text behind.

`python -m tests.docs.examples docs/library/*.md` writes what is printed into the pages, and the notebook of the tutorial.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import estimation
from estimation.cli import main as command

REPO = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(python|sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block of code or text of a page: its language, its text and where the text lies."""

    language: str
    text: str
    start: int
    end: int


def blocks_of(page: str) -> list[Block]:
    """Blocks of Python, shell and text in order."""
    return [Block(m[1], m[2], m.start(2), m.end(2)) for m in BLOCK.finditer(page)]


def run_page(page: str) -> Iterator[tuple[Block, str]]:
    """Run every block in a folder of its own; gives each block of text, and what the code before it printed."""
    namespace: dict = {"__name__": "__main__"}
    printed = ""
    sys.modules["citysync"] = estimation
    before = Path.cwd()
    try:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            for block in blocks_of(page):
                if block.language == "text":
                    yield block, printed
                    printed = ""
                else:
                    printed += _run_python(block.text, namespace) if block.language == "python" else _run_commands(block.text)
    finally:
        os.chdir(before)
        sys.modules.pop("citysync", None)


def _run_python(code: str, namespace: dict) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(code, "<page>", "exec"), namespace)
    return out.getvalue()


def _run_commands(text: str) -> str:
    """Run the lines that call the library's command; others (pip, make) are not ours to run here."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        for line in text.splitlines():
            if line.startswith("citysync "):
                code = command(shlex.split(line)[1:])
                if code:
                    raise AssertionError(f"{line}: exit {code}")
    return out.getvalue()


def notebook_of(page: str) -> str:
    """A page as a Jupyter notebook: its Python blocks are cells, its text is Markdown, what was printed is left out."""
    cells, place = [], 0
    blocks = blocks_of(page)
    for block in blocks:
        opening = page.rindex("```", 0, block.start)
        _add(cells, "markdown", page[place:opening])
        if block.language == "python":
            _add(cells, "code", block.text)
        place = page.index("```", block.end) + 3
    _add(cells, "markdown", page[place:])
    metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"}}
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, ensure_ascii=False, indent=1) + "\n"


def _add(cells: list[dict], kind: str, text: str) -> None:
    if not text.strip():
        return
    cell = {"cell_type": kind, "id": f"cell-{len(cells)}", "metadata": {}, "source": text.strip().splitlines(keepends=True)}
    cells.append(cell | ({"execution_count": None, "outputs": []} if kind == "code" else {}))


def main() -> None:
    """Write what is printed into the pages."""
    for name in sys.argv[1:]:
        path = Path(name).resolve()
        page = path.read_text(encoding="utf-8")
        for block, printed in reversed(list(run_page(page))):
            page = page[: block.start] + printed + page[block.end :]
        path.write_text(page, encoding="utf-8")
        notebook = path.with_suffix(".ipynb")
        if notebook.exists():
            notebook.write_text(notebook_of(page), encoding="utf-8")


if __name__ == "__main__":
    main()
