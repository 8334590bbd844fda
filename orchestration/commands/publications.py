"""`make verify`, `make rollback` and `make reproduce`: what an operator does with publications after they were made."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from orchestration.home import REPO, Home, RefreshRunning, hold_lock
from orchestration.terminal import Exit, say
from warehouse.hashing import hash_file
from warehouse.publication.errors import PublishError
from warehouse.publication.manifest import MANIFEST, read_manifest
from warehouse.publication.publish import switch
from warehouse.publication.verification import verify_publication


def publications_of(home: Home) -> list[str]:
    """Run ids of the publications that are kept, oldest first."""
    store = home.root / "publications"
    return sorted(p.name for p in store.iterdir() if not p.name.startswith(".")) if store.is_dir() else []


def verify(run_id: str | None) -> int:
    """Hash everything published again; 0 where nothing changed, 1 with a line per fault, 2 where there is nothing to verify."""
    home = Home.from_environment()
    try:
        folder = _folder(home, run_id)
        faults = verify_publication(folder)
    except (FileNotFoundError, PublishError) as error:
        return _end("verify", Exit.BAD_INPUT, str(error))
    for fault in faults:
        say(fault)
    if faults:
        return _end("verify", Exit.FAILED, f"{len(faults)} faults in {folder.resolve()}: roll back (`make rollback`) or publish again")
    manifest = read_manifest(folder)
    say(f"cite as: citysync run {manifest['run_id']}, manifest sha256 {hash_file(folder / MANIFEST)}")
    return _end(
        "verify", Exit.DONE, f"{len(manifest['files'])} files and {len(manifest['tables'])} tables are as published in {folder.resolve()}"
    )


def rollback(run_id: str | None) -> int:
    """Let `published` point at an earlier publication that is kept and unchanged; 2 where there is none, 3 during a refresh."""
    home = Home.from_environment()
    try:
        with hold_lock(home):
            target = _rollback_target(home, run_id)
            faults = verify_publication(target)
            if faults:
                raise PublishError(f"{target} is not as it was published, so it is not put back: {faults[0]}")
            switch(home.published, target)
    except RefreshRunning as error:
        return _end("rollback", Exit.RUNNING, str(error))
    except (FileNotFoundError, PublishError) as error:
        return _end("rollback", Exit.BAD_INPUT, str(error))
    return _end("rollback", Exit.DONE, f"{home.published} is now run {target.name}; the next refresh publishes as usual")


def reproduce(run_id: str | None, landing: str | None) -> int:
    """Build a publication again from its inputs and compare the hash of every table; 0 where all are equal, 1 where one differs."""
    home = Home.from_environment()
    try:
        folder = _folder(home, run_id)
        manifest = read_manifest(folder)
        _require_inputs(manifest, landing)
    except (FileNotFoundError, PublishError) as error:
        return _end("reproduce", Exit.BAD_INPUT, str(error))
    scratch = home.root / "reproduced" / manifest["run_id"]
    say(f"run {manifest['run_id']}, made from commit {manifest['git_commit']}, is built again in {scratch}")
    environment = {
        **os.environ,
        **manifest.get("settings", {}),
        "CITYSYNC_HOME": str(scratch),
        "CITYSYNC_CACHE": str(home.cache),
        "FORCE": "1",
    }
    for name in ("CITYSYNC_BUILD", "CITYSYNC_LANDING"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "orchestration", "refresh", *(["--landing", str(Path(landing).absolute())] if landing else [])]
    if subprocess.run(command, cwd=REPO, env=environment, check=False).returncode:  # noqa: S603 (our own command)
        return _end("reproduce", Exit.FAILED, "the refresh did not publish; its last line says why")
    again = read_manifest(scratch / "published")
    return _compare(manifest, again)


def _compare(first: dict[str, Any], again: dict[str, Any]) -> int:
    """Tables but those of `meta`, which hold the run's own id and time."""
    names = sorted(n for n in {*first["tables"], *again["tables"]} if not n.startswith("meta."))
    differing = [name for name in names if first["tables"].get(name) != again["tables"].get(name)]
    for name in differing:
        say(f"{name}: {first['tables'].get(name)} published, {again['tables'].get(name)} now")
    if not differing:
        return _end("reproduce", Exit.DONE, f"all {len(names)} tables have the hashes of run {first['run_id']}")
    hint = (
        ""
        if first["git_commit"] == again["git_commit"]
        else f"; it was made from commit {first['git_commit']}, this checkout is {again['git_commit']}"
    )
    changed = [n for n in {*first["packages"], *again["packages"]} if first["packages"].get(n) != again["packages"].get(n)]
    hint += f"; other versions of {', '.join(sorted(changed))}" if changed else ""
    return _end("reproduce", Exit.FAILED, f"{len(differing)} of {len(names)} tables differ{hint}")


def _require_inputs(manifest: dict[str, Any], landing: str | None) -> None:
    if manifest["is_simulated"]:
        if landing:
            raise PublishError(f"run {manifest['run_id']} was made from the simulated landing: leave LANDING out")
        return
    if not landing:
        raise PublishError(f"run {manifest['run_id']} was made from delivered files: give the folder that holds them as LANDING=path")
    for entry in manifest["inputs"]:
        path = Path(landing) / entry["path"]
        if not path.is_file():
            raise PublishError(f"{path} is missing: expected the file of run {manifest['run_id']} with sha256 {entry['sha256']}")
        if hash_file(path) != entry["sha256"]:
            raise PublishError(f"{path}: sha256 {hash_file(path)}, expected {entry['sha256']} as in run {manifest['run_id']}")


def _folder(home: Home, run_id: str | None) -> Path:
    """The publication of a run id, the current one without an id."""
    if not run_id:
        if not (home.published / MANIFEST).exists():
            raise FileNotFoundError(f"{home.published} does not exist: nothing has been published in this home; run `make refresh` first")
        return home.published
    if run_id not in publications_of(home):
        kept = ", ".join(publications_of(home)) or "none"
        raise PublishError(f"run {run_id!r} is not kept in {home.root / 'publications'}: kept are {kept}")
    return home.root / "publications" / run_id


def _rollback_target(home: Home, run_id: str | None) -> Path:
    if run_id:
        return _folder(home, run_id)
    current = _folder(home, None).resolve().name
    earlier = [name for name in publications_of(home) if name < current]
    if not earlier:
        raise PublishError(
            f"there is no publication before {current} in {home.root / 'publications'}: kept are {', '.join(publications_of(home))}"
        )
    return home.root / "publications" / earlier[-1]


def _end(command: str, code: Exit, reason: str) -> Exit:
    """Say how a command ended; its exit code."""
    say(f"citysync {command}: exit {code}: {reason}")
    return code
