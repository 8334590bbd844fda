"""What somebody else hands over is refused in one sentence by every command that opens it."""

import errno
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
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
from tests.orchestration.conftest import end_of, head
from tests.warehouse.ingest.test_landing import socket_at
from tests.warehouse.publication.small import THINGS, made_writable, put_out, run_of
from tests.warehouse.publication.test_verification import SECRET, SPEC, forge
from warehouse.ingest.drafting.new_source import new_source
from warehouse.publication.manifest import MANIFEST
from warehouse.publication.publish import switch
from warehouse.publication.untrusted import DATABASE

RUN = run_of(2)
LIST, PACKAGE = "list.csv", "datapackage.json"
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


SOURCE = (
    "create table meta.source as select 'tidy' as source_id, '' as description, '' as producer, "
    "'' as title, '' as licence, '' as address, '' as accessed, '' as citation"
)


def hand_over(home: Path, day: int) -> None:
    """Publish a few simulated things, with a manifest as a refresh writes it."""
    sql = (
        f"{THINGS}; {SOURCE}; create table meta.run as select '{run_of(day)}' as run_id, true as ok"
    )
    said = {"git_commit": head(), "started_at": run_of(day), "settings": {}}
    put_out(home, run_of(day), sql, simulated=True, inputs=[], packages={}, **said)


