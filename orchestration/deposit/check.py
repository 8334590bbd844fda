"""Is a replication folder complete? What a data editor looks for, checked by reading the folder
alone.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

from estimation.csv_files import guard
from warehouse.hashing import hash_file
from warehouse.publication.errors import PublishError
from warehouse.publication.manifest import MANIFEST, MANIFEST_HASH, read_manifest

SECTIONS_FILE = "README.md"
SECTIONS = (
    "Overview",
    "Data availability and provenance",
    "Dataset list",
    "Computational requirements",
    "Description of programs",
    "Instructions to replicators",
    "List of tables and programs",
    "References",
)
CODE = (
    "LICENSE",
    "CITATION.cff",
    "requirements/base.txt",
    "Makefile",
    "dbt_project.yml",
    "docs/data-licences.md",
)


def find_faults(folder: Path) -> list[str]:
    """What is missing or wrong in a replication folder, one sentence a fault; empty where it is
    complete.

    Parameters
    ----------
    folder : Path
        With ``README.md``, ``inputs.csv``, ``code/`` and ``publication/``.
    """
    readme = folder / SECTIONS_FILE
    if not readme.exists():
        return [f"{readme}: expected the folder's description, found none"]
    text = readme.read_text(encoding="utf-8")
    faults = [
        f"{readme}: expected a section '{name}', found none"
        for name in SECTIONS
        if f"\n## {name}\n" not in text
    ]
    faults += [
        f"{folder / 'code' / name}: expected this file, found none"
        for name in CODE
        if not (folder / "code" / name).exists()
    ]
    faults += [
        f"{readme}: names {name}, which is not in the folder"
        for name in re.findall(r"^\| `([^`]+)` \| ", text, flags=re.MULTILINE)
        + re.findall(r" \| `(code/[^`]+)` \|$", text, flags=re.MULTILINE)
        if not (folder / name).exists()
    ]
    return faults + _faults_of_publication(folder / "publication", folder / "inputs.csv")


def _faults_of_publication(publication: Path, inputs: Path) -> list[str]:
    try:
        manifest = read_manifest(publication)
    except (FileNotFoundError, PublishError) as error:
        return [str(error)]
    beside = publication / MANIFEST_HASH
    said = beside.read_text(encoding="utf-8").split()[:1] if beside.exists() else []
    is_sealed = said == [hash_file(publication / MANIFEST)]
    faults = (
        []
        if is_sealed
        else [f"{publication / MANIFEST}: its hash is not the one that stands beside it"]
    )
    present = {
        path.relative_to(publication).as_posix(): path
        for path in publication.rglob("*")
        if path.is_file()
    }
    for name, path in sorted(present.items()):
        entry = manifest["files"].get(name)
        if name not in (MANIFEST, MANIFEST_HASH) and (
            entry is None or entry["sha256"] != hash_file(path)
        ):
            faults.append(f"{path}: expected the file that was published, found another")
    if not manifest["is_simulated"]:
        delivered = [
            name
            for name in present
            if name.startswith(("parquet/marts", "parquet/quality", "report", "data_docs"))
            or name.endswith(".duckdb")
        ]
        faults += [
            f"{publication / name}: may repeat delivered values, which are not passed on"
            for name in delivered
        ]
    if not inputs.exists():
        return [*faults, f"{inputs}: expected the list of input files, found none"]
    with open(inputs, encoding="utf-8", newline="") as file:
        listed = {(row["path"], row["sha256"]) for row in csv.DictReader(file)}
    if listed != {(guard(entry["path"]), entry["sha256"] or "") for entry in manifest["inputs"]}:
        faults.append(f"{inputs}: expected the files that the manifest names, found others")
    return faults
