"""Every bad delivery of the corpus ends as expected and leaves nothing half-built."""

import re

import pyarrow.parquet as pq
import pytest

from tests.warehouse.ingest.bad_files import CASES
from tests.warehouse.ingest.delivered import count_reasons, deliver, read
from warehouse.ingest.errors import LandingError


@pytest.mark.parametrize("name", CASES)
def test_a_bad_delivery_ends_as_expected(tmp_path, name):
    files, expected = CASES[name]
    landing = deliver(tmp_path / "landing", files() if callable(files) else files)
    if isinstance(expected, str):
        with pytest.raises(LandingError) as found:
            read(landing, tmp_path)
        assert re.search(expected, str(found.value)) and "Traceback" not in str(found.value)
        assert not (tmp_path / "build").exists()
        return
    n_values, reasons = expected
    assert read(landing, tmp_path).files["n_observations"].sum() == n_values
    # every column the layout ignores (the province) has its line as well
    found = count_reasons(tmp_path)
    assert {reason: found.get(reason) for reason in reasons} == reasons
    assert set(found) <= {*reasons, "unmapped_column"}
    for raw in (tmp_path / "build" / "raw").glob("*.parquet"):
        rows = pq.read_table(raw, partitioning=None).to_pylist()
        assert all(row["detail"] for row in rows if row["reason"])
