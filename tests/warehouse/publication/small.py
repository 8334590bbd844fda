"""Small publications of whatever tables a test needs."""

import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import duckdb

from warehouse.publication.publish import publish

ROWS = (
    "(values (1, 'a', 0.1::double + 0.2::double), (2, null, 1e-300), (3, '', 'nan'::double)) t(k, "
    "word, x)"
)
SCHEMAS = ("marts", "estimates", "quality", "meta", "staging")
CREATE_SCHEMAS = "".join(f"create schema {schema};" for schema in SCHEMAS)
#: One table in each published schema and in one that is not published.
THINGS = (
    CREATE_SCHEMAS
    + "".join(f"create table {schema}.things as select * from {ROWS};" for schema in SCHEMAS)
    + "comment on column marts.things.word is 'it''s a word'"
)


#: First publications of a home, by what they are made of.
FIRST: dict[str, Path] = {}
FIRST_FOLDER = tempfile.TemporaryDirectory(prefix="citysync-first-")


def run_of(day: int) -> str:
    """Run id of a day in January 2026."""
    return f"202601{day:02d}T000000.000000Z"


def put_out(
    home: Path,
    run_id: str,
    sql: str = THINGS,
    *,
    simulated: bool = False,
    kept: int = 3,
    **manifest: object,
) -> Path:
    """Publish what statements make, and return the link. What was published before in another empty
    home is copied from there.
    """
    usual = {"git_commit": "unknown", "inputs": [], "packages": {}, "settings": {}}
    said = {"run_id": run_id, "is_simulated": simulated, **usual, **manifest}
    if str(home) in sql or (home.exists() and any(home.iterdir())):
        _put_out(home, sql, said, kept)
    else:
        copied = FIRST.setdefault(repr((sql, said)), Path(FIRST_FOLDER.name, str(len(FIRST))))
        if not copied.exists():
            _put_out(copied, sql, said, kept)
        shutil.copytree(copied, home, symlinks=True, dirs_exist_ok=True)
    return home / "published"


def _put_out(home: Path, sql: str, manifest: dict[str, object], kept: int) -> None:
    home.mkdir(exist_ok=True)
    database = home / "build.duckdb"
    database.unlink(missing_ok=True)
    with duckdb.connect(str(database)) as con:
        con.execute(sql)
    folders = {name: home / name for name in ("report", "data_docs")}
    for folder in folders.values():
        folder.mkdir(exist_ok=True)
        (folder / "index.html").write_text("page", encoding="utf-8")
    publish(database, home / "published", manifest=manifest, folders=folders, kept=kept)


def made_writable(folder: Path) -> Path:
    """Where a link leads, with files that may be written."""
    folder = folder.resolve()
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


def pair_years_as_files(folder: Path) -> str:
    """Statements that add 20 pair-years as a table, and as files by year under a view."""
    return (
        f'{THINGS}; create table marts.whole as select (i % 2 + 2010)::integer as "year", '
        "i::integer as city_i_id, i / 7 as cm from range(20) as t(i);"
        f"copy (from marts.whole) to '{folder}' (format parquet, partition_by (\"year\"), "
        "write_partition_columns);"
        f"create view marts.pairs as from read_parquet('{folder}/*/*.parquet', "
        "hive_partitioning = false)"
    )


#: Steps on the disk; before one of them a publication is killed.
STEPS = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.chmod", "open")
KILLED = run_of(5)


def publish_in_steps(home: str, kill_at: int, note: str) -> None:
    """Publish; before the step below the home with this number the process ends as by `kill
    -9`. The names go to `note`.
    """
    names: list[str] = []

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        if event not in STEPS or (
            event == "open" and not (int(arguments[2]) & (os.O_WRONLY | os.O_RDWR))
        ):
            return
        path = str(arguments[0])
        # a name may also be relative to an open folder, as where a tree is removed
        if path.startswith("/") and not path.startswith(f"{home}/"):
            return
        names.append(f"{event} {path}")
        if len(names) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hear)
    put_out(Path(home), KILLED)
    Path(note).write_text("\n".join(names), encoding="utf-8")
