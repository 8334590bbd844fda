"""Turn a policy text file into one row of one Parquet file: its metadata, its clauses with their
places, and a sketch to find copies.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa

from warehouse.hashing import hash_bytes
from warehouse.ingest.policy.clauses import joined_titles, split_clauses
from warehouse.ingest.policy.cleaning import clean_text
from warehouse.ingest.policy.files import BROKEN, HANZI_RUN, read_policy_text
from warehouse.ingest.policy.metadata import read_metadata
from warehouse.ingest.policy.schema import POLICY_SCHEMA
from warehouse.ingest.raw_parquet import Counts, write_parts
from warehouse.ingest.raw_table import FileOrigin
from warehouse.ingest.unchanged_files import open_delivered

SHINGLE_LENGTH = 8
SKETCH_SHARE = 16
_MASKED = re.compile(r"(?<=[\u4e00-\u9fff])[*×□]{1,3}|[*□]{1,3}(?=[\u4e00-\u9fff])")


def build_policy_document(data: bytes, origin: FileOrigin) -> pa.Table:
    """Return one row of `POLICY_SCHEMA` for a policy text file.

    `document_id` is the file's path inside its source; `text_hash` is equal for texts with the same
    Chinese characters; `sketch` holds the hashes of about one in 16 runs of 8 Chinese characters,
    so that the share of common hashes estimates the share of common text (Broder 1997).

    Raises
    ------
    FileFault
        The file cannot be read as a Chinese policy text; says what was expected, found and is to be
        done.
    """
    found = read_policy_text(data, origin.file_name)
    mapped = joined_titles(
        clean_text(found, is_markdown=PurePosixPath(origin.file_name).suffix.lower() == ".md")
    )
    clauses = split_clauses(mapped, found)
    said = [one["clause_text"] for one in clauses if one["clause_kind"] != "note"]
    hanzi = "".join(HANZI_RUN.findall("".join(said)))
    row = {
        "document_id": origin.file_name,
        "file_name": origin.file_name,
        "edition_year": origin.edition_year,
        **read_metadata(mapped.text),
        "n_characters": len(mapped.text),
        "n_masked": len(_MASKED.findall(mapped.text))
        if any(sign in mapped.text for sign in "*×□")
        else 0,
        "n_broken": found.count(BROKEN),
        "text_hash": hash_bytes(hanzi.encode())[:32],
        "sketch": build_sketch(hanzi),
        "clauses": clauses,
    }
    return pa.Table.from_pylist([row], schema=POLICY_SCHEMA)


def write_policy_text(location: Path, origin: FileOrigin, target: Path) -> Counts:
    """Read a policy text and write its one row.

    Returns
    -------
    dict
        The number of clauses, as rows without a reason.

    Raises
    ------
    FileFault
        It cannot be read as a Chinese policy text.
    OSError
        The Parquet file cannot be written.
    """
    with open_delivered(location) as stream:
        table = build_policy_document(stream.read(), origin)
    n_clauses = len(table.column("clauses")[0])
    return write_parts([table], POLICY_SCHEMA, target, lambda _: {None: n_clauses})


def build_sketch(hanzi: str) -> np.ndarray:
    """Sorted distinct hashes of about one in 16 runs of 8 characters, chosen by the hash itself;
    shape (n,), dtype uint64.
    """
    codes = np.frombuffer(hanzi.encode("utf-32-le"), np.uint32).astype(np.uint64)
    n = len(codes) - SHINGLE_LENGTH + 1
    if n < 1:
        return np.empty(0, np.uint64)
    hashes = np.zeros(n, np.uint64)
    for k in range(SHINGLE_LENGTH):
        hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + codes[k : k + n]
    # last mixing steps of splitmix64: the low bits then depend on every character
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes ^= hashes >> np.uint64(31)
    # a power of two: its last bits say what a division would, in a third of the time
    return np.unique(hashes[hashes & np.uint64(SKETCH_SHARE - 1) == 0])
