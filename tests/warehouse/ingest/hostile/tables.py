"""Hostile old workbooks, Parquet, Stata and text files: far cells, broken records, claims of sizes,
endless lines.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import struct

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tests.warehouse.ingest.bad_files import CSV, XLSX, zipped
from tests.warehouse.ingest.delivered import HEADER, ROWS
from tests.warehouse.ingest.formats.old_workbook import number_cell, record, text_cell, write_xls
from tests.warehouse.ingest.hostile.workbooks import ANY, LOST, Case, Size, members

STRAY = "stray cells far outside"
TIDY = "tidy/a.parquet"


def good_cells() -> list[bytes]:
    """The rows of the good workbook as records."""
    return [
        number_cell(row, col, cell) if isinstance(cell, int | float) else text_cell(row, col, cell)
        for row, cells in enumerate(ROWS)
        for col, cell in enumerate(cells)
    ]


def xls(*more: bytes, first: bytes = b"") -> dict[str, bytes]:
    """An old workbook of the good rows and other records."""
    return {"panel/a.xls": write_xls("S", [first, *good_cells(), *more])}


def far_record(kind: int, row: int, col: int) -> bytes:
    """A record of a cell at any place."""
    tail = {
        0x0203: struct.pack("<Hd", 0, 1.0),
        0x027E: struct.pack("<HI", 0, 0),
        0x00FD: struct.pack("<HI", 0, 0),
        0x0201: struct.pack("<H", 0),
        0x0204: struct.pack("<HHB", 0, 1, 0) + b"x",
        0x0205: struct.pack("<HBB", 0, 7, 1),
        0x00BD: struct.pack("<HIH", 0, 0, col),
        0x00BE: struct.pack("<HH", 0, col),
        0x0006: struct.pack("<Hd", 0, 1.0) + bytes(8),
        0x00D6: struct.pack("<HHB", 0, 1, 0) + b"x",
    }[kind]
    return record(kind, struct.pack("<HH", row, col) + tail)


def flipped(data: bytes, seed: int, start: int = 0) -> bytes:
    change, changed = random.Random(seed), bytearray(data)
    for _ in range(change.choice((1, 3, 10, 100))):
        changed[change.randrange(start, len(changed))] = change.randrange(256)
    return bytes(changed)


def patched(data: bytes, place: int, value: bytes) -> bytes:
    return data[:place] + value + data[place + len(value) :]


def ole(place: int, *numbers: int) -> dict[str, bytes]:
    """The good old workbook with numbers of its container changed."""
    data = xls()["panel/a.xls"]
    return {"panel/a.xls": patched(data, place, struct.pack(f"<{len(numbers)}I", *numbers))}


def tidy_table(n: int, value: object = 1.0, **more: object) -> pa.Table:
    """Many equal rows of a tidy file."""

    def same(content: object, kind: pa.DataType) -> pa.Array:
        return (
            pa.DictionaryArray.from_arrays(
                pa.array([0]).take(pa.array([0] * min(n, 1))), pa.array([content], kind)
            )
            if n == 1
            else pa.repeat(pa.scalar(content, kind), n)
        )

    columns = {
        "city_id": same("110000", pa.string()),
        "year": same(2015, pa.int32()),
        "indicator_id": same("x", pa.string()),
        "value": same(value, pa.float64()),
    }
    columns |= {name: same(content, pa.string()) for name, content in more.items()}
    return pa.table(columns)


def parquet(table: pa.Table, **options: object) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream, **options)
    return stream.getvalue()


def repeated(n: int, length: int, compression: str = "zstd") -> dict[str, bytes]:
    """One long text as the unit of many rows: kilobytes on the disk."""
    stream = io.BytesIO()
    part = tidy_table(100_000)
    text = pa.DictionaryArray.from_arrays(
        pa.array([0] * 100_000, pa.int32()), pa.array(["x" * length])
    )
    part = part.append_column("unit", text)
    with pq.ParquetWriter(stream, part.schema, compression=compression) as writer:
        for _ in range(n // 100_000):
            writer.write_table(part, row_group_size=100_000)
    return {TIDY: stream.getvalue()}


def zeros(compression: str, n_bytes: int) -> dict[str, bytes]:
    """One value that unpacks to many bytes."""
    table = pa.table(
        {"city_id": ["\0" * n_bytes], "year": [2015], "indicator_id": ["x"], "value": [1.0]}
    )
    return {TIDY: parquet(table, compression=compression, use_dictionary=False)}


def nested(depth: int) -> dict[str, bytes]:
    kind, value = pa.int32(), 1
    for _ in range(depth):
        kind, value = pa.list_(kind), [value]
    return {TIDY: parquet(pa.table({"value": pa.array([value], kind)}))}


def claimed(old: int, new: int) -> dict[str, bytes]:
    """A number of the footer or of a page, as a variable-length integer, made as large as its bytes
    allow.
    """

    def packed(number: int) -> bytes:
        number, out = number << 1, b""
        while number > 127:
            out, number = out + bytes([number & 127 | 128]), number >> 7
        return out + bytes([number])

    data = parquet(tidy_table(70_000), compression="zstd")
    assert packed(old) in data
    assert len(packed(old)) == len(packed(new))
    return {TIDY: data.replace(packed(old), packed(new))}


GOOD_PARQUET = parquet(
    pa.Table.from_pandas(
        pd.DataFrame({name: [row[n] for row in ROWS[1:]] for n, name in enumerate(HEADER)}),
        preserve_index=False,
    )
)


def stata(**options: object) -> bytes:
    stream = io.BytesIO()
    frame = pd.DataFrame({"year": [2015, 2016], "place": ["甲", "乙"], "value": [1.0, 2.0]})
    frame.to_stata(stream, write_index=False, version=118, **options)
    return stream.getvalue()


DTA = stata()


def dta(tag: bytes, value: bytes) -> dict[str, bytes]:
    """A Stata file whose number behind a tag is another."""
    place = DTA.index(tag) + len(tag)
    return {"panel/a.dta": patched(DTA, place, value)}


def tidy_csv(body: bytes) -> dict[str, bytes]:
    return {"tidy/a.csv": b"city_id,year,indicator_id,value\n" + body}


GOOD_ROW = b"110000,2015,x,1\n"
LONG_ROW = b"110000,2015,%s,1\n" % (b"x" * 1_000)

CASES: dict[str, Case] = {
    # old workbooks
    **{
        f"far cell of record {kind:#06x}": (
            lambda kind=kind: xls(far_record(kind, 65_535, 65_535)),
            STRAY,
        )
        for kind in (0x0203, 0x027E, 0x00FD, 0x0201, 0x0204, 0x0205, 0x00BD, 0x00BE, 0x0006, 0x00D6)
    },
    "far row of an old workbook": (lambda: xls(number_cell(65_535, 0, 1.0)), ANY),
    "far column of an old workbook": (lambda: xls(number_cell(0, 65_535, 1.0)), STRAY),
    "a run of blanks to the last column": (
        lambda: xls(record(0x00BE, struct.pack("<HHHH", 65_535, 0, 0, 65_535))),
        ANY,
    ),
    "dimensions lie, huge": (
        lambda: xls(first=record(0x0200, struct.pack("<IIHHH", 0, 0xFFFFFFFF, 0, 0xFFFF, 0))),
        ANY,
    ),
    "dimensions lie, backwards": (
        lambda: xls(first=record(0x0200, struct.pack("<IIHHH", 0xFFFFFFFF, 0, 0xFFFF, 0, 0))),
        ANY,
    ),
    "dimensions lie, 65,536 by 65,535": (
        lambda: xls(first=record(0x0200, struct.pack("<IIHHH", 0, 65_536, 0, 0xFFFF, 0))),
        ANY,
    ),
    "dimensions cut": (lambda: xls(first=record(0x0200, b"\0")), ANY),
    "a record longer than the file": (lambda: xls(struct.pack("<HH", 0x0203, 0xFFFF)), ANY),
    "texts that claim four thousand million": (
        lambda: xls(record(0x00FC, struct.pack("<II", 0xFFFFFFFF, 0xFFFFFFFF))),
        ANY,
    ),
    "a text longer than its record": (
        lambda: xls(record(0x0204, struct.pack("<HHHHB", 5, 0, 0, 0xFFFF, 1) + b"x")),
        ANY,
    ),
    "a million records": (lambda: xls(number_cell(9, 0, 1.0) * 1_000_000), ANY),
    "a million empty records": (lambda: xls(record(0x1234, b"") * 1_000_000), ANY),
    "sector table in a circle": (lambda: ole(512, 0xFFFFFFFD, 1, 2, 2), LOST),
    "directory in a circle": (lambda: ole(516, 1), ANY),
    "directory far away": (lambda: ole(48, 0xFFFFFF), LOST),
    "sector table of millions": (lambda: ole(44, 0x7FFFFFFF), ANY),
    "sector tables of millions": (lambda: ole(68, 3, 0x7FFFFFFF), ANY),
    "sectors of 2^31 bytes": (
        lambda: {"panel/a.xls": patched(xls()["panel/a.xls"], 30, b"\x1f\x00")},
        LOST,
    ),
    "stream of four thousand million bytes": (lambda: ole(1024 + 128 + 120, 0xFFFFFFFF), ANY),
    "sheet that begins behind the end": (
        lambda: {
            "panel/a.xls": xls()["panel/a.xls"].replace(
                struct.pack("<HH", 0x0085, 9), struct.pack("<HH", 0x0085, 9) + b""
            )
        },
        ANY,
    ),
    **{
        f"old workbook cut after {share} %": (
            lambda share=share: {
                "panel/a.xls": (d := xls()["panel/a.xls"])[: len(d) * share // 100]
            },
            LOST,
        )
        for share in (10, 30, 50, 70)
    },
    **{
        f"old workbook changed, {seed}": (
            lambda seed=seed: {"panel/a.xls": flipped(xls()["panel/a.xls"], seed, 8)},
            ANY,
        )
        for seed in range(25)
    },
    # Parquet
    "parquet: a text of 50 kB, a million times": (lambda: repeated(1_000_000, 50_000), LOST),
    "parquet: a text of 5 MB, 100,000 times": (lambda: repeated(100_000, 5_000_000), LOST),
    "parquet: equal rows by the million": (
        lambda: {TIDY: parquet(tidy_table(20 * Size.many))},
        ANY,
    ),
    **{
        f"parquet: one text of many megabytes packed by {kind}": (
            lambda kind=kind: zeros(kind, Size.swollen_bytes),
            ANY,
        )
        for kind in ("zstd", "gzip", "brotli", "snappy", "lz4")
    },
    "parquet: 300 levels": (lambda: nested(300), "nested columns|truncated or damaged"),
    "parquet: 20,000 columns": (
        lambda: {TIDY: parquet(pa.table({f"c{n}": [1] for n in range(20_000)}))},
        LOST,
    ),
    "parquet: columns of one name": (
        lambda: {TIDY: parquet(pa.Table.from_arrays([pa.array([1])] * 50, ["value"] * 50))},
        "a duplicate header|no city_id",
    ),
    "parquet: no rows": (lambda: {TIDY: parquet(tidy_table(2).slice(0, 0)), "panel/a.csv": CSV}, 2),
    "parquet: no columns": (lambda: {TIDY: parquet(pa.table({}))}, LOST),
    "parquet: other rows than it says": (lambda: claimed(70_000, 1_000_000), ANY),
    "parquet: fewer rows than there are": (lambda: claimed(70_000, 20_000), ANY),
    "parquet: a name of a megabyte": (
        lambda: {TIDY: parquet(tidy_table(2).append_column("x" * 1_000_000, pa.array([1, 2])))},
        ANY,
    ),
    "parquet: pieces of metadata by the megabyte": (
        lambda: {TIDY: parquet(tidy_table(2).replace_schema_metadata({"a": "x" * 20_000_000}))},
        ANY,
    ),
    "parquet: a footer of its own": (
        lambda: {TIDY: b"PAR1" + bytes(100) + struct.pack("<I", 90) + b"PAR1"},
        "truncated or damaged",
    ),
    "parquet: a footer longer than the file": (
        lambda: {TIDY: b"PAR1" + bytes(100) + struct.pack("<I", 0x7FFFFFFF) + b"PAR1"},
        "truncated or damaged",
    ),
    "parquet: lists in a footer without end": (
        lambda: {
            TIDY: b"PAR1"
            + (f := b"\x15\x04\x19\xfc" + b"\xff\xff\xff\xff\x07" + bytes(200))
            + struct.pack("<I", len(f))
            + b"PAR1"
        },
        "truncated or damaged",
    ),
    "parquet: structures in structures": (
        lambda: {TIDY: b"PAR1" + (f := b"\x1c" * 1_000_000) + struct.pack("<I", len(f)) + b"PAR1"},
        "truncated or damaged",
    ),
    "parquet: encrypted footer": (
        lambda: {TIDY: b"PAR1" + bytes(100) + struct.pack("<I", 90) + b"PARE"},
        LOST,
    ),
    **{
        f"parquet changed, {seed}": (
            lambda seed=seed: {"panel/a.parquet": flipped(GOOD_PARQUET, seed, 4)},
            ANY,
        )
        for seed in range(25)
    },
    # Stata
    "stata: 10^9 rows": (lambda: dta(b"<N>", struct.pack("<Q", 10**9)), LOST),
    "stata: 2^63 rows": (lambda: dta(b"<N>", struct.pack("<Q", 1 << 63)), LOST),
    "stata: 65,535 variables": (lambda: dta(b"<K>", struct.pack("<H", 65_535)), LOST),
    "stata: a map to nowhere": (lambda: dta(b"<map>", struct.pack("<14Q", *[1 << 40] * 14)), LOST),
    "stata: old format of a made-up version": (
        lambda: {"panel/a.dta": b"\x69\x01" + bytes(2_000)},
        LOST,
    ),
    **{
        f"stata changed, {seed}": (lambda seed=seed: {"panel/a.dta": flipped(DTA, seed, 11)}, ANY)
        for seed in range(10)
    },
    # text files
    "csv: a line of 40 MB": (lambda: tidy_csv(b"1," * 20_000_000), "lines of at most"),
    "csv: a row of 20,000 cells far down": (
        lambda: tidy_csv(LONG_ROW * 9_000 + b"1," * 20_000 + b"\n"),
        "at most 5,000 columns",
    ),
    "csv: a row of 20,000 cells": (
        lambda: tidy_csv(b"1," * 20_000 + b"\n"),
        "at most 5,000 columns",
    ),
    "csv: a quotation of 10 MB": (
        lambda: tidy_csv(b'"' + b"x\n" * 5_000_000),
        "broken quotation or field",
    ),
    "csv: an open quotation far down": (
        lambda: tidy_csv(LONG_ROW * 9_000 + b'"1,2\n3\n'),
        "broken quotation",
    ),
    "csv: a record over many lines": (lambda: tidy_csv(b'"\n",' * 4_000_000 + b"\n"), LOST),
    "csv: a last record broken off far down": (
        lambda: tidy_csv(LONG_ROW * 9_000 + b"110000,20"),
        "broken off",
    ),
    "csv: a NUL far down": (
        lambda: tidy_csv(LONG_ROW * 9_000 + b"110000,\x00,x,1\n"),
        "a NUL character",
    ),
    "csv: another encoding far down": (
        lambda: tidy_csv("110000,2015,甲,1\n".encode() * 500_000 + b"\xff\xff\n"),
        "bytes that do not fit",
    ),
    "csv: many rows": (lambda: tidy_csv(GOOD_ROW * 6 * Size.many), ANY),
    "csv: a field too long far down": (
        lambda: tidy_csv(LONG_ROW * 9_000 + b"1" * 2_000_000 + b",2015,x,1\n"),
        "broken quotation or field",
    ),
    "csv: lines ended by returns only": (
        lambda: (
            tidy_csv(b"").copy()
            | {
                "tidy/a.csv": (b"city_id,year,indicator_id,value\n" + GOOD_ROW * 3).replace(
                    b"\n", b"\r"
                )
            }
        ),
        3,
    ),
    "csv: blank lines by the million": (lambda: tidy_csv(b"\n" * 20 * Size.many + GOOD_ROW), 1),
    "csv: separators only": (lambda: {"panel/a.csv": (b"," * 4_000 + b"\n") * 3_000}, LOST),
    "csv: 12 MB through a layout": (
        lambda: {"panel/a.csv": CSV + "2017,省,市,1,5\n".encode() * 600_000},
        600_002,
    ),
    "csv: a header of 5,000 marks": (
        lambda: tidy_csv(b"").copy() | {"tidy/a.csv": b"\xef\xbb\xbf" * 5_000 + b"city_id\n"},
        LOST,
    ),
    "csv: quotation marks only": (
        lambda: tidy_csv(b'"' * 9_000_001),
        "broken quotation or field|lines of at most",
    ),
    "csv: bytes of every value": (lambda: {"tidy/a.csv": bytes(range(1, 256)) * 40_000}, LOST),
}


OFFICE = "urn:oasis:names:tc:opendocument:xmlns"
OTHER_FORMAT = "another format than its name says"


def open_document(extra: dict[str, bytes] | None = None) -> bytes:
    """An OpenDocument table of one cell, repeated to the last row and column; parsers find its
    format by what is in the archive.
    """
    cell = (
        '<table:table-cell office:value-type="float" office:value="1" '
        'table:number-columns-repeated="16384"/>'
    )
    row = f'<table:table-row table:number-rows-repeated="1048576">{cell}</table:table-row>'
    table = (
        "<office:body><office:spreadsheet><table:table "
        f'table:name="S">{row}</table:table></office:spreadsheet></office:body>'
    )
    names = f'xmlns:office="{OFFICE}:office:1.0" xmlns:table="{OFFICE}:table:1.0"'
    content = f"<office:document-content {names}>{table}</office:document-content>".encode()
    kind = b"application/vnd.oasis.opendocument.spreadsheet"
    return zipped(
        {"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": b"<m/>"} | (extra or {})
    )


CASES |= {
    "open document under Excel's name": (
        lambda: {"panel/a.xlsx": open_document()},
        "without xl/workbook.xml",
    ),
    "open document and workbook in one": (lambda: {"panel/a.xlsx": open_document(members())}, 2),
    "binary workbook beside the other": (
        lambda: {"panel/a.xlsx": zipped(members() | {"xl/workbook.bin": bytes(100)})},
        2,
    ),
    "new workbook under the old name": (lambda: {"panel/a.xls": XLSX}, OTHER_FORMAT),
    "new workbook as Parquet": (lambda: {"tidy/a.parquet": XLSX}, OTHER_FORMAT),
    "new workbook as csv": (lambda: {"panel/a.csv": XLSX}, OTHER_FORMAT),
    "csv: packed by gzip": (lambda: {"panel/a.csv": gzip.compress(CSV)}, OTHER_FORMAT),
    "csv: packed by bzip2": (lambda: {"panel/a.csv": bz2.compress(CSV)}, OTHER_FORMAT),
    "csv: packed by xz": (lambda: {"panel/a.csv": lzma.compress(CSV)}, OTHER_FORMAT),
    "csv: zeros packed by gzip": (
        lambda: {"tidy/a.csv": gzip.compress(bytes(Size.swollen_bytes))},
        OTHER_FORMAT,
    ),
    "csv: UTF-16, cut in half a sign": (
        lambda: {"panel/a.csv": CSV.decode("utf-8-sig").encode("utf-16")[:-1]},
        "text in utf-16; found bytes",
    ),
    "csv: UTF-32": (
        lambda: {"panel/a.csv": CSV.decode("utf-8-sig").encode("utf-32")},
        "found UTF-32",
    ),
    "csv: Parquet by another name": (
        lambda: {"tidy/a.csv": b"PAR1" + bytes(100) + b"PAR1"},
        OTHER_FORMAT,
    ),
    "stata: packed by gzip": (lambda: {"panel/a.dta": gzip.compress(b"<stata_dta>")}, OTHER_FORMAT),
    "parquet: packed by gzip": (
        lambda: {"tidy/a.parquet": gzip.compress(GOOD_PARQUET)},
        OTHER_FORMAT,
    ),
}
