"""The site of fabricated tables as text by path, one page of it, and what a reader of its html
sees; for the tests of the report.
"""

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import lxml.etree
import lxml.html
import pandas as pd

from estimation.report.data import read_report_data
from estimation.report.site import render_site, write_report


def site_of(tables, tmp_path, name: str = "report") -> dict[str, str]:
    """Text of every file of the site, by its path, from frames or a connection."""
    write_report(database(tables) if isinstance(tables, dict) else tables, tmp_path / name)
    files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
    return {
        path.relative_to(tmp_path / name).as_posix(): path.read_bytes().decode("utf-8")
        for path in files
    }


def database(
    frames: dict[str, pd.DataFrame], path: str | Path = ":memory:"
) -> duckdb.DuckDBPyConnection:
    """Frames as tables by `schema.table`, in memory or in a file."""
    con = duckdb.connect(path)
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
    made = render_site(read_report_data(database(frames)), catalogs, "en")
    return next(page for name, page in made if name == wanted)


def pages_of(site: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in site.items() if name.endswith(".html")}


class Tags:
    """Start tags with their attributes, and the text a reader sees."""

    def __init__(self, page: str) -> None:
        tree = lxml.html.document_fromstring(page)
        self.tags = [(node.tag, dict(node.attrib)) for node in tree.iter(lxml.etree.Element)]
        for silent in tree.xpath("//script | //style | //pre"):
            silent.drop_tree()
        self.text = " ".join(" ".join(tree.itertext()).split())


def handed_over(text: str) -> tuple[str, object]:
    """Name and object of a script of data."""
    name, value = re.fullmatch(
        r'citysync\.put\("([a-z/\d]+)",(.*)\);\n', text, flags=re.DOTALL
    ).groups()
    return name, json.loads(value)


def data_of(site: dict[str, str], page: str) -> dict[str, Any]:
    """What the scripts of a page get, by ``<slug>_<language>``."""
    return handed_over(site[f"data/pages/{page}.js"])[1]
