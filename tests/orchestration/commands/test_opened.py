"""What somebody else hands over is refused in one sentence by every command that opens it."""

import errno
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.commands.correct import correct
from orchestration.commands.panel import panel
from orchestration.commands.public import public
from orchestration.commands.publications import rollback, verify
from orchestration.commands.reproduce import reproduce
from orchestration.commands.sql import WRITERS, run_sql
from orchestration.deposit.write import deposit
from orchestration.home import REPO
from tests.orchestration.commands.test_public import hand_over
from tests.orchestration.conftest import end_of
from tests.warehouse.ingest.test_landing import socket_at
from tests.warehouse.publication.small import made_writable, run_of
from tests.warehouse.publication.test_verification import SECRET, forge
from warehouse.publication.publish import switch

RUN = run_of(2)
COMMANDS: dict[str, Callable[[Path], int]] = {
    "verify": lambda home: end_of(verify, None),
    "reproduce": lambda home: end_of(reproduce, None, None),
    "rollback": lambda home: end_of(rollback, RUN),
    "public": lambda home: end_of(public, str(home / "web" / "out")),
    "deposit": lambda home: end_of(deposit, None),
    "panel": lambda home: end_of(panel, str(home / "panel"), False, False),
    "correct": lambda home: end_of(correct, "110000", "gdp", "2010", "1", "2", "a document"),
    "sql": lambda home: end_of(run_sql, "from marts.things"),
}


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("two")
    hand_over(home, 1)
    hand_over(home, 2)
    return home


@pytest.fixture
def home(two_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = shutil.copytree(two_runs, tmp_path / "home", symlinks=True)
    made_writable(copy / "published")
    monkeypatch.setenv("CITYSYNC_HOME", str(copy))
    monkeypatch.chdir(copy / "published")  # a socket's path must be short
    return copy


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


def damaged_block(published: Path) -> None:
    """Overwrite what lies behind the headers of the database, and hash it again."""
    path = published / "citysync.duckdb"
    content = path.read_bytes()
    path.write_bytes(content[:12288] + bytes(len(content) - 12288))
    forge(published)


def bomb(published: Path) -> None:
    forge(published, "create table marts.more as select 1 as k from range(200000000)")


ATTACKS: dict[str, Callable[[Path], object]] = {
    "a link to a secret": lambda published: Path("report/more.html").symlink_to(SECRET),
    "a pipe among the tables": lambda published: os.mkfifo("parquet/meta/more.parquet"),
    "a socket": lambda published: socket_at(Path("report/more")),
    "a database that is a link": lambda published: (
        Path("citysync.duckdb").rename("../elsewhere"),
        Path("citysync.duckdb").symlink_to("../elsewhere"),
    ),
    "a view of a file": lambda published: forge(
        published, f"create view marts.more as from read_text('{SECRET}')"
    ),
    "a generated column": lambda published: forge(
        published, "create table marts.more (k integer, x bigint as (k + 1))"
    ),
    "equal rows without end": bomb,
    "damaged blocks": damaged_block,
    "a manifest of a list": lambda published: Path("manifest.json").write_text("[]"),
    "a run id that is a path": lambda published: forge(published, run_id="../../evil"),
    "inputs far away": lambda published: forge(
        published, inputs=[{"path": "/etc/passwd", "sha256": "0" * 64}]
    ),
}
# What only a copy for others is made from, and the words of its refusal.
FOR_OTHERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no data package": (without_file("datapackage.json"), "datapackage.json"),
    "a package that is a list": (with_text("datapackage.json", "[]"), "expected"),
    "a package of nothing": (with_text("datapackage.json", "{}"), "expected"),
    "a package of texts": (with_text("datapackage.json", '{"resources": ["x"]}'), "expected"),
    "no report": (without_file("report/index.html"), "report/index.html"),
    "no sources": (
        lambda published: forge(published, "drop table meta.source"),
        "'meta.source': missing",
    ),
}


def left_behind(home: Path) -> set[str]:
    """Names in the home, where a command may have left its draft."""
    return {
        path.relative_to(home).as_posix()
        for path in home.rglob("*")
        if not path.is_relative_to(home / "publications") and path.name != "refresh.lock"
    }


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_every_command_refuses_it_in_a_sentence(
    home: Path, attack: Callable[[Path], object], capsys
) -> None:
    attack(home / "published")
    before = left_behind(home)
    for name, command in COMMANDS.items():
        code = command(home)
        said = "".join(capsys.readouterr())
        assert code in (1, 2) and f"exit {code}: " in said.splitlines()[-1], name
        assert "Traceback" not in said, name
        assert Path(SECRET).read_text(encoding="utf-8").strip() not in said, name
        assert left_behind(home) == before, name


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
