"""`citysync reproduce`: a publication is built again from its inputs, and the hashes of its tables
are compared.

The publication may have been handed over by somebody else, so its manifest is data: settings are
those of `run_settings`, paths stay inside the landing, and everything else is only compared or
shown.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import Any

from orchestration.commands.publications import publication_folder
from orchestration.home import REPO, Home, python_version
from orchestration.run_settings import SETTINGS, SettingError, check_recorded
from orchestration.supervision import hold_lock
from orchestration.terminal import Exit, end_command, say
from warehouse.publication.delivered import input_faults
from warehouse.publication.errors import PublishError
from warehouse.publication.foreign import Publication, open_publication
from warehouse.publication.manifest import MANIFEST, MENDED, read_manifest
from warehouse.publication.verification import verify_files

# what each part of a manifest must be before it is used
RUN_ID = re.compile(r"[0-9]{8}T[0-9]{6}\.[0-9]{6}Z")
COMMIT = re.compile(r"unknown|[0-9a-f]{7,64}(\+changes)?")
SHA256 = re.compile(r"[0-9a-f]{64}")
PYTHON = re.compile(r"3\.[0-9]{1,2}")


def reproduce(run_id: str | None, landing: str | None) -> int:
    """Build a publication again from its inputs and compare the hash of every table.

    Parameters
    ----------
    run_id : run id of a publication that is kept; None for the current one.
    landing : folder with the delivered files of that run; None for a simulated one.

    Returns
    -------
    int
        0 where all tables are equal, 1 where one differs or the run was not published again, 2
        where the manifest or the landing cannot be used, 3 while another command works in this
        home.
    """
    home = Home.from_environment()
    with hold_lock(home, "reproduce"):
        return _reproduce(home, run_id, landing)


def _reproduce(home: Home, run_id: str | None, landing: str | None) -> int:
    manifest = read_foreign_manifest(publication_folder(home, run_id))
    _require_inputs(manifest, landing)
    scratch = home.root / "reproduced" / manifest["run_id"]
    say(
        f"run {manifest['run_id']}, made from commit {manifest['git_commit']}, is built again in "
        f"{scratch}"
    )
    made_with = manifest["packages"].get("python", python_version())
    if made_with != python_version():
        say(
            f"it was made with Python {made_with}, this is {python_version()}, for which the lock "
            "file may hold other packages: last "
            "digits may differ; for the same hashes remove .venv, then give "
            f"PYTHON=python{made_with}"
        )
    command = [
        sys.executable,
        "-m",
        "orchestration",
        "refresh",
        *([f"--landing={Path(landing).absolute()}"] if landing else []),
    ]
    # this process's environment with the settings of the run in the place of its own
    not_ours = (*SETTINGS, "CITYSYNC_BUILD", "CITYSYNC_LANDING")
    environment = {
        **{name: value for name, value in os.environ.items() if name not in not_ours},
        **manifest["settings"],
        "CITYSYNC_HOME": str(scratch),
        "CITYSYNC_CACHE": str(home.cache),
        # the scratch home may hold an earlier attempt with other files: that is no loss
        "FORCE": "1",
        "CONFIRM_SHRINK": "1",
    }
    if subprocess.run(
        command, cwd=REPO, env=environment, check=False
    ).returncode:  # our own command
        return end_command(Exit.FAILED, "the refresh did not publish; its last line says why")
    return _compare(manifest, read_foreign_manifest(scratch / "published"))


def read_foreign_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a publication that anybody may have written, with every part that is used
    checked first.

    Raises
    ------
    PublishError
        Naming the manifest, the part, what was expected and what was found.
    """
    path = folder / MANIFEST
    manifest = read_manifest(folder)
    try:
        settings = check_recorded(manifest.get("settings", {}))
    except SettingError as error:
        raise PublishError(f"{path}: {error}") from None
    expected = {
        "run_id": _is_text(manifest.get("run_id"), RUN_ID),
        "git_commit": _is_text(manifest.get("git_commit"), COMMIT),
        "is_simulated": isinstance(manifest.get("is_simulated"), bool),
        "inputs": isinstance(manifest.get("inputs"), list)
        and all(_is_input(entry) for entry in manifest["inputs"]),
        "tables": isinstance(manifest.get("tables"), dict)
        and all(isinstance(entry, dict) for entry in manifest["tables"].values()),
        "packages": isinstance(manifest.get("packages"), dict)
        and _is_text(manifest["packages"].get("python", "3.11"), PYTHON),
    }
    for name, holds in expected.items():
        if not holds:
            found = str(manifest.get(name))[:120]
            raise PublishError(
                f"{path}: {name} is {found!r}: expected it as `make refresh` writes it; take the "
                "whole publication again"
            )
    return {**manifest, "settings": settings}


def open_to_pass_on(publication: Path) -> Publication:
    """Open a publication that anybody may have written, for a command that copies it to others.

    Raises
    ------
    PublishError
        As `open_publication` and `read_foreign_manifest`, or if its files are not those of its
        manifest.
    """
    found = open_publication(publication)
    manifest = read_foreign_manifest(found.folder)
    faults = verify_files(found.folder)
    if faults:
        raise PublishError(f"{faults[0]}; {MENDED}")
    return Publication(found.folder, manifest)


def _is_text(value: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_input(entry: object) -> bool:
    """A file inside the landing and its hash, which what was not opened (a link, a pipe)
    has not.
    """
    if not (isinstance(entry, dict) and isinstance(entry.get("path"), str) and "sha256" in entry):
        return False
    if entry["sha256"] is not None and not _is_text(entry["sha256"], SHA256):
        return False
    path = PurePosixPath(entry["path"])
    return not path.is_absolute() and ".." not in path.parts and "\0" not in entry["path"]


def _compare(first: dict[str, Any], again: dict[str, Any]) -> int:
    """Tables but those of `meta`, which hold the run's own id and time."""
    names = sorted(n for n in {*first["tables"], *again["tables"]} if not n.startswith("meta."))
    differing = [name for name in names if first["tables"].get(name) != again["tables"].get(name)]
    for name in differing:
        say(f"{name}: {first['tables'].get(name)} published, {again['tables'].get(name)} now")
    if not differing:
        return end_command(
            Exit.DONE,
            f"all {len(names)} tables have the hashes of run {first['run_id']}",
        )
    hint = (
        ""
        if first["git_commit"] == again["git_commit"]
        else (
            f"; it was made from commit {first['git_commit']}, this checkout is "
            f"{again['git_commit']}"
        )
    )
    changed = [
        n
        for n in {*first["packages"], *again["packages"]}
        if first["packages"].get(n) != again["packages"].get(n)
    ]
    hint += f"; other versions of {', '.join(sorted(changed))}" if changed else ""
    return end_command(Exit.FAILED, f"{len(differing)} of {len(names)} tables differ{hint}")


def _require_inputs(manifest: dict[str, Any], landing: str | None) -> None:
    if manifest["is_simulated"]:
        if landing:
            raise PublishError(
                f"run {manifest['run_id']} was made from the simulated landing: leave LANDING out"
            )
        return
    if not landing:
        raise PublishError(
            f"run {manifest['run_id']} was made from delivered files: give the folder that holds "
            "them with --landing"
        )
    inputs = manifest["inputs"]
    present = {entry["path"]: Path(landing) / entry["path"] for entry in inputs}
    for fault in input_faults(inputs, Path(landing), present).values():
        raise PublishError(fault)
