"""What somebody else hands over is refused in one sentence by every command that opens it."""

import errno
import os
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.commands.check_source import check_source
from orchestration.commands.correct import correct
from orchestration.commands.evidence import evidence
from orchestration.commands.panel import panel
from orchestration.commands.policy import policy, register
from orchestration.commands.public import public
from orchestration.commands.publications import rollback, verify
from orchestration.commands.reproduce import reproduce
from orchestration.commands.run_specs import run_specs
from orchestration.commands.sql import WRITERS, run_sql
from orchestration.commands.why import why
from orchestration.deposit.write import deposit
from orchestration.home import REPO
from tests.orchestration.commands.test_public import few_things, handed_over
from tests.orchestration.conftest import end_of
from tests.warehouse.ingest.test_landing import socket_at
from tests.warehouse.publication.small import made_writable, run_of
from tests.warehouse.publication.test_foreign import SPEC
from tests.warehouse.publication.test_verification import SECRET, forge
from warehouse.ingest.drafting.new_source import new_source
from warehouse.publication.foreign import DATABASE
from warehouse.publication.publish import switch

__all__ = ["few_things", "handed_over"]
RUN = run_of(2)
LIST = "list.csv"
CELL = ("110000", "gdp", "2010")
COMMANDS: dict[str, Callable[[Path], int]] = {
    "verify": lambda home: end_of(verify, None),
    "reproduce": lambda home: end_of(reproduce, None, None),
    "rollback": lambda home: end_of(rollback, RUN),
    "public": lambda home: end_of(public, str(home / "web" / "out")),
    "deposit": lambda home: end_of(deposit, None),
    "panel": lambda home: end_of(panel, str(home / "panel"), False, False),
    "correct": lambda home: end_of(correct, *CELL, "1", "2", "a document"),
    "sql": lambda home: end_of(run_sql, "from marts.things"),
    "why": lambda home: end_of(why, *CELL, None, False, str(home / "why.html"), False),
    "evidence": lambda home: end_of(evidence, None, False),
    "policy": lambda home: end_of(policy, str(home / LIST), None, None),
    "register": lambda home: end_of(register, str(home / LIST)),
    "check-source": lambda home: end_of(check_source, str(home.parent)),
}
# They are given a database alone, without a manifest.
OF_A_DATABASE: dict[str, Callable[[Path], int]] = {
    "run": lambda home: end_of(run_specs, str(home / "published" / DATABASE), [SPEC], None, None),
    "new-source": lambda home: end_of(
        new_source, str(home.parent), None, None, str(home / "published" / DATABASE)
    ),
}


@pytest.fixture
def home(handed_over: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (handed_over / LIST).write_text("city,date\n110000,2015-03-07\n", encoding="utf-8")
    monkeypatch.chdir(handed_over / "published")  # a socket's path must be short
    return handed_over


def without_file(name: str) -> Callable[[Path], object]:
    def change(published: Path) -> None:
        (published / name).unlink()
        forge(published)

    return change


def with_text(name: str, text: str) -> Callable[[Path], object]:
    def change(published: Path) -> None:
        (published / name).write_text(text, encoding="utf-8")
        forge(published)

    return change


def with_sql(statement: str) -> Callable[[Path], object]:
    return lambda published: forge(published, statement)


def with_parts(**parts: object) -> Callable[[Path], object]:
    return lambda published: forge(published, **parts)


def elsewhere(name: str, lay: Callable[[Path], object]) -> Callable[[Path], object]:
    """Move a file out of the publication, and lay something else in its place."""

    def change(published: Path) -> None:
        (published / name).rename(published.parent / "elsewhere")
        lay(published / name)

    return change


def damaged_block(published: Path) -> None:
    """Overwrite what lies behind the headers of the database, and hash it again."""
    path = published / DATABASE
    content = path.read_bytes()
    path.write_bytes(content[:12288] + bytes(len(content) - 12288))
    forge(published)


def of_another_kind(published: Path) -> None:
    """A database that DuckDB opens with an extension, which it would fetch."""
    (published / DATABASE).unlink()
    with sqlite3.connect(published / DATABASE) as con:
        con.execute("create table things (k integer)")
    forge(published)


MANY = "create table marts.more as select 1 as k from range(200000000)"
WRITES = f"from enable_logging('QueryLog', storage := 'file', storage_path := '{SECRET}.log')"
# What somebody lays into the folder, and the words by which it is refused.
INTO_THE_FOLDER: dict[str, tuple[Callable[[Path], object], str]] = {
    "a link to a secret": (
        lambda published: Path("report/more.html").symlink_to(SECRET),
        "report/more.html",
    ),
    "a link to a folder": (lambda published: Path("report/more").symlink_to("/etc"), "report/more"),
    "a page that is a link": (
        elsewhere("report/index.html", lambda path: path.symlink_to(SECRET)),
        "report/index.html",
    ),
    "a pipe among the tables": (
        lambda published: os.mkfifo("parquet/meta/more.parquet"),
        "parquet/meta/more.parquet",
    ),
    "a pipe in the place of a page": (
        elsewhere("report/index.html", os.mkfifo),
        "report/index.html",
    ),
    "a manifest that is a pipe": (elsewhere("manifest.json", os.mkfifo), "manifest.json"),
    "a socket": (lambda published: socket_at(Path("report/more")), "report/more"),
    "a database that is a link": (
        elsewhere(DATABASE, lambda path: path.symlink_to("../elsewhere")),
        DATABASE,
    ),
    "a manifest of a list": (lambda published: Path("manifest.json").write_text("[]"), "manifest"),
    "a manifest without end": (
        lambda published: Path("manifest.json").write_text("[" * 200_000),
        "manifest",
    ),
    "a run id that is a path": (with_parts(run_id="../../evil"), "run_id"),
    "inputs far away": (
        with_parts(inputs=[{"path": "/etc/passwd", "sha256": "0" * 64}]),
        "inputs",
    ),
    "files that climb": (with_parts(files={"../../x": {"sha256": "0" * 64, "bytes": 1}}), "files"),
    "tables of other files": (
        with_parts(tables={"marts.a": {"sha256": "0" * 64, "rows": 1, "parquet": "/etc/*"}}),
        "tables",
    ),
}
# What somebody puts into the database.
INTO_THE_DATABASE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a view of a file": (
        with_sql(f"create view marts.more as from read_text('{SECRET}')"),
        "view marts.more",
    ),
    "a view in a table's place": (
        with_sql(f"drop table meta.run; create view meta.run as from read_text('{SECRET}')"),
        "view meta.run",
    ),
    "a macro that writes": (
        with_sql(f"create macro duckdb_views() as table {WRITES}"),
        "duckdb_views",
    ),
    "a generated column": (
        with_sql("create table marts.more (k integer, x bigint as (k + 1))"),
        "marts.more.x",
    ),
    "a default": (
        with_sql("create table marts.more (k integer default (1 + 1))"),
        "marts.more.k",
    ),
    "a check": (with_sql("create table marts.more (k integer check (k > 0))"), "marts.more"),
    "an index": (with_sql("create index more on marts.things ((k + 1))"), "marts.more"),
    "equal rows without end": (with_sql(MANY), "rows in"),
    "damaged blocks": (damaged_block, DATABASE),
    "a database of SQLite": (of_another_kind, DATABASE),
    "a write left in its midst": (
        lambda published: (published / f"{DATABASE}.wal").write_bytes(b"x"),
        ".wal",
    ),
}
ATTACKS = INTO_THE_FOLDER | INTO_THE_DATABASE
# What only a copy for others is made from, and the words of its refusal.
FOR_OTHERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no data package": (without_file("datapackage.json"), "datapackage.json"),
    "a package that is a list": (with_text("datapackage.json", "[]"), "expected"),
    "a package of nothing": (with_text("datapackage.json", "{}"), "expected"),
    "a package of texts": (with_text("datapackage.json", '{"resources": ["x"]}'), "expected"),
    "no report": (without_file("report/index.html"), "report/index.html"),
    "no sources": (
        lambda published: forge(published, "drop table meta.source"),
        "table meta.source: missing",
    ),
}


