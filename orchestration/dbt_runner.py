"""dbt inside this process: parse once, run many times, and leave no open database behind.

Dagster's own dbt resource starts a new Python for every call, which costs more than the SQL. Here
the manifest is parsed only when a file of the project changed (by content), and every run reuses
it. The build folder is read from the environment when a model runs, so the same manifest serves the
counterfactual build.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from orchestration.home import REPO, Home
from orchestration.settings import uses_spark
from orchestration.terminal import progress
from warehouse.hashing import code_files, hash_named_files, hash_parts
from warehouse.whole_files import remove_any

PROJECT = (
    "dbt_project.yml",
    "profiles.yml",
    "requirements/base.txt",
    "warehouse/models",
    "warehouse/macros",
    "warehouse/seeds",
    "warehouse/tests",
)
# dbt's own lines are not for the person at the terminal
QUIET = (
    "--quiet",
    "--log-level=none",
    "--log-level-file=none",
    f"--project-dir={REPO}",
    f"--profiles-dir={REPO}",
)
#: Pair models and what depends on them, which Spark builds where ENGINE=spark.
PAIRS = "tag:pair_grain+"
FAILED = ("error", "fail", "runtime error")


class DbtFailed(Exception):
    """A model could not be built or a data test of our own code failed."""


def failed(result: Any) -> bool:
    """Return whether a node could not be built, or its test found rows."""
    return result.status in FAILED


def ensure_manifest(home: Home) -> Path:
    """Return the path of an up-to-date manifest.json; parses the project only when its files
    changed.

    Every run rewrites dbt's own target folder, and one that is killed leaves half a file there. So
    what parsing gave is kept in a folder of its own, which is named by the project's hash and
    appears whole or not at all; folders of earlier projects go.

    Raises
    ------
    DbtFailed
        If the project does not parse.
    """
    # it holds the checkout's own paths, which are others where that was moved
    project = hash_parts([str(REPO), hash_named_files(REPO, code_files(REPO, PROJECT))])
    folder = home.cache / "dbt_parsed" / project
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        others = list(folder.parent.iterdir())
        with tempfile.TemporaryDirectory(dir=home.cache) as target:
            draft = Path(target) / "parsed"
            parsing = ["parse", "--no-partial-parse", "--target-path", str(draft)]
            invoke(parsing, manifest=None)
            try:
                draft.rename(folder)
            except OSError:
                # another process parsed the same files meanwhile: what it kept is as good
                if not folder.exists():
                    raise
        for other in others:
            remove_any(other)
    return folder / "manifest.json"


class Dbt:
    """dbt in this process, on the project as it is parsed when it is first needed.

    Attributes
    ----------
    home : Home
    """

    def __init__(self, home: Home) -> None:
        self.home = home

    @cached_property
    def manifest(self) -> Any:
        """What dbt makes of a parsed project."""
        from dbt.contracts.graph.manifest import Manifest

        parsed = ensure_manifest(self.home).with_name("partial_parse.msgpack")
        return Manifest.from_msgpack(parsed.read_bytes())

    def run(
        self, command: str, names: Sequence[str], *, build: Path, options: Sequence[str] = ()
    ) -> list[Any]:
        """Run `dbt <command>` on the named nodes with the database of `build`.

        Raises
        ------
        DbtFailed
            If dbt itself fails; failed nodes are returned, not raised, so that a caller can record
            them first.
        """
        # dbt would write results and manifest, which are returned and kept by `ensure_manifest`
        arguments = [command, "--no-write-json"]
        if names:
            arguments += ["--select", " ".join(names)]
        return self.invoke([*arguments, *options], build=build)

    def build_models(
        self,
        names: Sequence[str],
        *,
        build: Path,
        options: Sequence[str],
        pairs: bool,
        tests: bool,
    ) -> list[Any]:
        """Run `dbt build` on the named nodes; with ENGINE=spark the pair models and what depends on
        them are built by Spark and come back as files.

        Parameters
        ----------
        names : sequence of str
            Selectors of dbt.
        build : Path
            Folder of the build.
        options : sequence of str
            Further options of dbt.
        pairs : bool
            Whether there may be pair models among them: Spark is not started for others.
        tests : bool
            Whether Spark runs the data tests too. What came back is tested on DuckDB as `options`
            state, whichever engine built it.

        Returns
        -------
        list
            As `run`; where a node fails before Spark's turn, that is all.

        Raises
        ------
        DbtFailed
            If dbt itself fails, or a model or test on Spark.
        SparkFault
            If Spark cannot work.
        """
        if not (uses_spark() and pairs):
            return self.run("build", names, build=build, options=options)
        from warehouse.spark.engine import SparkFailed, pair_tables

        before = self.run("build", names, build=build, options=[*options, "--exclude", PAIRS])
        if any(failed(result) for result in before):
            return before
        of_pairs = [f"{name},{PAIRS}" for name in names]
        try:
            with pair_tables(build, tests=tests, on_progress=lambda text: progress(f"  {text}")):
                after = self.run("build", of_pairs, build=build, options=options)
        except SparkFailed as error:
            raise DbtFailed(str(error)) from error
        return [*before, *after]

    def invoke(self, arguments: Sequence[str], *, build: Path) -> list[Any]:
        """Return dbt's own result of each node of a command, with the database of `build`; failed
        ones included, empty for a command without nodes.
        """
        # profile and models read it when they run; every call sets its own
        os.environ["CITYSYNC_BUILD"] = str(build)
        return list(getattr(invoke(list(arguments), self.manifest), "results", []))


def raise_on_failure(results: Sequence[Any]) -> None:
    """Raise DbtFailed naming every failed node and what dbt says of it."""
    named = [(r.node.resource_type, r.node.name, r.message) for r in results if failed(r)]
    if named:
        raise DbtFailed("; ".join(f"{kind} {name}: {message}" for kind, name, message in named))


def invoke(arguments: list[str], manifest: Any) -> Any:
    """dbt's result of one command, run in this process, its databases closed afterwards.

    Parameters
    ----------
    arguments : list of str
        The command and its options, such as `["build", "--select", "dim_city"]`.
    manifest : dbt's Manifest or None
        A parsed project to use; None lets dbt parse.

    Raises
    ------
    DbtFailed
        If dbt itself fails, with what it says.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    messages: list[str] = []

    def collect(event: Any) -> None:
        if str(event.info.level) == "error":
            messages.append(event.info.msg)

    try:
        outcome = dbtRunner(manifest=manifest, callbacks=[collect]).invoke([*arguments, *QUIET])
    finally:
        # an open handle would keep every other configuration of this process out of the file
        DuckDBConnectionManager.close_all_connections()
    if outcome.exception is not None:
        raise DbtFailed(f"dbt {arguments[0]} failed: {outcome.exception}") from outcome.exception
    if not outcome.success and not hasattr(outcome.result, "results"):
        raise DbtFailed(f"dbt {arguments[0]} failed: {' '.join(messages) or 'no message'}")
    return outcome.result
