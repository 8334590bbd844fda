"""A publication that changed is told from one that did not: every file, the manifest itself,
missing and added files. Nothing of one that somebody else made runs when it is read, whoever reads
it; tables that are files of it are read like tables, and like nothing else.
"""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from orchestration.commands.run_specs import run_specs
from orchestration.commands.sql import connect_read_only, run_sql
from orchestration.home import REPO, Home
from tests.warehouse.ingest.test_landing import socket_at
from tests.warehouse.publication.small import made_writable, pair_years_as_files, put_out, run_of
from warehouse.ingest.drafting.value_matching import read_reference
from warehouse.publication import verification
from warehouse.publication.archive import archive_publications
from warehouse.publication.change_tables import write_changes
from warehouse.publication.compare_with_landing import value_faults
from warehouse.publication.datapackage import describe_package
from warehouse.publication.errors import PublishError
from warehouse.publication.manifest import MANIFEST, MANIFEST_HASH, hash_files, write_manifest
from warehouse.publication.open_yearly_files import files_of_tables
from warehouse.publication.untrusted import open_publication
from warehouse.publication.verification import verify_publication


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return put_out(tmp_path_factory.mktemp("made"), run_of(1)).parent


@pytest.fixture
def published(made: Path, tmp_path: Path) -> Path:
    """A publication of its own for each test, whose files may be written."""
    folder = shutil.copytree(made, tmp_path / "home", symlinks=True) / "published"
    made_writable(folder)
    return folder


def flip_byte(path: Path) -> None:
    """Change one bit in the middle of a file, as a failing disk would."""
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "name",
    [
        "citysync.duckdb",
        "parquet/marts/things.parquet",
        "report/index.html",
        "data_docs/index.html",
        MANIFEST,
    ],
)
def test_a_flipped_byte_is_found_and_its_file_named(published: Path, name: str) -> None:
    assert verify_publication(published) == []
    flip_byte(published / name)
    faults = verify_publication(published)
    assert len(faults) == 1 and name in faults[0] and "expected" in faults[0]


LAID_IN: dict[str, Callable[[Path], object]] = {
    "a file": lambda path: path.write_bytes(b"x"),
    "a link to a file": lambda path: path.symlink_to("/etc/hostname"),
    "a link to a folder": lambda path: path.symlink_to("/"),
    "a link to nothing": lambda path: path.symlink_to("nothing"),
    "a link to what is published": lambda path: path.symlink_to(MANIFEST),
    "a pipe": os.mkfifo,
    "a socket": socket_at,
}


