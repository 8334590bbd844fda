"""dbt's own documentation of a build: one static page, and the two files that dbt's tools read."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path

from orchestration.dbt_runner import Dbt, ensure_manifest
from warehouse.publication.datapackage import ForeignKey, TableContract

#: Folder of a build, and of a publication.
DBT_DOCS = "dbt_docs"
#: What dbt writes, and the name under which it is kept.
FILES = {
    "static_index.html": "index.html",
    "manifest.json": "manifest.json",
    "catalog.json": "catalog.json",
}


def write_dbt_docs(dbt: Dbt, folder: Path) -> None:
    """Write dbt's documentation of the build of its home.

    Parameters
    ----------
    dbt : Dbt
        The build of its home holds the tables that are described.
    folder : Path
        Receives ``index.html`` (it needs no network), ``manifest.json`` and ``catalog.json``; what
        was there is replaced.

    Raises
    ------
    DbtFailed
        If dbt fails.
    """
    build = dbt.home.build
    with tempfile.TemporaryDirectory(dir=build) as target:
        # dbt reads the manifest back from where it would have compiled it
        shutil.copy(ensure_manifest(dbt.home), target)
        # compiling every model again would double the time; the Dagster UI shows what a
        # model ran
        arguments = ["docs", "generate", "--static", "--no-compile", "--target-path", target]
        dbt.invoke(arguments, build=build)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for made, kept in FILES.items():
            shutil.move(Path(target) / made, folder / kept)


def read_contracts(folder: Path) -> dict[str, TableContract]:
    """Return keys and units of every model, by `schema.table`, from the manifest that
    `write_dbt_docs` left in a folder.
    """
    nodes = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    primary: dict[str, Sequence[str]] = {}
    foreign: dict[str, list[ForeignKey]] = {}
    for node in nodes.values():
        test = node.get("test_metadata") or {}
        if test.get("name") == "primary_key":
            primary[node["attached_node"]] = test["kwargs"]["columns"]
        # a relationship that holds for part of the rows is no foreign key
        elif test.get("name") == "relationships" and not node["config"].get("where"):
            found = _foreign_key(node, nodes)
            if found is not None:
                foreign.setdefault(node["attached_node"], []).append(found)
    return {
        f"{node['schema']}.{node['name']}": TableContract(
            key=primary.get(name, ()),
            foreign_keys=sorted(foreign.get(name, []), key=attrgetter("column")),
            units=_units(node),
        )
        for name, node in nodes.items()
        if node["resource_type"] == "model"
    }


def _foreign_key(node: dict, nodes: dict[str, dict]) -> ForeignKey | None:
    """Return what a test of dbt named `relationships` says; None where it refers to a seed."""
    targets = [name for name in node["depends_on"]["nodes"] if name != node["attached_node"]]
    # a table may refer to itself
    target = nodes[targets[0] if targets else node["attached_node"]]
    if target["resource_type"] != "model":
        return None
    arguments = node["test_metadata"]["kwargs"]
    table = f"{target['schema']}.{target['name']}"
    return ForeignKey(arguments["column_name"], table, arguments["field"])


def _units(node: dict) -> dict[str, str]:
    found = {
        column["name"]: column["config"]["meta"].get("unit") for column in node["columns"].values()
    }
    return {name: unit for name, unit in found.items() if unit}
