"""Code blocks of a page of the documentation, run one after the other in one namespace; what they
print stands in the block of text behind.

`python -m tests.docs.examples docs/library/*.md` writes what is printed into the pages.

A block that is not run says why in a comment below it, which a reader of the page does not see:
`<!-- not run by the tests: reason -->` or `... as it stands: ...`.
"""

import contextlib
import io
import json
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

import estimation
from estimation.cli import COMMANDS
from estimation.cli import main as command
from orchestration.commands.run_specs import run_specs
from orchestration.commands.sql import connect_read_only
from orchestration.home import Home

REPO = Path(__file__).resolve().parents[2]
LANGUAGES = ("python", "sql", "sh", "text")
# blocks of a list are indented
BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
MARKER = re.compile(r"\s*<!-- not run by the tests(?: as (?:it stands|they stand))?: [^>]{10,} -->")
CALLED = ("citysync", ".venv/bin/citysync")


@dataclass(frozen=True)
class Block:
    """A block of code or text of a page: its language, its text, where the text lies, and whether
    the page says that it is not run.
    """

    language: str
    text: str
    start: int
    end: int
    is_left_out: bool = False


def blocks_of(page: str) -> list[Block]:
    """Blocks of Python, SQL, shell and text in order; one without a language that begins with a
    command of ours is shell.
    """
    found = []
    for m in BLOCK.finditer(page):
        language = m["language"] or (
            "sh"
            if m["text"].lstrip().startswith(("make ", "dbt ", "dagster ", "citysync ", ".venv/"))
            else ""
        )
        if language in LANGUAGES:
            found.append(
                Block(
                    language,
                    m["text"],
                    m.start("text"),
                    m.end("text"),
                    MARKER.match(page, m.end()) is not None,
                )
            )
    return found


def run_page(
    page: str,
    home: Path | None = None,
    after: Callable[[dict], None] | None = None,
    prepare: Callable[[Path], None] | None = None,
) -> Iterator[tuple[Block, str]]:
    """Run every block in a folder of its own; gives each block of text, and what the code before it
    printed.

    Parameters
    ----------
    page : str
    home : Path, optional
        Home with a publication, for SQL; the folder holds it as `data`.
    after : callable, optional
        Called with all names after each block of Python.
    prepare : callable, optional
        Called with the folder before the first block, to write the files that the page speaks of.
    """
    namespace: dict = {"__name__": "__main__"}
    printed = ""
    sys.modules["citysync"] = estimation
    before = Path.cwd()
    try:
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as open_until_the_end:

            @cache
            def warehouse() -> duckdb.DuckDBPyConnection:
                """The publication over the connection of `citysync sql`."""
                if home is None:
                    raise AssertionError("a query on a page that is run without a publication")
                return open_until_the_end.enter_context(connect_read_only(Home(home)))

            os.chdir(folder)
            if prepare is not None:
                prepare(Path(folder))
            if home is not None:
                os.symlink(home, "data")
            for block in blocks_of(page):
                if block.language == "text":
                    yield block, printed
                    printed = ""
                elif block.is_left_out:
                    continue
                elif block.language == "python":
                    printed += _run_python(block.text, namespace)
                    if after is not None:
                        after(namespace)
                elif block.language == "sql":
                    warehouse().execute(block.text).fetchall()
                else:
                    printed += _run_commands(block.text, warehouse)
    finally:
        os.chdir(before)
        sys.modules.pop("citysync", None)


def link_docs(folder: Path) -> None:
    """Let a page read its data where a checkout has them."""
    (folder / "docs").symlink_to(REPO / "docs")


def _run_python(code: str, namespace: dict) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(code, "<page>", "exec"), namespace)
    return out.getvalue()


def _run_commands(text: str, warehouse: Callable[[], duckdb.DuckDBPyConnection]) -> str:
    """Run lines that call the library's command or ask the warehouse; any other line wants the page
    to say why it is not run.
    """
    with contextlib.redirect_stdout(io.StringIO()) as out:
        for line in text.splitlines():
            words = shlex.split(line, comments=True)
            called = words[1:] if words and words[0] in CALLED else []
            if called[:1] and called[0] in COMMANDS:
                code = command(called)
                if code:
                    raise AssertionError(f"{line}: exit {code}")
            elif called[:1] == ["run"]:
                run_specs(called[1], called[2:], permutations=None, seed=None)
            elif called[:2] == ["sql", "-q"] and len(called) == 3:
                warehouse().execute(called[2]).fetchall()
            elif words:
                raise AssertionError(
                    f"{line}: not run; say why below it: <!-- not run by the tests: reason -->"
                )
    return out.getvalue()


def cells_of(page: str) -> list[dict[str, Any]]:
    """The cells of a page's notebook: its prose and its Python, without what is printed."""
    found = []
    end = 0
    for block in blocks_of(page):
        found.append(("markdown", page[end : page.rindex("```", 0, block.start)]))
        if block.language == "python":
            found.append(("code", block.text))
        end = page.index("```", block.end) + len("```")
    found.append(("markdown", page[end:]))
    cells: list[dict[str, Any]] = []
    for kind, text in found:
        if text.strip():
            cell = {"cell_type": kind, "id": f"cell-{len(cells)}", "metadata": {}}
            if kind == "code":
                cell |= {"execution_count": None, "outputs": []}
            cells.append(cell | {"source": text.strip().splitlines(keepends=True)})
    return cells


def main() -> None:
    """Write what is printed into the pages, and a page into the notebook of its name."""
    for name in sys.argv[1:]:
        path = Path(name).resolve()
        page = path.read_text(encoding="utf-8")
        for block, printed in reversed(list(run_page(page, prepare=link_docs))):
            page = page[: block.start] + printed + page[block.end :]
        path.write_text(page, encoding="utf-8")
        notebook = path.with_suffix(".ipynb")
        if notebook.exists():
            whole = json.loads(notebook.read_text(encoding="utf-8")) | {"cells": cells_of(page)}
            text = json.dumps(whole, indent=1, ensure_ascii=False)
            notebook.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
