"""The site's own check finds what leads nowhere and what comes from another host."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from tests.conftest import REPO


def _check():
    spec = importlib.util.spec_from_file_location("site_check", REPO / "docs" / "site" / "check.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_links_places_and_loads_are_checked(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "index.html").write_text(
        '<h1 id="here">x</h1><a href="#here">1</a><a href="deep/page.html#there">2</a><a '
        'href="https://example.org">3</a>'
        '<a href="gone.html">4</a><a href="deep/page.html#gone">5</a><script '
        'src="https://example.org/x.js"></script>',
        encoding="utf-8",
    )
    (tmp_path / "deep" / "page.html").write_text(
        '<p id="there"><a href="../index.html">up</a><img src="no.png">', encoding="utf-8"
    )
    assert _check().faults_of(tmp_path) == [
        "deep/page.html: no.png leads nowhere",
        "index.html: loads https://example.org/x.js",
        "index.html: gone.html leads nowhere",
        "index.html: deep/page.html#gone has no such place",
    ]


def test_every_page_of_the_documentation_stands_in_the_navigation() -> None:
    config = (REPO / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [path.relative_to(REPO / "docs") for path in (REPO / "docs").rglob("*.md")]
    in_folders = {"methods", "evidence"}
    assert [
        str(page)
        for page in pages
        if page.parts[0] not in in_folders and f"- {page}\n" not in config
    ] == []


def test_our_copy_of_the_searchs_helper_is_the_one_its_licence_names() -> None:
    import hashlib

    copy, licence = (
        REPO / "docs" / "site" / "iframe-worker.js",
        REPO / "docs" / "site" / "iframe-worker.LICENSE",
    )
    assert hashlib.sha256(copy.read_bytes()).hexdigest() in licence.read_text(encoding="utf-8")
