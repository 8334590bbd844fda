"""List the publications of a home by run id, and open one for a command."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from orchestration.home import Home
from orchestration.machine_faults import explain
from warehouse.publication.errors import PublishError
from warehouse.publication.manifest import MANIFEST, REMEDY, order_key
from warehouse.publication.untrusted import Publication, open_publication

# what code of this version meets in tables and files that another version, or somebody else, wrote
UNLIKE_OURS = (
    duckdb.Error,
    ArithmeticError,
    AttributeError,
    LookupError,
    NotADirectoryError,
    FileNotFoundError,
    TypeError,
    ValueError,
)


def publications_of(home: Home) -> list[str]:
    """Return the run ids of the publications that are kept, each after those that came before."""
    store = home.root / "publications"
    if not store.is_dir():
        return []
    folders = [path for path in store.iterdir() if not path.name.startswith(".")]
    return [folder.name for folder in sorted(folders, key=order_key)]


def publication_folder(home: Home, run_id: str | None) -> Path:
    """Return the folder of a run id's publication, of the current one without an id.

    The link `published` is followed here and once: a refresh may switch it while a command works.
    """
    if not run_id:
        folder = home.published.resolve()
        if not os.path.lexists(folder / MANIFEST):
            raise PublishError(
                f"{home.published} does not exist: nothing has been published in this home; run "
                "`make refresh` first"
            )
        return folder
    if run_id not in publications_of(home):
        kept = ", ".join(publications_of(home)) or "none"
        raise PublishError(
            f"run {run_id!r} is not kept in {home.root / 'publications'}: kept are {kept}"
        )
    return home.root / "publications" / run_id


@contextmanager
def opened(home: Home, run_id: str | None = None) -> Iterator[Publication]:
    """Open a run id's publication, or the current one, for a command that reads it.

    Raises
    ------
    PublishError
        As `publication_folder` and `open_publication`, and where the publication turns out to be
        damaged, or not as this version makes it, while it is read. Errors of the machine, such as a
        full disk, stay what they are.
    """
    publication = open_publication(publication_folder(home, run_id))
    try:
        yield publication
    except UNLIKE_OURS as error:
        if explain(error, home.root):
            raise
        found = " ".join(str(error).split())[:200]
        raise PublishError(
            f"{publication.folder}: expected tables and files as this version makes them, found "
            f"{type(error).__name__}: {found}; refresh again, or {REMEDY}"
        ) from error