@pytest.mark.parametrize("lay", LAID_IN.values(), ids=LAID_IN)
def test_what_is_laid_into_a_publication_is_a_fault(
    published: Path, lay: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(published)  # a socket's path must be short
    names = ("more", "more\udcff", "parquet/marts/more\nfine", "report/.more")
    for name in names:
        lay(Path(name))
    faults = verify_publication(published)
    assert len(faults) == len(names)
    for fault in faults:
        assert "more" in fault and "expected no file" in fault
        assert "\n" not in fault and fault.encode()


IN_PLACE: dict[str, Callable[[Path], object]] = {
    "nothing": lambda path: None,
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "a link": lambda path: path.symlink_to("../../elsewhere"),
}


@pytest.mark.parametrize("lay", IN_PLACE.values(), ids=IN_PLACE)
@pytest.mark.parametrize(
    "name", ["report/index.html", "parquet/marts/things.parquet", MANIFEST, MANIFEST_HASH]
)
def test_what_lies_in_the_place_of_a_file_is_a_fault(
    published: Path, tmp_path: Path, lay: Callable[[Path], object], name: str
) -> None:
    """Also a link to the same bytes: they are not the publication's own."""
    (published / name).rename(tmp_path / "elsewhere")
    lay(published / name)
    assert any(name in fault for fault in verify_publication(published))


def forge(published: Path, statement: str = "", **parts: object) -> Path:
    """A publication that somebody else handed over: another database or manifest, with hashes that
    agree.
    """
    folder = made_writable(published)
    if statement:
        with duckdb.connect(str(folder / "citysync.duckdb")) as con:
            con.execute(statement)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    files = {
        name: entry for name, entry in hash_files(folder).items() if not name.startswith(MANIFEST)
    }
    write_manifest(folder, {**manifest, "files": files, **parts})
    return folder


SECRET = "/etc/hostname"
# What a column computes when it is read: 40 ms a row, and as long as one likes with longer texts.
SLOW = "levenshtein(repeat('ab', 2000), repeat('ba', 2000) || {})"
CODE_IN_A_DATABASE = {
    "a view of a file": f"create view marts.more as select * from read_text('{SECRET}')",
    "a view in a table's place": (
        f"drop table marts.things; create view marts.things as select * from read_csv('{SECRET}')"
    ),
    "a view in another schema": "create schema other; create view other.more as select 1 as k",
    "a function": "create macro marts.more(x) as x + 1",
    "a function of rows": f"create macro marts.more() as table select * from read_text('{SECRET}')",
    "a function in the main schema": "create macro to_json(x) as 'same'",
    "a column that is computed": (
        f"create table estimates.more (k integer, x bigint generated always as ({SLOW.format('k')})"
        "); insert into estimates.more values (1), (2), (3)"
    ),
    "a computed column in a table's place": (
        f"drop table marts.things; create table marts.things (k integer, x as ({SLOW.format('k')}))"
        "; insert into marts.things values (1), (2), (3)"
    ),
    "a default": f"create table marts.more (k integer, x bigint default ({SLOW.format(1)}))",
    "a check": f"create table marts.more (k integer check ({SLOW.format('k')} > 0))",
    "a key": "create table marts.more (k integer primary key)",
    "an index": "create index more on marts.things (k)",
    "an index of what is computed": "create index more on marts.things ((k + 1))",
    "a sequence": "create sequence marts.more",
    "a table named as a path": 'create table estimates."../../more" (k integer)',
    "a schema named as a path": 'create schema "../more"; create table "../more".more (k integer)',
}


ENTRY = {"sha256": "0" * 64, "bytes": 1}
TABLE = {"sha256": "0" * 64, "rows": 1}
MANIFESTS = {
    "files are a list": {"files": []},
    "an entry is a text": {"files": {"a": "b"}},
    "an entry without a hash": {"files": {"a": {"bytes": 1}}},
    "a file above": {"files": {"../../../../etc/passwd": ENTRY}},
    "a file far away": {"files": {"/etc/passwd": ENTRY}},
    "a file behind dots": {"files": {"parquet/../../../x": ENTRY}},
    "a name with a zero": {"files": {"a\0b": ENTRY}},
    "tables are a number": {"tables": 3},
    "a table is a list": {"tables": {"marts.things": [1]}},
    "a table without rows": {"tables": {"marts.things": {"sha256": "0" * 64}}},
    "a table of no schema": {"tables": {"things": TABLE}},
    "a table of two schemas": {"tables": {"a.b.c": TABLE}},
    **{
        f"files of a table: {files}": {"tables": {"marts.things": {**TABLE, "parquet": files}}}
        for files in (
            "/etc/*",
            "../../*/*.parquet",
            "parquet/marts/../../../*/*.parquet",
            "parquet/marts/other/*/*.parquet",
            "parquet/*/*/*/*.parquet",
            "report/index.html",
            "https://a.example/x.parquet",
            "parquet/marts/things.parquet') union all from read_text('/etc/hostname",
        )
    },
}


#: A database that would run something when it is read, and a manifest that leads elsewhere or is
#: none.
FORGED = {
    **{
        name: (statement, {}, "expected only plain tables, found ")
        for name, statement in CODE_IN_A_DATABASE.items()
    },
    **{name: ("", parts, "expected") for name, parts in MANIFESTS.items()},
}


@pytest.mark.parametrize(("statement", "parts", "said"), FORGED.values(), ids=FORGED)
def test_what_would_run_or_leads_elsewhere_is_refused(
    published: Path, statement: str, parts: dict, said: str
) -> None:
    folder = forge(published, statement, **parts)
    with pytest.raises(PublishError, match=said):
        verify_publication(folder)


@pytest.mark.parametrize(
    ("statement", "parts", "said"),
    [
        # even where file and manifest were both rewritten: the tables are hashed on their own
        ("update marts.things set k = 4 where k = 3", {}, "marts.things"),
        ("create table marts.more (k integer)", {}, "'marts.more': expected none"),
        ("", {"tables": {"marts.nothing": TABLE}}, "marts.nothing"),
        ("", {"tables": {'marts.things" union select 1 --': TABLE}}, "union select 1"),
    ],
)
def test_a_table_that_is_not_as_the_manifest_says_is_a_fault(
    published: Path, statement: str, parts: dict, said: str
) -> None:
    faults = verify_publication(forge(published, statement, **parts))
    assert any(said in fault for fault in faults)


def test_memory_that_ran_out_is_no_fault_of_a_publication(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was reported as one, with the advice to roll back."""

    def fail(*_: object) -> None:
        raise duckdb.OutOfMemoryException("Out of Memory Error: Failed to allocate block")

    monkeypatch.setattr(verification, "hash_table", fail)
    with pytest.raises(duckdb.OutOfMemoryException):
        verify_publication(published)


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


def test_a_database_is_opened_in_one_place_alone() -> None:
    """An untrusted database that is opened as the main one runs its views and macros."""
    packages = ("warehouse", "orchestration", "expectations", "estimation")
    opening = re.compile(r"duckdb[.](connect|sql|query|read_\w+|from_\w+)[(]")
    found = set()
    for package in packages:
        for path in (REPO / package).rglob("*.py"):
            if opening.search(path.read_text(encoding="utf-8")):
                found.add(path.relative_to(REPO).as_posix())
    assert found == {"warehouse/database.py"}


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
    write_manifest(manifest.parent, said)


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
