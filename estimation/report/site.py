"""Writes the site: seven pages in English and, in `zh/`, in Chinese, `data/` (downloads, a script a
page and a city) and `assets/`.
"""

from __future__ import annotations

import functools
import re
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import jinja2

from ..control_characters import visible
from . import city_files
from .cells import num, shown, td
from .data import ReportData, read_report_data
from .downloads import downloads, zone_map
from .language import LANGUAGES, Words
from .pages.catalog import PAGES, SEARCH, Page
from .pages.context import Context
from .pages.result import finding
from .queries import QUERIES, code_of
from .shown_specs import PRIMARY

FOLDER = Path(__file__).parent
TEMPLATES, VENDOR = FOLDER / "templates", FOLDER / "vendor"
SCRIPTS = TEMPLATES / "scripts"
TAKE_AWAY = ("figures", "tables", "replication")


def write_report(
    con: duckdb.DuckDBPyConnection,
    out_dir: Path | str,
    *,
    data: ReportData | None = None,
    is_public: bool = False,
    repository: str = "",
    address: str = "",
) -> None:
    """Write the site into a folder; the same input gives the same bytes.

    Parameters
    ----------
    con : open connection, to the build or to a publication
    out_dir : folder, made if it does not exist; its `data/`, `assets/`, `zh/` and pages are
    replaced, other folders in it are left alone
    data : what pages show of the same connection, where it was read before
    is_public : whether the pages leave this machine: no growth of a single city, no measure of a
    single pair, no way to files that stay
    repository : address of the code on the web, to which numbers lead; none where it is empty
    address : where the folder will be served, for the picture of a link's card; a path beside the
    page where it is empty, which most sites that show cards do not follow
    """
    out_dir = Path(out_dir)
    for name in ("data", "assets", "zh"):
        shutil.rmtree(out_dir / name, ignore_errors=True)
    for name in ("data/pages", "assets", "zh"):
        (out_dir / name).mkdir(parents=True)
    data = data or read_report_data(con)
    catalogs = _write_city_files(con, data, out_dir / "data", is_public=is_public)
    for name, text in downloads(data).items():
        (out_dir / "data" / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
    (out_dir / "data" / "pilot_zones.geojson").write_text(zone_map(data), encoding="utf-8")
    for path in sorted([*SCRIPTS.glob("*.js"), *VENDOR.glob("*.js")]):
        shutil.copyfile(path, out_dir / "assets" / path.name)
    take_away = _take_away(out_dir)
    for language in LANGUAGES:
        for name, text in render_site(
            data,
            catalogs,
            language,
            take_away,
            is_public=is_public,
            repository=repository,
            address=address,
        ):
            # sentences of an English page are parted by a blank, which Chinese does not write
            joined = re.sub(r"(?<=。) (?=[<“一-鿿])", "", text)
            (out_dir / name).write_text(visible(joined), encoding="utf-8", newline="\n")


def _write_city_files(
    con: duckdb.DuckDBPyConnection, data: ReportData, folder: Path, *, is_public: bool
) -> dict[str, Any]:
    catalogs: dict[str, Any] = {
        "sync": {"measures": [], "years": []},
        "values": {"places": [], "indicators": [], "locations": [], "flags": []},
    }
    # Means over five years give growth back, too: with that of eight cities known, that of all.
    if len(data["all_paths"]) and len(data["cities"]) and not is_public:
        catalogs["sync"] = city_files.write_synchronization(
            con, [int(code) for code in data["cities"]["city_id"]], folder
        )
    if len(data["sources"]) and len(data["coverage"]):
        catalogs["values"] = city_files.write_values(
            con, folder, Context(data, Words("zh")).said, is_public=is_public
        )
    return catalogs


def _take_away(out_dir: Path) -> list[dict[str, Any]]:
    """Return figures, tables and replication files that are in the folder already, each name with
    its files.
    """
    found: dict[str, list[str]] = {}
    for folder in TAKE_AWAY:
        for path in sorted((out_dir / folder).glob("*.*")):
            found.setdefault(f"{folder}/{path.stem}", []).append(
                path.relative_to(out_dir).as_posix()
            )
    return [
        {"name": name, "files": [(path, Path(path).suffix[1:]) for path in paths]}
        for name, paths in found.items()
    ]


def _of_language(take_away: Sequence[dict[str, Any]], language: str) -> list[dict[str, Any]]:
    """Return tables in the language of the page, and what has no words in a language of its own."""
    names = {row["name"] for row in take_away}
    chosen = []
    for row in take_away:
        is_chinese = row["name"].endswith("_zh")
        has_other = f"{row['name']}_zh" in names
        if is_chinese == (language == "zh") or not (is_chinese or has_other):
            chosen.append(row)
    return chosen


def render_site(
    data: ReportData,
    catalogs: dict[str, Any],
    language: str,
    take_away: Sequence[dict[str, Any]] = (),
    *,
    is_public: bool = False,
    repository: str = "",
    address: str = "",
    pages: Sequence[Page] = PAGES,
) -> Iterator[tuple[str, str]]:
    """Path and text of each page in one language, and of the script of its data; every delivered
    text is escaped.

    Parameters
    ----------
    data : what the pages show
    catalogs : `sync` and `values`, what the files of the cities say of themselves
    language : ``en`` or ``zh``
    take_away : files beside the pages that the result page links to
    is_public, repository, address : as `write_report`
    pages : those of the site, or of a folder of its own
    """
    words, commit = Words(language), str(data.run.get("git_commit", ""))
    context = Context(data, words, catalogs, is_public=is_public)
    shared = {
        "w": words,
        "num": num,
        "withheld_note": words.withheld_note,
        "queries": QUERIES,
        "code": code_of,
        "repository": repository and f"{repository}/blob/{commit.removesuffix('+changes')}",
        "is_simulated": data.is_simulated,
        "is_public": is_public,
        "run": {
            name: data.run.get(name, "unknown") for name in ("run_id", "git_commit", "started_at")
        },
        "nav": [
            {"slug": page.slug, "href": f"{page.slug}.html", "title": words(f"pages.{page.slug}")}
            for page in pages
        ],
        "root": "" if language == "en" else "../",
        "address": address,
        "take_away": _of_language(take_away, language),
        "said": context.said,
        "td": functools.partial(td, said=context.said),
        "why_missing": context.why,
        "changed": context.changed,
        "finding": words(f"result.{finding(context.one('primary', spec_id=PRIMARY))}"),
    }
    at = "" if language == "en" else "zh/"
    for page in pages:
        text = (
            _environment()
            .get_template(f"{page.template or page.slug}.html.j2")
            .render(
                slug=page.slug,
                title=words(f"pages.{page.slug}"),
                other_language=f"{'zh' if language == 'en' else '..'}/{page.slug}.html",
                scripts=page.scripts,
                styles=page.styles,
                page_queries=page.queries,
                libraries=page.libraries,
                **shared,
                **page.context(context),
            )
        )
        yield f"{at}{page.slug}.html", text
        says = {key.partition(".")[2]: words.template(key) for key in (*SEARCH, *page.says)}
        handed_over = {"says": says, **page.inline(context)}
        name = f"pages/{page.slug}_{language}"
        yield f"data/{name}.js", city_files.script("page", handed_over)


@functools.cache
def _environment() -> jinja2.Environment:
    """Return the templates, compiled once."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "shown": shown,
        "dedent": lambda text: textwrap.dedent(text).strip(),
    }
    return environment
