"""Speed and memory of the policy texts: files to clauses to tools, as a refresh does it. One JSON
line.

`python -m benchmarks.policy_speed --documents 10000 --characters 5000`
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.policy_texts import generate_texts
from estimation.classify import find_lexicon
from estimation.measures.policy_tools import read_lexicon
from warehouse.ingest.landing import read_source
from warehouse.ingest.workers.pool import close_readers

PROCESSES = 2


def bench_policy_texts(n_documents: int, n_characters: int, folder: Path) -> dict[str, Any]:
    """Write made-up texts (not timed), then split them into Parquet on two processes and classify
    all clauses on two threads.
    """
    texts, raw = folder / "landing" / "policy_texts", folder / "raw"
    texts.mkdir(parents=True)
    raw.mkdir()
    for number, text in enumerate(generate_texts(n_documents, n_characters)):
        (texts / f"{number:06d}.txt").write_bytes(text)
    start, cpu = time.perf_counter(), _cpu_seconds()
    made = read_source(folder / "landing", raw, "policy_texts", layouts={}).n_files
    close_readers()
    split = time.perf_counter() - start
    n_clauses, n_labelled = _classify(folder)
    seconds = time.perf_counter() - start
    own, children = (
        resource.getrusage(who).ru_maxrss / 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return {
        "name": "policy_texts",
        "documents": made,
        "characters": n_characters,
        "clauses": n_clauses,
        "labelled": n_labelled,
        "seconds": round(seconds, 1),
        "seconds_split": round(split, 1),
        "seconds_classify": round(seconds - split, 1),
        "seconds_cpu": round(_cpu_seconds() - cpu, 1),
        # an upper bound: every process at its own peak at the same time
        "peak_mb": round(own + PROCESSES * children, 1),
    }


def _cpu_seconds() -> float:
    """Processor time of this process and of those it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _classify(folder: Path) -> tuple[int, int]:
    """Clauses and those with a tool, by the rules of the warehouse."""
    lexicon = read_lexicon(find_lexicon())
    with duckdb.connect(str(folder / "bench.duckdb"), config={"threads": PROCESSES}) as con:
        con.execute(
            """
            create table clauses as
            select
                cast(row_number() over (order by document_id, item['clause_no']) as integer) as
                    clause_key,
                item['clause_text'] as clause_text
            from (select document_id, unnest(clauses) as item from read_parquet($path))
            """,
            {"path": str(folder / "raw" / "*.parquet")},
        )
        texts = con.sql("select clause_text from clauses").arrow()
        tools = [lexicon.tool_of(text.as_py()).tool for part in texts for text in part.column(0)]
    return len(tools), sum(tool != "none" for tool in tools)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--characters", type=int, default=5_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(
            json.dumps(bench_policy_texts(asked.documents, asked.characters, Path(folder))),
            flush=True,
        )


if __name__ == "__main__":
    main()
