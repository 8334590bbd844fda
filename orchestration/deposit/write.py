"""`citysync deposit`: a replication folder of the current publication, with what may be passed on
and how to get the rest.

A publication made from delivered statistics loses every schema and page that repeats delivered
values; one from simulated data is passed on whole.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from estimation.csv_files import guard
from orchestration.home import REPO, Home
from orchestration.publication_folders import opened
from orchestration.templates import fill
from orchestration.terminal import Exit, end_command
from warehouse.errors import Refused
from warehouse.publication.manifest import MANIFEST_HASH, hash_files
from warehouse.publication.redistribution import (
    conditions_hiding_single_cities,
    holds_no_value,
    require_as_published,
)
from warehouse.publication.untrusted import Publication
from warehouse.sql_text import literal
from warehouse.whole_files import move_whole

# Schemas without a delivered value: results, and what is known of the run and its files.
FREE_SCHEMAS = ("estimates", "meta")
FREE_FILES = ("manifest.json", MANIFEST_HASH, "datapackage.json")
# What of a publication is made by which program.
PROGRAMS = {
    "parquet/marts": "warehouse/models/marts",
    "parquet/quality": "warehouse/models/quality",
    "parquet/estimates": "estimation/study/run.py",
    "parquet/meta": "orchestration/stages/meta.py",
    "report": "estimation/report/site.py",
    "report/figures": "estimation/report/plots.py",
    "report/tables": "estimation/report/journal_tables.py",
    "dbt_docs": "orchestration/dbt_docs.py",
    "data_docs": "expectations/gate.py",
}
MINUTES = 6
SUMS = "SHA256SUMS"
ORIGINS = """
select source_id, array_to_string(
    list_filter([producer, title, address, licence], lambda part: part <> ''), '; ')
from meta.source order by all
"""
UNKNOWN = "its layout does not say"


def deposit(run_id: str | None) -> int:
    """Write ``<home>/deposit/<run id>/``.

    Parameters
    ----------
    run_id : run id of a publication that is kept; None for the current one.

    Raises
    ------
    Refused
        As `write_deposit`.
    """
    home = Home.from_environment()
    with opened(home, run_id) as publication:
        folder = write_deposit(publication, home.root / "deposit")
    return end_command(Exit.DONE, f"{folder}; read its README.md")


def write_deposit(publication: Publication, store: Path) -> Path:
    """Write the replication folder of a publication, and return it.

    Raises
    ------
    Refused
        If the code that made the publication is no commit of this checkout.
    PublishError
        As `require_as_published`.
    """
    require_as_published(publication)
    manifest = publication.manifest
    folder = store / manifest["run_id"]
    with tempfile.TemporaryDirectory() as scratch:
        draft = Path(scratch, "deposit")
        draft.mkdir()
        _write_code(manifest["git_commit"], draft / "code")
        target = draft / "publication"
        _copy_publication(publication, target)
        _write_inputs(manifest, draft / "inputs.csv")
        text = _readme(publication, draft)
        (draft / "README.md").write_text(text, encoding="utf-8")
        # sha256sum -c SHA256SUMS checks the folder without this code
        lines = [f"{entry['sha256']}  {name}\n" for name, entry in hash_files(draft).items()]
        (draft / SUMS).write_text("".join(lines), encoding="utf-8")
        move_whole(draft, folder)
    return folder


def _write_code(commit: str, folder: Path) -> None:
    """The tracked files of the commit."""
    if not commit or commit == "unknown" or commit.endswith("+changes"):
        raise Refused(
            f"the publication was made from commit {commit!r}: expected a commit of this checkout "
            "without changes; commit them, then refresh again"
        )
    command = ["git", "-C", str(REPO), "archive", "--format=tar", commit]
    done = subprocess.run(
        command, capture_output=True, check=False
    )  # the manifest's commit is checked by its pattern
    if done.returncode:
        raise Refused(
            f"commit {commit} is not in this checkout: expected the one that made the "
            "publication; fetch it, then try again"
        )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")


def _copy_publication(publication: Publication, folder: Path) -> None:
    if publication.manifest["is_simulated"]:
        shutil.copytree(publication.folder, folder)
    else:
        folder.mkdir()
        for schema in FREE_SCHEMAS:
            (folder / "parquet" / schema).mkdir(parents=True)
            for path in sorted((publication.folder / "parquet" / schema).glob("*.parquet")):
                if holds_no_value(schema, path.stem):
                    shutil.copy(path, folder / "parquet" / schema)
        with publication.connect(folder) as con:
            for name, rows in conditions_hiding_single_cities("citysync").items():
                path = folder / "parquet" / f"{name.replace('.', '/')}.parquet"
                path.unlink(missing_ok=True)
                con.execute(f"copy (from {name} where {rows}) to {literal(path)} (format parquet)")
        for name in (name for name in FREE_FILES if (publication.folder / name).exists()):
            shutil.copy(publication.folder / name, folder / name)
    for path in folder.rglob("*"):
        # a publication is sealed; a replication folder is its owner's
        os.chmod(path, 0o755 if path.is_dir() else 0o644)


def _write_inputs(manifest: Mapping[str, Any], path: Path) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["path", "sha256", "bytes"])
        for entry in manifest["inputs"]:
            rows.writerow([guard(entry["path"]), entry["sha256"], entry.get("bytes")])


def _readme(publication: Publication, draft: Path) -> str:
    manifest = publication.manifest
    origins = _origins(publication)
    files = Counter(entry["path"].split("/")[0] for entry in manifest["inputs"])
    schemas = sorted(path.name for path in (draft / "publication" / "parquet").iterdir())
    is_simulated = bool(manifest["is_simulated"])
    return fill(
        Path(__file__).with_name("README.md.j2"),
        run_id=manifest["run_id"],
        kind="simulated data with a known effect" if is_simulated else "delivered statistics",
        started_at=manifest["started_at"],
        commit=manifest["git_commit"],
        python=manifest["packages"].get("python"),
        manifest_hash=(publication.folder / MANIFEST_HASH).read_text(encoding="utf-8").split()[0],
        is_simulated=is_simulated,
        sources=[
            {"id": _cell(name), "files": n, "origin": _cell(origins.get(name, UNKNOWN))}
            for name, n in sorted(files.items())
        ],
        schemas=schemas,
        tables=[
            (name, entry)
            for name, entry in sorted(manifest["tables"].items())
            if (draft / "publication" / "parquet" / f"{name.replace('.', '/')}.parquet").exists()
        ],
        minutes=MINUTES,
        programs=[
            (output, program)
            for output, program in PROGRAMS.items()
            if (draft / "publication" / output).exists()
        ],
    )


def _origins(publication: Publication) -> dict[str, str]:
    """Producer, title, address and licence of each source as one text."""
    with publication.connect() as con:
        rows = con.execute(ORIGINS).fetchall()
    return {name: text for name, text in rows if text}


def _cell(text: str) -> str:
    """Return a delivered name as text of a Markdown table."""
    return text.replace("|", "\\|").replace("\n", " ").replace("`", "'")
