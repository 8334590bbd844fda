"""From a checked build database to a publication: copy, export, hash, seal, switch.

A publication is a folder under `publications/<run_id>`; `published` is a symbolic link to one of
them and is switched by a single rename, so a reader sees either the old or the new one, whole. An
open reader keeps the file it has.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from warehouse.publication import datapackage
from warehouse.publication.archive import archive_publications
from warehouse.publication.datapackage import TableContract
from warehouse.publication.errors import PublishError
from warehouse.publication.manifest import hash_files, is_simulated, write_manifest
from warehouse.publication.shrinkage import series_of
from warehouse.publication.tables import SCHEMAS, copy_tables


def refuse_to_replace(published: Path, simulated: bool) -> None:
    """A simulated run never replaces a publication made from delivered files.

    Raises
    ------
    PublishError
        Naming the publication and how to choose another home; also where something else stands in
        the place of the link.
    """
    _require_link(published)
    if simulated and is_simulated(published) is False:
        raise PublishError(
            f"{published} was made from delivered files; a simulated run does not replace it. "
            "Give LANDING=path for delivered files, or another home: CITYSYNC_HOME=data-simulated "
            "make refresh"
        )


def publish(
    build_database: Path,
    published: Path,
    *,
    manifest: Mapping[str, Any],
    folders: Mapping[str, Path],
    kept: int,
    contracts: Mapping[str, TableContract] | None = None,
    copied: dict[str, dict[str, Any]] | None = None,
) -> dict[str, dict[str, Any]]:
    """Write a publication beside the current one and switch to it.

    Parameters
    ----------
    build_database : closed DuckDB file with the schemas of SCHEMAS.
    published : the link readers use; publications lie in `publications/` beside it.
    manifest : keys of the contract but `tables`, which is added here with `files`, the hash and
    size of every file but the manifest.
    folders : folders that are copied into the publication whole, by their name there: report,
    data_docs, dbt_docs.
    kept : how many publications stay besides the newest of every series.
    contracts : keys and units of the tables, by `schema.table`, for the data package's descriptor.
    copied : what `copy_to_draft` returned for this run; None: the tables are copied now.

    Raises
    ------
    PublishError
        If a simulated run would replace a publication of delivered files.
    """
    refuse_to_replace(published, bool(manifest["is_simulated"]))
    store = published.parent / "publications"
    draft, final = draft_of(published, manifest["run_id"]), store / manifest["run_id"]
    tables = copied
    if tables is None:
        # an earlier attempt may have left some there
        shutil.rmtree(draft, ignore_errors=True)
        tables = copy_to_draft(build_database, published, manifest["run_id"])
    for name, folder in folders.items():
        shutil.copytree(folder, draft / name)
    # a report of a small landing has no figures, say: an empty folder is no part of a publication
    for path in sorted(draft.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    (draft / datapackage.NAME).write_text(
        datapackage.describe_package(draft, manifest, contracts or {}), encoding="utf-8"
    )
    write_manifest(draft, {**manifest, "tables": tables, "files": hash_files(draft)})
    seal(draft)
    os.replace(draft, final)
    archive_publications(store, published.parent / "archive", final.name)
    switch(published, final)
    remove_old(store, {final.name}, kept)
    return tables


def copy_to_draft(
    build_database: Path, published: Path, run_id: str, schemas: Sequence[str] = SCHEMAS
) -> dict[str, dict[str, Any]]:
    """Copy the tables of a build into the draft of a publication, those of some schemas after those
    of others; what `copy_tables` says of them. A thread may do so while nothing writes the build.
    """
    draft = draft_of(published, run_id)
    draft.mkdir(parents=True, exist_ok=True)
    return copy_tables(build_database, draft / "citysync.duckdb", draft / "parquet", schemas)


def draft_of(published: Path, run_id: str) -> Path:
    """Folder of a publication that is not whole yet, which no reader looks at."""
    return published.parent / "publications" / f".{run_id}"


def seal(folder: Path) -> None:
    """Take away every file's write permission and flush all to the disk, by one call for a thousand
    files, which would take ten times as long one by one.
    """
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
    os.sync()


def switch(published: Path, target: Path) -> None:
    """Point the link at a publication in one rename."""
    _require_link(published)
    fresh = published.with_name(".published.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(os.path.relpath(target, published.parent), target_is_directory=True)
    os.replace(fresh, published)
    directory = os.open(published.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _require_link(published: Path) -> None:
    if published.exists() and not published.is_symlink():
        raise PublishError(
            f"{published} is not a link made by citysync: move it away, then run again"
        )


def remove_old(store: Path, keep: set[str], kept: int) -> None:
    """Keep the newest `kept` publications (run ids sort by time), the newest of every series, and
    `keep`; drop drafts of killed runs.

    A series is what is refreshed year by year: simulated or delivered, one window, all editions or
    those up to one. So runs with another window or a simulated landing never remove the last
    publication of this one.
    """
    names = sorted((p.name for p in store.iterdir()), reverse=True)
    whole = [name for name in names if not name.startswith(".")]
    newest_of_series = {series_of(store / name): name for name in reversed(whole)}
    stays = {*whole[:kept], *newest_of_series.values(), *keep}
    for name in whole:
        if name not in stays:
            # under a draft's name first: a removal that is interrupted leaves no half publication
            os.replace(store / name, store / f".{name}")
    for path in list(store.iterdir()):
        if path.name.startswith("."):
            shutil.rmtree(path, ignore_errors=True)
