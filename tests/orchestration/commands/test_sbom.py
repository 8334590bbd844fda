"""The bill of materials lists what is locked, in the form that its readers expect."""

from __future__ import annotations

import json
import re

from orchestration.commands.audit import applicable, read_lock
from orchestration.commands.sbom import NAME, bill_of_materials
from tests.orchestration.conftest import Run


def test_it_lists_what_is_locked() -> None:
    document = json.loads(bill_of_materials())
    assert (document["bomFormat"], document["specVersion"], document["version"]) == (
        "CycloneDX",
        "1.5",
        1,
    )
    listed = {part["name"]: part for part in document["components"]}
    assert {name: part["version"] for name, part in listed.items()} == {
        name: entry.version for name, entry in applicable(read_lock()).items()
    }
    assert list(listed) == sorted(listed) and len(listed) == len(document["components"]) > 100
    for part in listed.values():
        assert (
            part["type"] == "library"
            and part["purl"] == part["bom-ref"] == f"pkg:pypi/{part['name']}@{part['version']}"
        )
        assert part["licenses"][0]["license"]["name"]
        assert part["properties"] and all(
            re.fullmatch("[0-9a-f]{64}", entry["value"]) for entry in part["properties"]
        )
    refs = [entry["ref"] for entry in document["dependencies"]]
    assert len(set(refs)) == len(refs) == len(listed) + 1
    assert set(document["dependencies"][0]["dependsOn"]) == {
        part["bom-ref"] for part in listed.values()
    }
    assert document["metadata"]["component"]["name"] == "citysync"


def test_it_is_the_same_each_time_and_names_no_host() -> None:
    assert bill_of_materials() == bill_of_materials()
    assert "://" not in bill_of_materials()


def test_a_publication_carries_it(simulated: Run) -> None:
    path = simulated.home / "published" / NAME
    assert json.loads(path.read_text(encoding="utf-8"))["bomFormat"] == "CycloneDX"
    assert NAME in simulated.manifest["files"]
