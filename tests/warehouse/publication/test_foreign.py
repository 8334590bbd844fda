"""Nothing of a publication that somebody else made runs when it is read, whoever reads it; tables
that are files of it are read like tables, and like nothing else.
"""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from orchestration.commands.run_specs import run_specs
from orchestration.commands.sql import connect_read_only, run_sql
from orchestration.home import REPO, Home
from tests.comparison import compare_publications
from tests.warehouse.publication.small import made_writable, pair_years_as_files, put_out, run_of
from tests.warehouse.publication.test_verification import SECRET, forge
from warehouse.ingest.drafting.value_matching import read_reference
from warehouse.publication.archive import archive_publications
from warehouse.publication.changes import write_changes
from warehouse.publication.datapackage import describe_package
from warehouse.publication.delivered import value_faults
from warehouse.publication.errors import PublishError
from warehouse.publication.file_tables import files_of_tables
from warehouse.publication.foreign import open_foreign, open_publication
from warehouse.publication.manifest import MANIFEST
from warehouse.publication.verification import verify_publication

DATABASE = "citysync.duckdb"
# DuckDB's own names, as what asks a database what it holds would call them
RUN, SPEC = run_of(1), "baseline.cm_growth_official.headline"
OF_ROWS = (
    "duckdb_views",
    "duckdb_tables",
    "duckdb_functions",
    "duckdb_columns",
    "duckdb_keywords",
    "read_parquet",
    "arrow_scan",
    "parquet_metadata",
)
OF_VALUES = ("current_database", "current_setting", "md5", "to_json", "count", "list_contains")
READERS: dict[str, Callable[[Path], object]] = {
    "verify": lambda home: verify_publication(home / "published"),
    "the prompt": lambda home: connect_read_only(Home(home)).__enter__(),
    "the archive": lambda home: archive_publications(
        home / "publications", home / "again", required=RUN
    ),
    "reproduce": lambda home: compare_publications(home / "published", home / "published"),
    "verify LANDING": lambda home: value_faults(home / "published" / DATABASE, home, []),
    "what changed": lambda home: write_changes(home / "published", home, simulated=False),
    "new-source": lambda home: read_reference(home / "published" / DATABASE),
    "run": lambda home: run_specs(str(home / "published" / DATABASE), [SPEC], None, None),
    "the data package": lambda home: describe_package(home / "published", {"run_id": RUN}, {}),
}


def statements(target: Path) -> list[str]:
    """Functions that write a file, by a setting, and read another; a view; a table that counts."""
    columns = (
        "'marts' as schema_name, 'things' as view_name, 'things' as table_name, 'k' as "
        "function_name, 'k' as column_name, 'citysync' as database_name, false as internal"
    )
    writes = f"enable_logging('QueryLog', storage := 'file', storage_path := '{target}')"
    return [
        *(
            f"create macro {name}(a := 0, b := 0, c := 0) as table select {columns}, * from {rows}"
            for name, rows in zip(OF_ROWS, [writes] * len(OF_ROWS), strict=True)
        ),
        *(
            f"create macro {name}(a := 0, b := 0) as (select content from read_text('{SECRET}'))"
            for name in OF_VALUES
        ),
        f"create view marts.more as from read_text('{SECRET}')",
    ]


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_what_a_foreign_database_holds_never_runs(
    tmp_path: Path, reader: Callable[[Path], object]
) -> None:
    target = tmp_path / "written"
    forge(put_out(tmp_path, RUN), "; ".join(statements(target)))
    (tmp_path / DATABASE).write_bytes((tmp_path / "build.duckdb").read_bytes())
    try:
        found = reader(tmp_path)
    except (PublishError, duckdb.Error) as error:
        found = error
    assert not target.exists()
    assert Path(SECRET).read_text(encoding="utf-8").strip() not in str(found)


def test_a_database_is_opened_in_two_places_alone() -> None:
    """A foreign one that is opened as the main one runs its views and macros."""
    packages = ("warehouse", "orchestration", "expectations", "estimation")
    opening = re.compile(r"duckdb[.](connect|sql|query|read_\w+|from_\w+)[(]")
    found = set()
    for package in packages:
        for path in (REPO / package).rglob("*.py"):
            if opening.search(path.read_text(encoding="utf-8")):
                found.add(path.relative_to(REPO).as_posix())
    # the second one is the library's own, of sums in memory
    assert found == {"warehouse/build_database.py", "estimation/engines/database.py"}


