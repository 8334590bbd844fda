"""The public copy, served over HTTP on this machine as a static host does: ranges, compression of
pages, nothing of a source that may not be passed on.
"""

from __future__ import annotations

import csv
import gzip
import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from fsspec.spec import AbstractBufferedFile, AbstractFileSystem

from orchestration.commands.public import public, write_public
from tests.orchestration.conftest import Run, SixCities
from warehouse.errors import Refused


class Host(SimpleHTTPRequestHandler):
    """A static host: ranges of files, pages compressed for whoever takes them so."""

    sent: dict[str, int]

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        body, span = path.read_bytes(), self.headers.get("Range", "")
        code, more = 200, {"Accept-Ranges": "bytes"}
        if span.startswith("bytes="):
            first, last = (int(end) for end in span.removeprefix("bytes=").split("-"))
            more["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
            code, body = 206, body[first : last + 1]
        elif path.suffix == ".html" and "gzip" in self.headers.get("Accept-Encoding", ""):
            body, more["Content-Encoding"] = gzip.compress(body), "gzip"
        self.send_response(code)
        for name, value in (more | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.sent[self.path] = self.sent.get(self.path, 0) + len(body)
            self.wfile.write(body)


class Ranged(AbstractFileSystem):
    """Files of the host by ranges, for DuckDB without its own extension, which no test may load
    from the network.
    """

    protocol = "ranged"

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path

    def info(self, path: str, **_: object) -> dict[str, Any]:
        asked = urllib.request.Request(path.replace("ranged:", "http:"), method="HEAD")
        try:
            with urllib.request.urlopen(asked) as answer:
                return {"name": path, "size": int(answer.headers["Content-Length"]), "type": "file"}
        except urllib.error.HTTPError as error:
            raise FileNotFoundError(path) from error

    def modified(self, path: str) -> datetime:
        return datetime(2026, 1, 1)

    def _open(self, path: str, mode: str = "rb", **_: object) -> AbstractBufferedFile:
        return RangedFile(self, path, mode, block_size=2**16, cache_type="bytes")


class RangedFile(AbstractBufferedFile):
    def _fetch_range(self, start: int, end: int) -> bytes:
        headers = {"Range": f"bytes={start}-{end - 1}"}
        asked = urllib.request.Request(self.path.replace("ranged:", "http:"), headers=headers)
        with urllib.request.urlopen(asked) as answer:
            return answer.read()


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, dict[str, int]]]:
    sent: dict[str, int] = {}
    handler = type("Of", (Host,), {"sent": sent})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", sent
    finally:
        server.shutdown()


@pytest.fixture(scope="module")
def whole(simulated: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("public") / "o'ut"
    assert write_public((simulated.home / "published").resolve(), folder) == 0
    return folder


def test_the_database_is_attached_and_one_table_read_without_the_rest(whole: Path) -> None:
    """From DuckDB and from pandas, over HTTP, by ranges."""
    answer = "select estimate from {}estimates.primary where spec_id like '%official.newest'"
    with served(whole) as (host, sent), duckdb.connect() as con:
        con.register_filesystem(Ranged())
        con.execute(f"attach '{host.replace('http', 'ranged')}/citysync.duckdb' as far (read_only)")
        far = con.execute(answer.format("far.")).fetchone()
        assert sent["/citysync.duckdb"] < (whole / "citysync.duckdb").stat().st_size / 4
        found = pd.read_parquet(f"{host}/parquet/estimates/primary.parquet")
        assert set(sent) == {"/citysync.duckdb", "/parquet/estimates/primary.parquet"}
    with duckdb.connect(whole / "citysync.duckdb", read_only=True) as con:
        assert con.execute(answer.format("")).fetchone() == far
    assert far[0] in set(found["estimate"])


def test_a_page_opens_compressed_and_every_table_is_described(whole: Path) -> None:
    with served(whole) as (host, _):
        asked = urllib.request.Request(
            f"{host}/report/index.html", headers={"Accept-Encoding": "gzip"}
        )
        with urllib.request.urlopen(asked) as answer:
            page = gzip.decompress(answer.read()).decode("utf-8")
    assert 'id="answer"' in page
    package = json.loads((whole / "datapackage.json").read_text(encoding="utf-8"))
    described = {resource["path"] for resource in package["resources"]}
    files = {path.relative_to(whole).as_posix() for path in whole.rglob("*.parquet")}
    assert described == {path for path in files if path.startswith("parquet/")}
    assert {"licenses", "sources", "contributors"} <= set(package)
    assert all(
        field["type"] for resource in package["resources"] for field in resource["schema"]["fields"]
    )


def test_no_value_of_a_source_without_a_licence_leaves(six: SixCities, tmp_path: Path) -> None:
    """In the database, the Parquet files, the pages and their files; what is missing is listed."""
    published = (six.run.home / "published").resolve()
    with duckdb.connect(published / "citysync.duckdb", read_only=True) as con:
        values = con.execute(
            "select distinct raw_text from marts.fct_indicator_observation"
        ).fetchall()
    secrets = {text for (text,) in values if len(text) > 8}
    assert len(secrets) > 20
    out = tmp_path / "out"
    assert write_public(published, out) > 3
    rows = list(csv.DictReader((out / "left_out.csv").read_text(encoding="utf-8").splitlines()))
    assert "marts.fct_city_year" in {row["table"] for row in rows}
    with duckdb.connect(out / "citysync.duckdb", read_only=True) as con:
        left = "select count(*) from marts.fct_indicator_observation"
        assert con.execute(left).fetchone() == (0,)
    for path in out.rglob("*"):
        if path.suffix in {".html", ".js", ".csv", ".json", ".md", ".txt"}:
            text = path.read_text(encoding="utf-8")
            assert not [secret for secret in secrets if secret in text], path
    with pytest.raises(Refused, match="expected no folder"):
        (tmp_path / "other").mkdir()
        (tmp_path / "other/file").touch()
        public(str(tmp_path / "other"))
