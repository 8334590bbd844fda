"""dbt's own documentation of a build: one static page, and the two files that dbt's tools read."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from orchestration.dbt_runner import ensure_manifest, invoke_on_manifest
from orchestration.home import Home

#: What dbt writes, and the name under which it is kept.
FILES = {"static_index.html": "index.html", "manifest.json": "manifest.json", "catalog.json": "catalog.json"}


def write_dbt_docs(home: Home, folder: Path) -> None:
    """Write dbt's documentation of the home's build.

    Parameters
    ----------
    home : Home
        Its build holds the tables that are described.
    folder : Path
        Receives ``index.html`` (complete in itself, it needs no network), ``manifest.json`` and ``catalog.json``; what was there is replaced.

    Raises
    ------
    DbtFailed
        If dbt fails.
    """
    with tempfile.TemporaryDirectory(dir=home.build) as target:
        # dbt reads the manifest back from where it would have compiled it
        shutil.copy(ensure_manifest(home), target)
        # compiling every model again would double the time; what a model ran stands in the Dagster UI
        invoke_on_manifest(home, ["docs", "generate", "--static", "--no-compile", "--target-path", target], build=home.build)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for made, kept in FILES.items():
            shutil.move(Path(target) / made, folder / kept)
