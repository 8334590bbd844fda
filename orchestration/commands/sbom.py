"""The bill of materials of a publication: every package of the lock file that applies here, as
CycloneDX 1.5 JSON.

It holds no time and no serial number, both optional there: two publications of one lock file have
the same bill, byte for byte. Written from the lock, not from what is installed; `make audit`
compares the two.
"""

from __future__ import annotations

import json
import tomllib
from importlib import metadata
from typing import Any

from orchestration.commands.audit import Locked, applicable, licence_of, normalised, read_lock
from orchestration.home import REPO

NAME = "sbom.cdx.json"


def bill_of_materials() -> str:
    """The document, sorted by name."""
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    installed = {normalised(found.metadata["Name"]): found for found in metadata.distributions()}
    locked = sorted(applicable(read_lock()).values(), key=lambda entry: entry.name)
    root = _component("application", project["name"], project["version"], project["license"])
    components = [_library(entry, installed.get(entry.name)) for entry in locked]
    refs = [component["bom-ref"] for component in components]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": root},
        "components": components,
        "dependencies": [
            {"ref": root["bom-ref"], "dependsOn": refs},
            *({"ref": ref} for ref in refs),
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _component(kind: str, name: str, version: str, licence: str) -> dict[str, Any]:
    address = f"pkg:pypi/{name}@{version}"
    return {
        "type": kind,
        "bom-ref": address,
        "name": name,
        "version": version,
        "purl": address,
        "licenses": [{"license": {"name": licence}}],
    }


def _library(entry: Locked, found: metadata.Distribution | None) -> dict[str, Any]:
    """A package: one of several files with these hashes is what was installed, so they are
    properties and not the component's own hash.
    """
    licence = licence_of(found) if found is not None else "not installed here"
    hashes = [{"name": "citysync:locked-sha256", "value": value} for value in sorted(entry.hashes)]
    return _component("library", entry.name, entry.version, licence) | {"properties": hashes}
