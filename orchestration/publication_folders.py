"""The publications of a home, by run id."""

from __future__ import annotations

import os
from pathlib import Path

from orchestration.home import Home
from warehouse.publication.errors import PublishError
from warehouse.publication.manifest import MANIFEST


def publications_of(home: Home) -> list[str]:
    """Return the run ids of the publications that are kept, oldest first."""
    store = home.root / "publications"
    if not store.is_dir():
        return []
    return sorted(path.name for path in store.iterdir() if not path.name.startswith("."))


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
