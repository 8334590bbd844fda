"""An honest file of 500 MB and 48 million cells is read in less than 2 GB (`make test-long`; 20 MB
in `make test`).
"""

from __future__ import annotations

import os
import time

import pytest

from tests.warehouse.ingest.delivered import read
from warehouse.ingest.workers.pool import close_readers, shared_pool

IS_LONG = os.environ.get("CITYSYNC_LONG") == "1"
MEGABYTES = 500 if IS_LONG else 20
ROW = "110000,{year},gdp_real_cny_100m,{value}.25\n"


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_large_honest_file_is_read_in_bounded_memory(tmp_path, capsys, kind):
    folder = tmp_path / "landing" / "tidy"
    folder.mkdir(parents=True)
    n_rows = MEGABYTES * 1_000_000 // 38
    target = folder / f"a.{kind}"
    if kind == "csv":
        block = "".join(ROW.format(year=2000 + n % 20, value=n) for n in range(10_000)).encode()
        with target.open("wb") as stream:
            stream.write(b"city_id,year,indicator_id,value\n")
            for _ in range(n_rows // 10_000):
                stream.write(block)
    else:
        _write_parquet(target, n_rows)
    close_readers()
    shared_pool().peak_bytes = 0
    started = time.perf_counter()
    report = read(tmp_path / "landing", tmp_path)
    seconds = time.perf_counter() - started
    close_readers()
    assert report.files["n_observations"].sum() == n_rows // 10_000 * 10_000
    assert shared_pool().peak_bytes < 2 << 30
    with capsys.disabled():
        megabytes, peak = target.stat().st_size / 1e6, shared_pool().peak_bytes / 1e6
        print(
            f"\n{kind} of {megabytes:,.0f} MB, {n_rows:,} rows: {seconds:.0f} s, highest memory "
            f"{peak:,.0f} MB"
        )


def _write_parquet(target, n_rows: int) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    n = 10_000
    part = pa.table(
        {
            "city_id": ["110000"] * n,
            "year": np.arange(n, dtype=np.int32) % 20 + 2000,
            "indicator_id": ["gdp_real_cny_100m"] * n,
            "value": np.random.default_rng(20).normal(size=n),
        }
    )
    with pq.ParquetWriter(target, part.schema) as writer:
        for _ in range(n_rows // n):
            writer.write_table(part)
