"""Good files of every format, and changes to their bytes, for the property-based tests; and the
changes that are kept from them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from hypothesis import strategies as st

from tests.warehouse.ingest.bad_files import CSV, XLSX
from tests.warehouse.ingest.delivered import LAYOUT_YAML
from tests.warehouse.ingest.hostile.tables import DTA, GOOD_PARQUET, xls
from tests.warehouse.ingest.hostile.texts import CHINESE, docx, paragraph, word
from tests.warehouse.ingest.hostile.workbooks import members, zipped
from tests.warehouse.ingest.policy.small_pdf import text_pdf
from warehouse.ingest.delivered_files import tables_of
from warehouse.ingest.layouts import parse_layout
from warehouse.ingest.raw_table import FileOrigin
from warehouse.ingest.workers.jobs import PolicyJob, RawJob, plain
from warehouse.ingest.workers.limits import Limits
from warehouse.ingest.workers.pool import Task

#: Changes that once ended otherwise than in a fault or a table; every test run tries them again.
CORPUS = Path(__file__).with_name("fuzz_corpus.json")
TIDY = b"city_id,year,indicator_id,value,unit\n" + b"110000,2015,x,1.5,\n" * 5
PAGE = (
    f"<html><head><title>{CHINESE}</title></head><body><!-- a "
    f"--><p>{CHINESE}&amp;</p><script>x</script></body></html>"
).encode()
SEEDS = {
    "xlsx": XLSX,
    "xls": xls()["panel/a.xls"],
    "csv": CSV,
    "tidy.csv": TIDY,
    "parquet": GOOD_PARQUET,
    "dta": DTA,
    "html": PAGE,
    "txt": (CHINESE + "\n").encode() * 5,
    "docx": docx(word(paragraph(CHINESE)).encode())["policy_texts/a.docx"],
    "pdf": text_pdf(CHINESE),
}
POLICY = ("html", "txt", "docx", "pdf")
# members of archives are changed before they are packed: a changed packed byte never gets past the
# check sum
PACKED = {"xlsx": members(), "docx": {"word/document.xml": word(paragraph(CHINESE)).encode()}}
LIMITS = Limits(600_000_000, 10, 60)
Change = tuple[str, int, int, bytes]
WORDS = (
    b"<",
    b">",
    b"/",
    b'"',
    b"'",
    b"&",
    b"\x00",
    b"\xff\xff\xff\xff",
    b"\n",
    b",",
    b"<c r='A9'>",
    b"<!--",
    b"]]>",
    b"999999999999",
    b"-1",
    b"<<",
    b"[",
    b"obj",
)

change = st.tuples(
    st.sampled_from(("set", "insert", "cut", "repeat")),
    st.integers(0, 1 << 20),
    st.integers(1, 200),
    st.one_of(st.sampled_from(WORDS), st.binary(min_size=1, max_size=4)),
)


def changed(data: bytes, changes: Iterable[Change]) -> bytes:
    """A file with its bytes changed: replaced, put in between, cut out, or repeated."""
    for kind, place, length, piece in changes:
        at = place % (len(data) + 1)
        if kind == "set":
            data = data[:at] + piece + data[at + len(piece) :]
        elif kind == "insert":
            data = data[:at] + piece + data[at:]
        elif kind == "cut":
            data = data[:at] + data[at + length :]
        else:
            data = data[:at] + data[at : at + length] * 50 + data[at + length :]
    return data


def hostile(kind: str, changes: Iterable[Change], member: int | None) -> bytes:
    """A changed file; of an archive one member (by its number) or, with None, the packed bytes."""
    if kind not in PACKED or member is None:
        return changed(SEEDS[kind], changes)
    parts = PACKED[kind]
    name = sorted(parts)[member % len(parts)]
    return zipped(parts | {name: changed(parts[name], changes)})


@cache
def _tables(name: str) -> list:
    layout = parse_layout(LAYOUT_YAML.replace('"*.csv"', '"*.csv", "*.xls"'), "panel.yml")
    return plain(tables_of(layout, name))


def task(kind: str, data: bytes, target: Path) -> Task:
    """The reading of a changed file."""
    name = f"a.{kind.rpartition('.')[2]}"
    if kind in POLICY:
        return Task(
            PolicyJob(data, FileOrigin("policy_texts", None, name), str(target)),
            LIMITS,
        )
    source = "tidy" if kind.startswith("tidy") else "panel"
    return Task(
        RawJob(
            data,
            FileOrigin(source, None, name),
            [] if source == "tidy" else _tables(name),
            str(target),
        ),
        LIMITS,
    )


def kept() -> list[tuple[str, list[Change], int | None]]:
    """Kind, changes and member of each entry of the corpus."""
    entries = json.loads(CORPUS.read_text(encoding="utf-8"))
    return [
        (
            entry["kind"],
            [
                (kind, place, length, bytes.fromhex(piece))
                for kind, place, length, piece in entry["changes"]
            ],
            entry["member"],
        )
        for entry in entries
    ]


def keep(kind: str, changes: Iterable[Change], member: int | None) -> str:
    """The line to add to the corpus."""
    return json.dumps(
        {
            "kind": kind,
            "changes": [[k, place, length, piece.hex()] for k, place, length, piece in changes],
            "member": member,
        }
    )
