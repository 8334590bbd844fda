"""Writes the site: every page self-contained, beside them `data/` with the files for download and one script a city."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import jinja2
from markupsafe import Markup

from . import city_files, words
from .data import ReportData, Source, open_source, read_report_data
from .pages import Page, downloads, site_pages

TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = TEMPLATES / "scripts"
COMMON_SCRIPT = "common.js"
POLICY_PAGE = "policy.html"
TAKE_AWAY = ("figures", "tables", "replication")


def write_report(source: Source, out_dir: Path | str) -> None:
    """Write the site into a folder; the same input gives the same bytes.

    Parameters
    ----------
    source : path of a DuckDB file, open connection, or data frames by ``schema.table``
    out_dir : folder, made if it does not exist; its `data/` is replaced, other files in it are left alone
    """
    out_dir = Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(out_dir / "data", ignore_errors=True)
    (out_dir / "data").mkdir()
    with open_source(source) as con:
        data = read_report_data(con)
        catalogs = _write_city_files(con, data, out_dir / "data")
    for name, text in downloads(data).items():
        (out_dir / "data" / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
    for name, text in render_site(data, catalogs, _take_away(out_dir)):
        draft = out_dir / f".{name}.new"
        draft.write_text(text, encoding="utf-8", newline="\n")
        os.replace(draft, out_dir / name)


def _write_city_files(con: duckdb.DuckDBPyConnection, data: ReportData, folder: Path) -> dict[str, Any]:
    catalogs: dict[str, Any] = {
        "sync": {"measures": [], "years": []},
        "values": {"places": [], "indicators": [], "locations": [], "flags": []},
    }
    if len(data["all_paths"]) and len(data["cities"]):
        catalogs["sync"] = city_files.write_synchronization(con, [int(code) for code in data["cities"]["city_id"]], folder)
    if len(data["sources"]):
        catalogs["values"] = city_files.write_values(con, folder)
    return catalogs


def _take_away(out_dir: Path) -> list[dict[str, Any]]:
    """Figures, tables and replication files that stand in the folder already, each name with its files."""
    found: dict[str, list[str]] = {}
    for folder in TAKE_AWAY:
        for path in sorted((out_dir / folder).glob("*.*")):
            found.setdefault(f"{folder}/{path.stem}", []).append(path.relative_to(out_dir).as_posix())
    return [{"name": name, "files": [(path, Path(path).suffix[1:]) for path in paths]} for name, paths in found.items()]


def render_site(data: ReportData, catalogs: dict[str, Any], take_away: Sequence[dict[str, Any]] = ()) -> Iterator[tuple[str, str]]:
    """Each page's file name and text; every delivered text is escaped.

    Parameters
    ----------
    data : what the pages show
    catalogs : `sync` and `values`, what the files of the cities say of themselves
    take_away : files beside the pages that the estimates page links to
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    pages = site_pages(data)
    shared = {
        "is_simulated": data.is_simulated,
        "run": {name: data.run.get(name, "unknown") for name in ("run_id", "git_commit", "started_at")},
        "nav": _navigation(data, pages),
        "contents": _contents(data, pages),
        "w": words.phrase,
        "take_away": list(take_away),
    }
    for page in pages:
        script = "".join((SCRIPTS / name).read_text(encoding="utf-8") for name in (COMMON_SCRIPT, *page.scripts))
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
        yield (
            page.href,
            environment.get_template(page.template).render(
                page=page,
                script=Markup(script),  # noqa: S704 - our own file, its hash stands in the page's policy
                script_hash=f"sha256-{digest}",
                inline_data=page.inline_data(data, catalogs),
                **shared,
                **page.context(data),
            ),
        )


def _navigation(data: ReportData, pages: list[Page]) -> list[tuple[str, list[dict[str, Any]]]]:
    items = [{"slug": page.slug, "href": page.href, "title": page.title} for page in pages]
    analyses = [item for item in items if item["slug"].startswith("analysis-")]
    others = [item for item in items if item not in analyses]
    if _has_policy(data):
        at = next(k for k, item in enumerate(others) if item["slug"] == "quality")
        others.insert(at, {"slug": "policy", "href": POLICY_PAGE, "title": words.phrase("pages", "policy")})
    return [("", others), *([("analyses", analyses)] if analyses else [])]


def _contents(data: ReportData, pages: list[Page]) -> list[dict[str, Any]]:
    items = [{"href": page.href, "title": page.title, "words": page.about} for page in pages if page.slug != "index"]
    if _has_policy(data):
        words_of = "Clauses of the policy texts with the tool each is counted as, and the terms that decided it."
        items.append({"href": POLICY_PAGE, "title": words.phrase("pages", "policy"), "words": words_of})
    return items


def _has_policy(data: ReportData) -> bool:
    found = data["policy"]
    return not found.empty and int(found.iloc[0]["n_clauses"]) > 0
