"""No hostile file kills the process that reads it, takes more than 2 GB or 30 s of a processor, or
ends without a fault or its values; an honest file of 500 MB is read in less than 2 GB.
"""

import os
import re

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from tests.processes import cpu_seconds
from tests.warehouse.ingest.bad_files import CSV
from tests.warehouse.ingest.delivered import deliver, read
from tests.warehouse.ingest.hostile_landings import ANY, CASES
from warehouse.ingest import landing as ingest
from warehouse.ingest.errors import LandingError
from warehouse.ingest.workers.pool import Pool

#: Reasons that a reader did not foresee: every case has a fault of its own.
UNFORESEEN = re.compile(r"at which the reader (stopped|ended)|Traceback")


@pytest.fixture(autouse=True)
def pool(monkeypatch):
    """The pool of one file, whose memory and time are that file's."""
    pool, before = Pool(), cpu_seconds(os.getpid())
    monkeypatch.setattr(ingest, "Pool", lambda: pool)
    yield pool
    assert pool.peak_bytes < 2 << 30
    # making the file is counted too
    assert cpu_seconds(os.getpid()) - before < 60


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_delivery_is_refused_with_its_reason_or_read(tmp_path, name):
    """A policy text stops no landing: the table beside it is read in any case."""
    make, given, expected = CASES[name]
    files = make(*given)
    beside = {}
    if next(iter(files)).startswith("policy_texts/"):
        beside = {"panel/good.csv": CSV}
    landing = deliver(tmp_path / "landing", files | beside)
    try:
        found = read(landing, tmp_path).files.set_index("path")
    except LandingError as error:
        assert not beside, error
        reason = str(error)
    else:
        of_case = found.drop(index=list(beside))
        assert found.loc[list(beside), "n_observations"].isin([2]).all()
        reason = "; ".join(of_case["note"].dropna()) if beside else ""
        if not reason:
            assert expected in (ANY, int(of_case["n_observations"].sum()))
            return
    assert isinstance(expected, str) and re.search(expected, reason, re.DOTALL), reason
    assert re.search("(?s)expected .*; found .*; ", reason) and len(reason) < 5_000
    assert not UNFORESEEN.search(reason)


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
def test_a_large_honest_file_is_read_in_bounded_memory(tmp_path, pool, writer):
    folder = tmp_path / "landing" / "tidy"
    folder.mkdir(parents=True)
    suffix = "csv" if writer is pa.csv.CSVWriter else "parquet"
    with writer(str(folder / f"a.{suffix}"), PART.schema) as stream:
        for _ in range(N_PARTS):
            stream.write_table(PART)
    report = read(tmp_path / "landing", tmp_path)
    assert report.files["n_observations"].sum() == N_PARTS * N_ROWS
    assert 0 < pool.peak_bytes < 2 << 30
