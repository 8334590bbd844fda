"""The site of fabricated tables as text by path, one page of it, and what a reader of its html
sees; for the tests of the report.
"""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import duckdb
import pandas as pd

from estimation.report.data import open_source, read_report_data
from estimation.report.policy_data import read_policy_data
from estimation.report.site import render_site, write_report


def site_of(frames, tmp_path, name: str = "report") -> dict[str, str]:
    """Text of every file of the site, by its path."""
    write_report(frames, tmp_path / name)
    files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
    return {
        path.relative_to(tmp_path / name).as_posix(): path.read_bytes().decode("utf-8")
        for path in files
    }


def database(frames: dict[str, pd.DataFrame]) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    for name, frame in frames.items():
        con.register("incoming", frame)
        con.execute(f"create schema if not exists {name.split('.')[0]}")
        con.execute(f"create table {name} as select * from incoming")
    return con


def page_of(frames: dict[str, pd.DataFrame], wanted: str) -> str:
    """One page in English, without the files of the cities: a page is drawn when it is
    asked for.
    """
    catalogs = {
        "sync": {"measures": [], "years": []},
        "values": {"places": [], "indicators": [], "locations": [], "flags": []},
    }
    with open_source(frames) as con:
        data, catalogs["policy"] = read_report_data(con), read_policy_data(con)
    return next(page for name, page in render_site(data, catalogs, "en") if name == wanted)


def pages_of(site: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in site.items() if name.endswith(".html")}


class Tags(HTMLParser):
    """Start tags with their attributes, and the text a reader sees."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.words: list[str] = []
        self._silent = 0
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._silent += tag in ("script", "style", "pre")

    def handle_endtag(self, tag):
        self._silent -= tag in ("script", "style", "pre")

    def handle_data(self, data):
        if not self._silent:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def handed_over(text: str) -> tuple[str, object]:
    """Name and object of a city's script."""
    name, value = re.fullmatch(
        r'citysync\.put\("([a-z]+/\d+)",(.*)\);\n', text, flags=re.DOTALL
    ).groups()
    return name, json.loads(value)


def inline(page: str, name: str) -> object:
    return json.loads(re.search(rf'id="{name}">(.*?)</script>', page, flags=re.DOTALL).group(1))
