"""Read every case of the corpus in one process, one after the other, and print what came of each as
JSON.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
from pathlib import Path

from tests.processes import cpu_seconds
from tests.warehouse.ingest.bad_files import CSV
from tests.warehouse.ingest.delivered import LAYOUT_YAML, deliver, layouts, read
from tests.warehouse.ingest.hostile import tables, texts, variants, workbooks
from tests.warehouse.ingest.hostile.workbooks import Size
from warehouse.ingest.errors import LandingError
from warehouse.ingest.layouts import parse_layout
from warehouse.ingest.workers import limits
from warehouse.ingest.workers.pool import close_readers, shared_pool

TEXTS = texts.CASES | variants.TEXTS
CASES = workbooks.CASES | tables.CASES | variants.TABLES | TEXTS


LAYOUTS = layouts() | {
    "panel": parse_layout(LAYOUT_YAML.replace('"*.csv"', '"*.csv", "*.xls"'), "panel.yml")
}


def run_case(name: str, home: Path) -> dict[str, object]:
    """Read one delivery, a policy text beside a good table; what came of it, seconds of processor
    time, and the largest file.
    """
    files = CASES[name][0]()
    landing = deliver(home / "landing", files)
    is_text = name in TEXTS
    if is_text:
        deliver(landing, {"panel/good.csv": CSV})
    before = cpu_seconds(os.getpid())
    try:
        report = read(landing, home, layouts=LAYOUTS)
        notes = [note for note in report.files["note"].tolist() if isinstance(note, str)]
        result: dict[str, object] = {
            "values": int(report.files["n_observations"].sum()) - 2 * is_text,
            "notes": notes,
        }
    except LandingError as error:
        result = {"fault": str(error).replace(str(landing), "<landing>")}
    return result | {
        "seconds": round(cpu_seconds(os.getpid()) - before, 2),
        "bytes": max(map(len, files.values())),
    }


def main() -> None:
    """Cases whose name holds one of the given words, or all; in full with CITYSYNC_LONG=1, else
    with less time for each file.
    """
    if os.environ.get("CITYSYNC_LONG") == "1":
        Size.many, Size.html_bytes, Size.swollen_bytes = 1_000_000, 19_000_000, 250_000_000
    else:
        limits.SECONDS = 3
    names = [
        name for name in CASES if not sys.argv[1:] or any(word in name for word in sys.argv[1:])
    ]
    pool, outcomes = shared_pool(), {}
    for name in names:
        with tempfile.TemporaryDirectory() as home:
            outcomes[name] = run_case(name, Path(home))
    close_readers()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        json.dumps(
            {
                "outcomes": outcomes,
                "peak_bytes": pool.peak_bytes,
                "cpu_seconds": children.ru_utime + children.ru_stime,
            }
        )
    )


if __name__ == "__main__":
    main()
