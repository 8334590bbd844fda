"""Read every case of the corpus in one process, one after the other, and print what came of each as JSON."""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

from tests.warehouse.ingest.bad_files import CSV
from tests.warehouse.ingest.delivered import deliver, read
from tests.warehouse.ingest.hostile import tables, texts, workbooks
from warehouse.ingest.errors import LandingError
from warehouse.ingest.workers import limits
from warehouse.ingest.workers.pool import close_readers

CASES = workbooks.CASES | tables.CASES | texts.CASES


def run_case(name: str, home: Path) -> dict[str, object]:
    """Read one delivery beside a good policy text or table; what came of it, seconds, processor time, and the largest file."""
    files = CASES[name][0]()
    landing = deliver(home / "landing", files)
    is_text = name in texts.CASES
    if is_text:
        deliver(landing, {"panel/good.csv": CSV})
    started, used = time.perf_counter(), cpu_seconds()
    try:
        report = read(landing, home)
        notes = [note for note in report.files["note"] if note]
        result: dict[str, object] = {"values": int(report.files["n_observations"].sum()) - 2 * is_text, "notes": notes}
    except LandingError as error:
        result = {"fault": str(error)}
    seconds = time.perf_counter() - started
    close_readers()
    return result | {
        "seconds": round(seconds, 2), "cpu_seconds": round(cpu_seconds() - used, 2), "bytes": max(map(len, files.values())),
        "peak_bytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024,
    }  # fmt: skip


def cpu_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def main() -> None:
    """Cases by number: ``first::step`` of the sorted names, or all; in full with CITYSYNC_LONG=1, else with less time for each file."""
    is_long = os.environ.get("CITYSYNC_LONG") == "1"
    if is_long:
        texts.HTML_BYTES = 19 * texts.MEGABYTE
    else:
        limits.SECONDS = 4
    names = [name for name in CASES if not sys.argv[1:] or any(word in name for word in sys.argv[1:])]
    outcomes = {}
    for name in names:
        with tempfile.TemporaryDirectory() as home:
            outcomes[name] = run_case(name, Path(home))
        print(json.dumps({name: outcomes[name]}, ensure_ascii=False)[:700], file=sys.stderr, flush=True)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"outcomes": outcomes, "own_bytes": own}))


if __name__ == "__main__":
    main()
