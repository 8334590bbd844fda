"""Publish a checked build: copy and export its tables, hash and seal the files, switch the link.

A publication is a folder under `publications/<run_id>`; `published` is a symbolic link to one of
them and is switched by a single rename, so a reader sees either the old or the new one, whole. An
open reader keeps the file it has.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from warehouse.publication import datapackage
from warehouse.publication.archive import archive_publications
from warehouse.publication.datapackage import TableContract
from warehouse.publication.errors import PublishError
from warehouse.publication.losses import kind_of
from warehouse.publication.manifest import (
    NUMBER,
    hash_files,
    is_simulated,
    order_key,
    write_manifest,
)
from warehouse.publication.tables import copy_tables


def run_id_of(time: datetime) -> str:
    """Return the id of a run: the time (UTC) at which it started."""
    return time.strftime("%Y%m%dT%H%M%S.%fZ")


def refuse_to_replace(published: Path, simulated: bool) -> None:
    """Refuse to replace a publication of delivered files by a simulated one.

    Raises
    ------
    PublishError
        Naming the publication and how to choose another home; also where something else has
        the path of the link.
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
) -> dict[str, dict[str, Any]]:
    """Write a publication next to the current one and switch to it.

    Parameters
    ----------
    build_database : closed DuckDB file with the schemas of SCHEMAS.
    published : the link that readers use; publications are in `publications/` next to it.
    manifest : its keys except those that are added here: `number`, `tables`, and `files` (hash and
    size of every file except the manifest).
    folders : folders to copy into the publication, by their name there: report, data_docs,
    dbt_docs.
    kept : how many of the newest publications to keep; the newest of each kind is always kept.
    contracts : keys and units of the tables, by `schema.table`, for the data package's descriptor.

    Raises
    ------
    PublishError
        If a simulated run would replace a publication of delivered files.
    """
    refuse_to_replace(published, bool(manifest["is_simulated"]))
    store = published.parent / "publications"
    # a name that no reader looks at, until the publication is whole
    draft = store / f".{manifest['run_id']}"
    final = store / manifest["run_id"]
    # an earlier attempt may have left half of it there
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    tables = copy_tables(build_database, draft / "citysync.duckdb", draft / "parquet")
    for name, folder in folders.items():
        shutil.copytree(folder, draft / name)
    # remove folders without files (a small landing has no figures), since the manifest names files
    for path in sorted(draft.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    (draft / datapackage.NAME).write_text(
        datapackage.describe_package(draft, manifest, contracts or {}), encoding="utf-8"
    )
    archive = published.parent / "archive"
    # the draft is in the store, and has the number 0 as long as it has no manifest
    number = 1 + max(order_key(path)[0] for path in (*store.iterdir(), *archive.glob("*")))
    complete = {**manifest, NUMBER: number, "tables": tables, "files": hash_files(draft)}
    write_manifest(draft, complete)
    seal(draft)
    os.replace(draft, final)
    archive_publications(store, archive, final.name)
    switch(published, final)
    remove_old(store, final.name, kept=kept)
    return tables


def seal(folder: Path) -> None:
    """Make every file read-only and flush all of them to the disk.

    One call flushes everything: a call for each of a thousand files takes ten times as long.
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


def remove_old(store: Path, current: str, *, kept: int) -> None:
    """Remove all publications except the newest `kept`, the newest of every kind, and the current
    one; remove drafts of killed runs.

    So a run with another window or simulated data never removes the last publication of a kind.
    """
    folders = sorted(store.iterdir(), key=order_key, reverse=True)
    whole = [folder.name for folder in folders if not folder.name.startswith(".")]
    newest_of_kind = {kind_of(store / name): name for name in reversed(whole)}
    stays = {*whole[:kept], *newest_of_kind.values(), current}
    for name in whole:
        if name not in stays:
            # rename it to a draft first, so that an interrupted removal leaves no half publication
            os.replace(store / name, store / f".{name}")
    for path in list(store.iterdir()):
        if path.name.startswith("."):
            shutil.rmtree(path, ignore_errors=True)