def left_behind(home: Path) -> set[str]:
    """Names in the home, where a command may have left its draft."""
    return {
        path.relative_to(home).as_posix()
        for path in home.rglob("*")
        if not path.is_relative_to(home / "publications") and path.name != "refresh.lock"
    }


@pytest.mark.parametrize("name", ATTACKS)
def test_every_command_refuses_it_in_a_sentence(home: Path, name: str, capsys) -> None:
    attack, words = ATTACKS[name]
    forge(home / "published", is_simulated=False)  # a simulated one is compared with no source
    attack(made_writable(home / "published"))
    before = left_behind(home)
    commands = COMMANDS
    if name in INTO_THE_DATABASE:
        commands = COMMANDS | OF_A_DATABASE
    for called, command in commands.items():
        code = command(home)
        said = "".join(capsys.readouterr())
        assert code in (1, 2) and f"exit {code}: " in said.splitlines()[-1], called
        assert words in said and "Traceback" not in said, (called, said)
        assert Path(SECRET).read_text(encoding="utf-8").strip() not in said, called
        assert left_behind(home) == before, called


@pytest.mark.parametrize(("attack", "words"), FOR_OTHERS.values(), ids=FOR_OTHERS)
@pytest.mark.parametrize("name", ["public", "deposit"])
def test_what_a_copy_is_made_from_is_required(
    home: Path, name: str, attack: Callable[[Path], object], words: str, capsys
) -> None:
    attack(home / "published")
    before = left_behind(home)
    code = COMMANDS[name](home)
    said = capsys.readouterr().out
    # a replication folder holds any package as it is
    if name == "deposit" and words == "expected":
        assert code == 0
        return
    assert code == 2 and words in said and "Traceback" not in said
    assert left_behind(home) == before


def test_a_file_on_a_full_disk_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    def fail(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setitem(WRITERS, ".csv", fail)
    assert end_of(run_sql, "select 1", str(home / "out.csv")) == 2
    assert f"{home / 'out.csv'}: the disk is full" in capsys.readouterr().err


def test_a_closed_standard_output_ends_quietly(home: Path) -> None:
    command = f"exec {REPO}/.venv/bin/citysync sql -q 'select 1' >&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["verify", "sql", "panel"])
def test_a_switch_in_between_mixes_no_two_runs(
    home: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """The database and the manifest that a command reads are those of one run."""
    from warehouse.publication import foreign

    checked = foreign.checked_manifest

    def read_and_switch(folder: Path) -> dict:
        switch(home / "published", home / "publications" / run_of(1))
        return checked(folder)

    monkeypatch.setattr(foreign, "checked_manifest", read_and_switch)
    if name == "sql":
        assert end_of(run_sql, "select run_id from meta.run") == 0
        assert RUN in capsys.readouterr().out
        return
    COMMANDS[name](home)
    assert run_of(1) not in capsys.readouterr().out
