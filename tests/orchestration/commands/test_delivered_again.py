"""`verify --landing`: what was published is held against the delivered files, so that a lie and a
changed file are found afterwards.
"""

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from tests.orchestration.conftest import Run, run
from tests.warehouse.publication.test_verification import hash_files, write_manifest
from warehouse.publication.tables import columns_of, hash_table

pytestmark = pytest.mark.e2e
DIFFERS = "1 published values that the delivered files do not hold, first tidy values.csv D2"


def verify(home: Path, landing: Path) -> Run:
    return run(home, "verify", "--landing", str(landing))


def test_what_changed_in_the_landing_is_named(six, tmp_path):
    """Another value, and a file that came later and cannot be read."""
    landing = shutil.copytree(six.landing, tmp_path / "landing", symlinks=True)
    values = landing / "tidy" / "values.csv"
    text = values.read_text(encoding="utf-8").replace("1070.0", "1071.0", 1)
    values.write_text(f"{text}110000,2010,gdp_nominal_cny_100m,5\n", encoding="utf-8")
    (landing / "tidy" / "new.csv").write_bytes(b"city_id,year\n\x00")
    checked = verify(six.run.home, landing)
    assert checked.code == 1 and "exit 1: " in checked.last_line
    for words in (
        *("sha256 ", "it is not the file that was published"),
        *("the values were not compared", "1 files came after", "new.csv"),
    ):
        assert words in checked.output


def test_a_table_that_was_changed_with_its_hashes_is_found_and_nothing_else(six, home_of_six):
    """File, table and manifest agree; the delivered files do not."""
    inputs = six.run.manifest["inputs"]
    found = [(entry["path"], entry["sha256"] is None) for entry in inputs]
    assert found == [("tidy/link.csv", True), ("tidy/values.csv", False)]
    folder = (home_of_six / "published").resolve()
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    table = "marts.fct_indicator_observation"
    with duckdb.connect(str(folder / "citysync.duckdb")) as con:
        con.execute(f"""update {table} set "value" = "value" * 2 where cell_ref = 'D2'""")
        columns = columns_of(con, "citysync", *table.split("."))
        manifest["tables"][table] = hash_table(con, table, columns).as_entry()
    files = hash_files(folder)
    manifest["files"] = {k: v for k, v in files.items() if not k.startswith("manifest.json")}
    write_manifest(folder, manifest)
    checked = verify(home_of_six, six.landing)
    assert checked.code == 1 and DIFFERS in checked.output
    # the value as published, and as delivered
    assert "not what" in checked.last_line and ", 2 faults: " in checked.last_line
    # 102 values, and three lines turned away: a city, an indicator, the link
    assert "2 files have their hashes, 105 published rows were compared" in checked.output
    assert not (home_of_six / "verified").exists()