NOT_ANSWERED = (
    "from read_text('{secret}')",
    "from read_text('{folder}/../../../../../../../../{secret}')",
    "from read_parquet('{folder}/parquet/marts/things.parquet')",
    "from read_blob('{folder}/*')",
    "attach '{folder}/../other.duckdb'",
    "attach '{folder}/citysync.duckdb' as other",
    "install httpfs",
    "load httpfs",
    "from read_parquet('https://127.0.0.1:1/x.parquet')",
    "copy (select 1) to '{folder}/x.csv'",
    "copy (select 1) to '{folder}/citysync.duckdb'",
    "copy (select 1) to '{folder}/citysync.duckdb.wal'",
    "export database '{folder}/x'",
    "create table citysync.marts.more as select 1 as k",
    "insert into marts.things values (4, 'b', 0)",
    "delete from marts.things",
    "set enable_external_access = true",
    "set allowed_directories = ['/']",
    "from enable_logging('QueryLog', storage := 'file', storage_path := '{folder}/x')",
    "create persistent secret x (type http, bearer_token 'x')",
    # of tables that are files, and of the archive
    "copy (select 1 as i) to '{file}'",
    "from read_parquet('{file}')",
    "use memory; detach files; copy (select 1 as i) to '{file}'",
    "copy marts.pairs to '{folder}/out.parquet'",
    "insert into marts.pairs values (1, 2, 3)",
    "delete from marts.pairs",
    "copy (select 1) to '{folder}/../../archive/x.csv'",
    "from read_parquet('{folder}/../../archive/*/*.parquet')",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a publication, a table of which is files."""
    folder = tmp_path_factory.mktemp("home")
    put_out(folder, RUN, pair_years_as_files(folder / "marts.pairs"))
    return folder


@pytest.mark.parametrize("statement", NOT_ANSWERED)
def test_the_prompt_reaches_nothing_but_tables(home: Path, statement: str) -> None:
    folder = (home / "published").resolve()
    place = {"folder": folder, "file": files_of_tables(open_publication(folder))["marts.pairs"][0]}
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    with connect_read_only(Home(home)) as con:
        assert con.execute("select count(*) from marts.things").fetchone() == (3,)
        with pytest.raises(duckdb.Error):
            con.execute(statement.format(**place, secret=SECRET)).fetchall()
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("content", [b"SQLite format 3\0" + b"\0" * 4096, b"no database", None])
def test_a_file_of_another_kind_is_not_opened(tmp_path: Path, content: bytes | None) -> None:
    """Neither with an extension that would be fetched for it, nor as a folder."""
    database = tmp_path / DATABASE
    database.mkdir() if content is None else database.write_bytes(content)
    with pytest.raises((duckdb.IOException, PublishError)), open_foreign(database):
        pass


def test_files_are_read_like_tables_beside_those_of_the_database(home: Path) -> None:
    query = (
        "select count(*), max(cm), (select count(*) from marts.things) from marts.pairs where "
        "year = 2011"
    )
    with connect_read_only(Home(home)) as con:
        assert con.execute(query).fetchone() == (10, 19 / 7, 3)
        assert con.execute("select count(*) from citysync.marts.things").fetchall() == [(3,)]
        assert ("marts.pairs",) in con.execute('select "table" from tables').fetchall()
        described = con.execute("from columns").fetchall()
        assert ("marts.pairs", "city_i_id", "INTEGER", None) in described


def lead_elsewhere(file: Path, manifest: Path) -> None:
    said = json.loads(manifest.read_text(encoding="utf-8"))
    said["tables"]["marts.pairs"]["parquet"] = "*/*/*/*/*.parquet"
    manifest.write_text(json.dumps(said), encoding="utf-8")


@pytest.mark.parametrize(
    "touch",
    [
        lambda file, manifest: file.unlink(),
        lambda file, manifest: (file.unlink(), file.symlink_to("/etc/hostname")),
        lead_elsewhere,
    ],
)
def test_files_that_are_missing_links_or_none_of_ours_are_refused_by_name(
    home: Path, tmp_path: Path, monkeypatch, capsys, touch: Callable[[Path, Path], object]
) -> None:
    copy = shutil.copytree(home, tmp_path / "home", symlinks=True)
    folder = made_writable(copy / "published")
    file = files_of_tables(open_publication(folder))["marts.pairs"][0]
    touch(file, folder / MANIFEST)
    monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path / "home"))
    assert run_sql("select 1") == 2
    said = capsys.readouterr().err
    assert (str(file) if touch is not lead_elsewhere else "marts.pairs") in said
    assert ("expected a file" in said) == (touch is not lead_elsewhere)
