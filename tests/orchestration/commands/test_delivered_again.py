"""`make verify LANDING=path`: what was published is held against the delivered files, so a lie and
a changed file are found afterwards.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.orchestration.conftest import REPO, Run, SixCities, refresh
from warehouse.hashing import hash_file
from warehouse.ingest.raw_cache import CONTENTS, _check

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def delivered(six: SixCities) -> tuple[Path, Path]:
    """A home with a publication of six cities, some lines turned away, and its landing with a link
    in it.
    """
    return six.run.home, six.landing


def verify(home: Path, landing: Path) -> Run:
    command = [sys.executable, "-m", "orchestration", "verify", "--landing", str(landing)]
    env = {**os.environ, "CITYSYNC_HOME": str(home)}
    done = subprocess.run(
        command,
        cwd=REPO,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Run(done.returncode, done.stdout, home)


@pytest.fixture
def landing(delivered: tuple[Path, Path], tmp_path: Path) -> Path:
    """A copy of the landing, which a test may change."""
    return shutil.copytree(delivered[1], tmp_path / "landing", symlinks=True)


def test_what_was_published_is_what_was_delivered(delivered: tuple[Path, Path]) -> None:
    home, landing = delivered
    inputs = json.loads((home / "published" / "manifest.json").read_text(encoding="utf-8"))[
        "inputs"
    ]
    assert [
        (entry["path"], entry["sha256"] is None, entry["bytes"] is None) for entry in inputs
    ] == [
        ("tidy/link.csv", True, True),
        ("tidy/values.csv", False, False),
    ]
    run = verify(home, landing)
    assert run.code == 0, run.output
    # 102 values, and three lines turned away: a city, an indicator, the link
    assert "2 files have their hashes, 105 published rows were compared with them" in run.output
    assert not (home / "verified").exists()


def test_a_changed_and_a_missing_file_are_named(
    delivered: tuple[Path, Path], landing: Path
) -> None:
    values = landing / "tidy" / "values.csv"
    values.write_bytes(
        values.read_bytes().replace(b"1070.0", b"1071.0", 1)
        + b"110000,2010,gdp_nominal_cny_100m,5\n"
    )
    run = verify(delivered[0], landing)
    assert (
        run.code == 1
        and f"{values}: sha256 " in run.output
        and "it is not the file that was published" in run.output
    )
    values.rename(landing / "tidy" / "other.csv")
    run = verify(delivered[0], landing)
    assert run.code == 1 and f"{values}: missing, expected the file with sha256" in run.output
    assert "1 files came after run" in run.output and "'tidy/other.csv'" in run.output


@pytest.mark.parametrize("name", ["missing", "values.csv"])
def test_a_landing_that_is_none_is_bad_input(
    delivered: tuple[Path, Path], landing: Path, name: str
) -> None:
    run = verify(delivered[0], landing / "tidy" / name)
    assert (
        run.code == 2
        and run.last_line.startswith("citysync: exit 2: ")
        and "expected a landing folder" in run.last_line
    )


def test_a_new_file_that_cannot_be_read_is_said(
    delivered: tuple[Path, Path], landing: Path
) -> None:
    (landing / "tidy" / "new.csv").write_bytes(b"city_id,year\n\x00")
    run = verify(delivered[0], landing)
    assert (
        run.code == 1 and "the values were not compared" in run.output and "new.csv" in run.output
    )


def forge(cached: Path) -> None:
    """Add one to the value of a cached file's cell D2, and change the hash that is noted of it, as
    one who knows how would.
    """
    query = """select * replace (case when cell_ref = 'D2' then "value" + 1
        else "value" end as "value") from read_parquet($1)"""
    forged = duckdb.execute(query, [str(cached)]).to_arrow_table()
    pq.write_table(forged.cast(pq.read_schema(cached)), cached)
    contents = cached.parent / CONTENTS
    entries = [
        json.loads(line) for line in contents.read_text(encoding="utf-8").splitlines() if line
    ]
    for entry in entries:
        if entry["name"] == cached.name:
            entry["sha256"] = hash_file(cached)
            entry["check"] = _check(entry)
    contents.write_text("\n".join(map(json.dumps, entries)) + "\n", encoding="utf-8")


@pytest.fixture
def home(delivered: tuple[Path, Path], tmp_path: Path) -> Iterator[Path]:
    """A copy of the home, which a test may change."""
    yield shutil.copytree(delivered[0], tmp_path / "home", symlinks=True)


def test_a_lie_that_was_published_is_found_with_its_cell(
    delivered: tuple[Path, Path], home: Path
) -> None:
    """A cache whose hash was changed along: the refresh cannot know."""
    (cached,) = [
        path for path in (home / "raw").glob("*.parquet") if pq.read_metadata(path).num_rows > 50
    ]
    forge(cached)
    assert refresh(home, delivered[1], FORCE="1").code == 0
    run = verify(home, delivered[1])
    assert run.code == 1, run.output
    assert (
        "1 published values that the delivered files do not hold, first tidy values.csv D2"
        in run.output
    )
    assert (
        "1 values of the delivered files that are not published so, first tidy values.csv D2"
        in run.output
    )


def test_a_table_that_was_changed_with_its_hashes_is_found(
    delivered: tuple[Path, Path], home: Path
) -> None:
    """File, table and manifest agree; the delivered files do not."""
    from tests.warehouse.publication.test_verification import hash_files, write_manifest
    from warehouse.publication.tables import columns_of, hash_table

    folder = (home / "published").resolve()
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    with duckdb.connect(str(folder / "citysync.duckdb")) as con:
        con.execute(
            'update marts.fct_indicator_observation set "value" = "value" * 2 where cell_ref = '
            "'D2'"
        )
        columns = columns_of(con, "citysync", "marts", "fct_indicator_observation")
        entry = hash_table(con, "marts.fct_indicator_observation", columns).as_entry()
    manifest["tables"]["marts.fct_indicator_observation"] = entry
    files = {
        name: part
        for name, part in hash_files(folder).items()
        if not name.startswith("manifest.json")
    }
    write_manifest(folder, {**manifest, "files": files})
    run = verify(home, delivered[1])
    assert (
        run.code == 1
        and "1 published values that the delivered files do not hold, first tidy values.csv D2"
        in run.output
    )
