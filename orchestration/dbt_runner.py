"""dbt inside this process: parse once, run many times, and leave no open database behind.

Dagster's own dbt resource starts a new Python for every call, which costs more than the SQL. Here
the manifest is parsed only when a file of the project changed (by content), and every run reuses
it. The build folder is read from the environment when a model runs, so the same manifest serves the
counterfactual build.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration.home import REPO, Home
from orchestration.terminal import say
from warehouse.hashing import code_files, hash_file, hash_named_files
from warehouse.whole_files import remove_any

PROJECT = (
    *("dbt_project.yml", "profiles.yml", "requirements/base.txt"),
    *("warehouse/models", "warehouse/macros", "warehouse/seeds", "warehouse/tests"),
)
# what is kept of a parse, and the file that holds their hashes
PARSED, HASHES = ("manifest.json", "partial_parse.msgpack"), "sha256.json"
# a draft this old was left by a run that was killed
DRAFT, DRAFT_SECONDS = ".draft-", 3600
_MOST_TRIES = 3
FAILED = ("error", "fail", "runtime error")


class DbtFailed(Exception):
    """A model could not be built or a data test of our own code failed."""


@dataclass(frozen=True)
class NodeResult:
    """What dbt says of one node.

    `name`, `kind` (model, seed, test, unit_test), `status`, `seconds`, `failures` (rows),
    `message`, and the `sql` it ran.
    """

    unique_id: str
    name: str
    kind: str
    status: str
    seconds: float
    failures: int | None
    message: str
    sql: str = ""

    @property
    def failed(self) -> bool:
        """Whether the node could not be built, or its test found rows."""
        return self.status in FAILED


def project_hash() -> str:
    """Hash of every file that dbt parses."""
    return hash_named_files(REPO, code_files(REPO, PROJECT))


def ensure_manifest(home: Home) -> Path:
    """Path of an up-to-date manifest.json; parses the project only when its files changed.

    Every run rewrites dbt's own target folder, and one that is killed leaves half a file there. So
    what parsing gave is kept in a folder of its own, which is named by the project's hash and
    appears whole or not at all.

    Raises
    ------
    DbtFailed
        If the project does not parse.
    """
    folder = _parsed_project(home)
    if folder.exists() and not _is_as_written(folder):
        say("  cache: the parsed project is not as it was written: thrown away and made again")
        remove_any(folder)
    if not folder.exists():
        _parse_into(folder)
    return folder / "manifest.json"


def _parsed_project(home: Home) -> Path:
    return home.cache / "dbt_parsed" / project_hash()


def _is_as_written(folder: Path) -> bool:
    """Whether both files have the hashes that were taken of them: one flipped byte may still be
    JSON, and another project.
    """
    try:
        hashes = json.loads((folder / HASHES).read_text(encoding="utf-8"))
        return hashes == _hashes(folder)
    except (OSError, ValueError, RecursionError):
        return False


def _hashes(folder: Path) -> dict[str, str]:
    return {name: hash_file(folder / name) for name in PARSED}


def _parse_into(folder: Path) -> None:
    """Parse the project beside the folder, move it there whole, and remove what earlier projects
    and killed runs left.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=folder.parent))
    invoke(["parse", "--no-partial-parse", "--target-path", str(draft)], manifest=None)
    (draft / HASHES).write_text(json.dumps(_hashes(draft)), encoding="utf-8")
    try:
        draft.rename(folder)
    except OSError:
        # another process parsed the same files at the same time: what it kept is as good
        if not folder.exists():
            raise
    for other in folder.parent.iterdir():
        if other != folder and not _is_being_written(other):
            with suppress(OSError):
                remove_any(other)


def _is_being_written(folder: Path) -> bool:
    return (
        folder.name.startswith(DRAFT)
        and folder.exists()
        and time.time() - folder.stat().st_mtime < DRAFT_SECONDS
    )


