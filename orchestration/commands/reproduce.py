"""`citysync reproduce`: build a publication again from its inputs, and compare the hashes of its
tables.

The publication may have been handed over by somebody else, so its manifest is data: settings are
those of `orchestration/settings.py`, paths stay inside the landing, and everything else is only
compared or shown.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from orchestration.home import REPO, Home, python_version
from orchestration.lock import hold_lock
from orchestration.publication_folders import publication_folder
from orchestration.settings import RECORDED_SETTINGS, check_recorded
from orchestration.terminal import Exit, end_command, say
from warehouse.publication.compare_with_landing import input_faults
from warehouse.publication.errors import PublishError
from warehouse.publication.untrusted import open_publication


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
    manifest = open_publication(publication_folder(home, run_id)).manifest
    settings = check_recorded(manifest.get("settings", {}))
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
            "file may hold other packages: last digits may differ; for the same hashes remove "
            f".venv, then give PYTHON=python{made_with}"
        )
    command = [
        sys.executable,
        "-m",
        "orchestration.command",
        "refresh",
        *([f"--landing={Path(landing).absolute()}"] if landing else []),
    ]
    # this process's environment with the settings of the run in the place of its own
    not_ours = (*RECORDED_SETTINGS, "CITYSYNC_BUILD", "CITYSYNC_LANDING")
    environment = {
        **{name: value for name, value in os.environ.items() if name not in not_ours},
        **settings,
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
    return _compare(manifest, open_publication(scratch / "published").manifest)


def _compare(first: dict[str, Any], again: dict[str, Any]) -> int:
    """Compare two publications by the hashes of their tables, but those of `meta`, which hold the
    run's own id and time.
    """
    every = {*first["tables"], *again["tables"]}
    names = {name for name in every if not name.startswith("meta.")}
    differing = [name for name in _differing(first["tables"], again["tables"]) if name in names]
    if not differing:
        return end_command(
            Exit.DONE, f"all {len(names)} tables have the hashes of run {first['run_id']}"
        )
    for name in differing:
        say(f"{name}: {first['tables'].get(name)} published, {again['tables'].get(name)} now")
    reason = f"{len(differing)} of {len(names)} tables differ"
    if first["git_commit"] != again["git_commit"]:
        reason += (
            f"; it was made from commit {first['git_commit']}, this checkout is "
            f"{again['git_commit']}"
        )
    packages = _differing(first["packages"], again["packages"])
    if packages:
        reason += f"; other versions of {', '.join(packages)}"
    return end_command(Exit.FAILED, reason)


def _differing(first: dict[str, Any], again: dict[str, Any]) -> list[str]:
    """Return the names, sorted, whose values differ."""
    return sorted(name for name in {**first, **again} if first.get(name) != again.get(name))


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
