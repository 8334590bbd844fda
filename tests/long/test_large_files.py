"""An honest file of 500 MB and 48 million cells is read in less than 2 GB."""

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from tests.warehouse.ingest.delivered import read
from warehouse.ingest.workers.pool import close_readers, shared_pool

N_PARTS, N_ROWS = 1_300, 10_000
PART = pa.table(
    {
        "city_id": ["110000"] * N_ROWS,
        "year": np.arange(N_ROWS, dtype=np.int32) % 20 + 2000,
        "indicator_id": ["gdp_real_cny_100m"] * N_ROWS,
        "value": np.random.default_rng(20).normal(size=N_ROWS).round(6),
    }
)


@pytest.mark.parametrize("writer", [pa.csv.CSVWriter, pq.ParquetWriter])
def test_a_large_honest_file_is_read_in_bounded_memory(tmp_path, writer):
    folder = tmp_path / "landing" / "tidy"
    folder.mkdir(parents=True)
    suffix = "csv" if writer is pa.csv.CSVWriter else "parquet"
    with writer(str(folder / f"a.{suffix}"), PART.schema) as stream:
        for _ in range(N_PARTS):
            stream.write_table(PART)
    close_readers()
    shared_pool().peak_bytes = 0
    report = read(tmp_path / "landing", tmp_path)
    close_readers()
    assert report.files["n_observations"].sum() == N_PARTS * N_ROWS
    assert shared_pool().peak_bytes < 2 << 30