def run_dbt(
    home: Home, command: str, names: Sequence[str], *, build: Path, options: Sequence[str] = ()
) -> list[NodeResult]:
    """Run `dbt <command>` on the named nodes with the database of `build`.

    Raises
    ------
    DbtFailed
        If dbt itself fails; failed nodes are returned, not raised, so that a caller can record them
        first.
    """
    return invoke_on_manifest(
        home, [command, *(["--select", " ".join(names)] if names else []), *options], build=build
    )


def invoke_on_manifest(home: Home, arguments: list[str], *, build: Path) -> list[NodeResult]:
    """`invoke` on the parsed project, with the database of `build`."""
    manifest = _load_manifest(home)
    with _build_folder(build):
        return invoke(arguments, manifest=manifest)


def raise_on_failure(results: Sequence[NodeResult]) -> None:
    """Raise DbtFailed naming every failed node and what dbt says of it."""
    failed = [r for r in results if r.failed]
    if failed:
        raise DbtFailed("; ".join(f"{r.kind} {r.name}: {r.message}" for r in failed))


@contextmanager
def _build_folder(build: Path) -> Iterator[None]:
    before = os.environ.get("CITYSYNC_BUILD")
    os.environ["CITYSYNC_BUILD"] = str(build)
    try:
        yield
    finally:
        if before is None:
            del os.environ["CITYSYNC_BUILD"]
        else:
            os.environ["CITYSYNC_BUILD"] = before


def _load_manifest(home: Home) -> Any:
    """The parsed project, as dbt holds it in memory.

    Raises
    ------
    DbtFailed
        If the project does not parse.
    """
    from dbt.contracts.graph.manifest import Manifest

    for _ in range(_MOST_TRIES):
        # one folder from here on: the files of the project may change while a run works, and a run
        # of other files may remove this folder
        folder = ensure_manifest(home).parent
        with suppress(FileNotFoundError):
            return Manifest.from_msgpack((folder / PARSED[1]).read_bytes())
    raise DbtFailed(
        f"{folder}: expected the parsed project, removed {_MOST_TRIES} times while it was read; "
        "run one refresh at a time"
    )


def invoke(arguments: list[str], manifest: Any) -> list[NodeResult]:
    """Run one dbt command in this process, and close its databases afterwards.

    Parameters
    ----------
    arguments : list of str
        The command and its options, such as `["build", "--select", "dim_city"]`.
    manifest : dbt's Manifest or None
        A parsed project to use; None lets dbt parse.

    Returns
    -------
    list of NodeResult
        One per node that dbt ran, failed ones included; empty for a command without nodes.

    Raises
    ------
    DbtFailed
        If dbt itself fails, with what it says.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    messages: list[str] = []
    quiet = [
        "--quiet",
        "--log-level",
        "none",
        "--log-level-file",
        "none",
        "--project-dir",
        str(REPO),
        "--profiles-dir",
        str(REPO),
    ]
    try:
        outcome = dbtRunner(manifest=manifest, callbacks=[_error_collector(messages)]).invoke(
            [*arguments, *quiet]
        )
    finally:
        # an open handle would keep every other configuration of this process out of the file
        DuckDBConnectionManager.close_all_connections()
    if outcome.exception is not None:
        raise DbtFailed(f"dbt {arguments[0]} failed: {outcome.exception}") from outcome.exception
    if not outcome.success and not hasattr(outcome.result, "results"):
        raise DbtFailed(f"dbt {arguments[0]} failed: {' '.join(messages) or 'no message'}")
    return [_node_result(result) for result in getattr(outcome.result, "results", [])]


def _error_collector(messages: list[str]) -> Callable[[Any], None]:
    def collect(event: Any) -> None:
        if str(event.info.level) == "error":
            messages.append(event.info.msg)

    return collect


def _node_result(result: Any) -> NodeResult:
    node = result.node
    return NodeResult(
        unique_id=node.unique_id,
        name=node.name,
        kind=str(node.resource_type),
        status=str(result.status),
        seconds=float(result.execution_time),
        failures=result.failures,
        message=result.message or "",
        sql=getattr(node, "compiled_code", None) or "",
    )