@pytest.fixture(scope="module")
def few_things(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("few")
    hand_over(home, 1)
    hand_over(home, 2)
    return home


@pytest.fixture
def home(few_things: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = shutil.copytree(few_things, tmp_path / "home", symlinks=True)
    made_writable(copy / "published")
    (copy / LIST).write_text("city,date\n110000,2015-03-07\n", encoding="utf-8")
    monkeypatch.setenv("CITYSYNC_HOME", str(copy))
    monkeypatch.chdir(copy / "published")  # a socket's path must be short
    return copy


def with_package(text: str) -> Callable[[Path], object]:
    return lambda published: (published / PACKAGE).write_text(text, encoding="utf-8")


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


MANY = "create table marts.more as select 1 as k from range(20000000)"
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
    "a manifest of a list": (lambda published: Path("manifest.json").write_text("[]"), "manifest"),
    "a manifest without end": (
        lambda published: Path("manifest.json").write_text("[" * 200_000),
        "manifest",
    ),
    "a manifest that was edited": (
        lambda published: (published / MANIFEST).write_bytes(
            (published / MANIFEST).read_bytes() + b"\n"
        ),
        "manifest.json: sha256",
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
    "equal rows without end": (with_sql(MANY), "rows in"),
    "damaged blocks": (damaged_block, DATABASE),
    # and it is not DuckDB's extension for it that says so
    "a database of SQLite": (of_another_kind, "not a valid DuckDB database"),
    "a database that is a link": (
        elsewhere(DATABASE, lambda path: path.symlink_to("../elsewhere")),
        "link",
    ),
    "a write left in its midst": (
        lambda published: (published / f"{DATABASE}.wal").write_bytes(b"x"),
        ".wal",
    ),
}
ATTACKS = INTO_THE_FOLDER | INTO_THE_DATABASE
# What only a copy for others is made from, and the words of its refusal.
FOR_OTHERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no data package": (lambda published: (published / PACKAGE).unlink(), PACKAGE),
    "a package that is a list": (with_package("[]"), "expected"),
    "a package of nothing": (with_package("{}"), "expected"),
    "a package of texts": (with_package('{"resources": ["x"]}'), "expected"),
    "no report": (lambda published: (published / "report/index.html").unlink(), "index.html"),
    "no sources": (
        lambda published: forge(published, "drop table meta.source"),
        "table meta.source: missing",
    ),
    # equal rows take no room, and are copied for minutes
    "a table that is not in the manifest": (
        with_sql("create table estimates.more as select 1 as a from range(1000000)"),
        "'estimates.more'",
    ),
    "more rows than in the manifest": (
        with_sql("insert into marts.things select * from marts.things"),
        "table marts.things: 6 rows",
    ),
    "a table gone": (with_sql("drop table estimates.things"), "table estimates.things: missing"),
}


def left_behind(home: Path) -> set[str]:
    """Names in the home, where a command may have left its draft."""
    return {
        path.relative_to(home).as_posix()
        for path in home.rglob("*")
        if not path.is_relative_to(home / "publications") and path.name != "refresh.lock"
    }


# all commands open a publication by the same functions: each attack meets a third of them, which
# are other ones for the next attack, and in `make test-full` the rest
@pytest.mark.parametrize("turn", [0, *(pytest.param(n, marks=pytest.mark.full) for n in (1, 2))])
@pytest.mark.parametrize("name", ATTACKS)
def test_every_command_refuses_it_in_a_sentence(home: Path, name: str, turn: int, capsys) -> None:
    attack, words = ATTACKS[name]
    forge(home / "published", is_simulated=False)  # a simulated one is compared with no source
    attack(made_writable(home / "published"))
    before = left_behind(home)
    commands = COMMANDS
    if name in INTO_THE_DATABASE:
        commands = COMMANDS | OF_A_DATABASE
    first = ([*ATTACKS].index(name) + turn) % 3
    for called, command in [*commands.items()][first::3]:
        code = command(home)
        said = "".join(capsys.readouterr())
        assert code in (1, 2) and f"exit {code}: " in said.splitlines()[-1], called
        assert words in said and "Traceback" not in said, (called, said)
        assert Path(SECRET).read_text(encoding="utf-8").strip() not in said, called
        assert left_behind(home) == before, called


def what_came_of(home: Path) -> list[Path]:
    """Everything that a command wrote to be passed on, and what it left behind."""
    folders = [home / "web", home / "deposit"]
    return [path for folder in folders if folder.exists() for path in folder.rglob("*")]


@pytest.mark.parametrize("name", ["public", "deposit"])
def test_what_is_as_it_was_published_is_passed_on(home: Path, name: str, capsys) -> None:
    assert COMMANDS[name](home) == 0, capsys.readouterr()
    assert any(path.name == "things.parquet" for path in what_came_of(home))
    for sums in [path for path in what_came_of(home) if path.name == "SHA256SUMS"]:
        folder, n_files = sums.parent, len(sums.read_text(encoding="utf-8").splitlines())
        subprocess.run(["sha256sum", "--quiet", "-c", sums.name], cwd=folder, check=True)
        assert n_files == sum(path.is_file() for path in folder.rglob("*")) - 1


@pytest.mark.parametrize(
    ("name", "attack", "words"),
    [
        (name, attack, words)
        for attack, words in FOR_OTHERS.values()
        for name in ("public", "deposit")
        # a replication folder holds any package as it is
        if name == "public" or words != "expected"
    ],
)
def test_what_a_copy_is_made_from_is_required(
    home: Path, name: str, attack: Callable[[Path], object], words: str, capsys
) -> None:
    attack(home / "published")
    forge(home / "published")
    before = left_behind(home)
    code = COMMANDS[name](home)
    said = capsys.readouterr().out
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


@pytest.mark.parametrize("words", ["", "-q 'select 1'"])
@pytest.mark.parametrize("to", [">&-", "| true"])
def test_a_standard_output_that_nobody_reads_ends_quietly(home: Path, words: str, to: str) -> None:
    command = f"set -o pipefail; {REPO}/.venv/bin/citysync sql {words} {to}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["verify", "sql", "panel", "public", "deposit"])
def test_a_switch_in_between_mixes_no_two_runs(
    home: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """The database and the manifest that a command reads are those of one run."""
    from warehouse.publication import untrusted

    checked = untrusted.checked_manifest

    def read_and_switch(folder: Path) -> dict:
        switch(home / "published", home / "publications" / run_of(1))
        return checked(folder)

    monkeypatch.setattr(untrusted, "checked_manifest", read_and_switch)
    if name == "sql":
        assert end_of(run_sql, "select run_id from meta.run") == 0
        assert RUN in capsys.readouterr().out
        return
    COMMANDS[name](home)
    assert run_of(1) not in capsys.readouterr().out
    paths = {path.relative_to(path.parents[1]).as_posix(): path for path in what_came_of(home)}
    if name in ("public", "deposit"):
        assert pd.read_parquet(paths["meta/run.parquet"])["run_id"].tolist() == [RUN]
        manifests = [path for path in paths.values() if path.name == MANIFEST]
        assert [RUN in path.read_text() for path in manifests] == [True]


@pytest.mark.parametrize(
    ("spec", "content", "said"),
    [
        ("headlin", None, "did you mean baseline.cm_growth_official.headline"),
        ("headline", None, "w.duckdb"),
        ("headline", b"no database", "w.duckdb"),
    ],
)
def test_what_it_cannot_find_is_named(capsys, tmp_path, spec, content, said):
    path = tmp_path / "w.duckdb"
    if content is not None:
        path.write_bytes(content)
    asked = (str(path), [f"baseline.cm_growth_official.{spec}"], None, None)
    assert end_of(run_specs, *asked) == 2 and said in capsys.readouterr().out
