"""The files that citation managers and archives read agree with the package."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import yaml

REPO = Path(__file__).resolve().parents[1]


def test_citation_and_archive_files_agree_with_the_package() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((REPO / "CITATION.cff").read_text(encoding="utf-8"))
    archive = json.loads((REPO / ".zenodo.json").read_text(encoding="utf-8"))
    assert {citation["cff-version"], citation["type"]} == {"1.2.0", "software"}
    assert {citation["version"], archive["version"]} == {project["version"]}
    assert {citation["license"], archive["license"]} == {project["license"]}
    assert citation["title"] == archive["title"]
    assert [author["name"] for author in citation["authors"]] == [
        creator["name"] for creator in archive["creators"]
    ]
