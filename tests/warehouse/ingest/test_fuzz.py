"""Whatever the bytes of a file are, reading it ends in a table or in a fault that the reader
foresaw.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.warehouse.ingest.bad_files import CSV, XLSX, zipped
from tests.warehouse.ingest.delivered import LAYOUT_YAML
from tests.warehouse.ingest.hostile_files import DTA, GOOD_PARQUET, members, xls
from tests.warehouse.ingest.hostile_texts import CHINESE, docx, word
from tests.warehouse.ingest.policy.small_pdf import text_pdf
from warehouse.ingest.delivered_files import tables_of
from warehouse.ingest.layouts import parse_layout
from warehouse.ingest.raw_table import FileOrigin
from warehouse.ingest.workers.jobs import PolicyJob, RawJob
from warehouse.ingest.workers.limits import Limits
from warehouse.ingest.workers.pool import Pool, Task

#: Changes that once ended otherwise than in a fault or a table; every test run tries them again.
CORPUS = json.loads(Path(__file__).with_name("fuzz_corpus.json").read_text(encoding="utf-8"))
LAYOUT = parse_layout(LAYOUT_YAML.replace('"*.csv"', '"*.csv", "*.xls"'), "panel.yml")
SEEDS = {
    "xlsx": XLSX,
    "xls": xls()["panel/a.xls"],
    "csv": CSV,
    "tidy.csv": b"city_id,year,indicator_id,value,unit\n" + b"110000,2015,x,1.5,\n" * 5,
    "parquet": GOOD_PARQUET,
    "dta": DTA,
    "html": (
        f"<html><head><title>{CHINESE}</title></head><body><!-- a "
        f"--><p>{CHINESE}&amp;</p><script>x</script></body></html>"
    ).encode(),
    "txt": (CHINESE + "\n").encode() * 5,
    "docx": docx(word(CHINESE))["policy_texts/a.docx"],
    "pdf": text_pdf(CHINESE),
}
# members of archives are changed before they are packed: a changed packed byte never gets past the
# check sum
PACKED = {"xlsx": members(), "docx": {"word/document.xml": word(CHINESE)}}
WORDS = (
    *(b"<", b">", b"/", b'"', b"'", b"&", b"\x00", b"\xff\xff\xff\xff", b"\n", b",", b"<<", b"["),
    *(b"<c r='A9'>", b"<!--", b"]]>", b"999999999999", b"-1", b"obj"),
)
Change = tuple[str, int, int, bytes]
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(("set", "insert", "cut", "repeat")),
        st.integers(0, 1 << 20),
        st.integers(1, 200),
        st.one_of(st.sampled_from(WORDS), st.binary(min_size=1, max_size=4)),
    ),
    min_size=1,
    max_size=6,
)


def changed(data: bytes, changes: Iterable[Change]) -> bytes:
    """A file with its bytes changed: replaced, put in between, cut out, or repeated."""
    for kind, place, length, piece in changes:
        at = place % (len(data) + 1)
        head, part, tail = data[:at], data[at : at + length], data[at + length :]
        data = {
            "set": head + piece + data[at + len(piece) :],
            "insert": head + piece + part + tail,
            "cut": head + tail,
            "repeat": head + part * 50 + tail,
        }[kind]
    return data


def task(kind: str, changes: Iterable[Change], member: int | None, target: Path) -> Task:
    """The reading of a changed file; of an archive one member (by its number) is changed or, with
    None, the packed bytes.
    """
    data, name = changed(SEEDS[kind], changes), f"a.{kind.rpartition('.')[2]}"
    if kind in PACKED and member is not None:
        parts = PACKED[kind]
        chosen = sorted(parts)[member % len(parts)]
        data = zipped(parts | {chosen: changed(parts[chosen], changes)})
    delivered = target.with_name(f"delivered_{name}")
    delivered.write_bytes(data)
    if kind in ("html", "txt", "docx", "pdf"):
        job = PolicyJob(str(delivered), FileOrigin("policy_texts", None, name), str(target))
    else:
        source = "tidy" if kind.startswith("tidy") else "panel"
        tables = [] if source == "tidy" else tables_of(LAYOUT, name)
        job = RawJob(str(delivered), FileOrigin(source, None, name), tables, str(target))
    return Task(job, Limits(600_000_000, 10))


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    pool = Pool(1)
    yield pool
    pool.close()


def require_foreseen(pool: Pool, target: Path, kind: str, changes, member) -> bool:
    """Read a changed file; whether it became a table."""
    ((_, outcome),) = pool.run([task(kind, changes, member, target)])
    target.unlink(missing_ok=True)
    kept = [[k, place, length, piece.hex()] for k, place, length, piece in changes]
    assert not outcome.is_unforeseen, (
        f"{outcome.fault}\nadd to fuzz_corpus.json: "
        f"{json.dumps({'kind': kind, 'changes': kept, 'member': member})}"
    )
    return not outcome.fault


def test_good_files_are_read_and_what_once_went_wrong_is_foreseen(pool, tmp_path):
    read = {kind: require_foreseen(pool, tmp_path / "a.parquet", kind, [], None) for kind in SEEDS}
    assert [kind for kind in read if not read[kind]] == ["dta"]
    for entry in CORPUS:
        changes = [(k, place, length, bytes.fromhex(p)) for k, place, length, p in entry["changes"]]
        require_foreseen(pool, tmp_path / "a.parquet", entry["kind"], changes, entry["member"])


@pytest.mark.full
@pytest.mark.parametrize("kind", SEEDS)
def test_a_changed_file_ends_in_a_table_or_a_foreseen_fault(pool, tmp_path, kind):
    @settings(max_examples=5_000, suppress_health_check=list(HealthCheck))
    @given(CHANGES, st.one_of(st.none(), st.integers(0, 20)))
    def try_out(changes, member):
        require_foreseen(pool, tmp_path / "a.parquet", kind, changes, member)

    try_out()
