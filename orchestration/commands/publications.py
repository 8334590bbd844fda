"""`citysync verify` and `citysync rollback`: check a publication, or make an earlier one the
current one.
"""

from __future__ import annotations

from pathlib import Path

from orchestration.home import Home
from orchestration.lock import hold_lock
from orchestration.publication_folders import publication_folder, publications_of
from orchestration.terminal import Exit, end_command, say
from warehouse.hashing import hash_file
from warehouse.publication.archive import archived_runs, verify_archive
from warehouse.publication.errors import PublishError
from warehouse.publication.manifest import MANIFEST, checked_manifest
from warehouse.publication.publish import switch
from warehouse.publication.verification import verify_publication


def verify(run_id: str | None, landing: str | None = None) -> int:
    """Hash a publication and the archive again, and compare the publication with the files
    it was made from.

    Parameters
    ----------
    run_id : run id of a publication that is kept; None for the current one.
    landing : folder of the delivered files of that run; None to leave them out.

    Returns
    -------
    int
        0 where nothing changed, 1 with a line per fault, 2 where there is nothing to verify or the
        landing cannot be read, 3 with a landing while another command works in this home.
    """
    home = Home.from_environment()
    folder = publication_folder(home, run_id)
    faults, differing = verify_publication(folder), []
    if landing and not faults:
        from orchestration.verify_landing import faults_of_landing

        with hold_lock(home, "verify"):
            differing = faults_of_landing(home, folder, Path(landing))
    lost = verify_archive(home.archive, publications_of(home))
    for fault in [*faults, *differing, *lost]:
        say(fault)
    reasons = (
        (
            faults,
            f"{len(faults)} faults in {folder}: roll back (`citysync rollback`) or publish again",
        ),
        (
            differing,
            f"{folder} is not what {landing} holds, {len(differing)} faults: deliver "
            "the files of that run, or publish what they say now (citysync clean, then make "
            "refresh)",
        ),
        (
            lost,
            f"{len(lost)} faults in {home.archive}: put it back from a backup: results of "
            "older runs cannot be computed again",
        ),
    )
    for found, reason in reasons:
        if found:
            return end_command(Exit.FAILED, reason)
    manifest = checked_manifest(folder)
    say(
        f"archive: {len(archived_runs(home.archive))} runs are as they were archived in "
        f"{home.archive}"
    )
    say(
        f"cite as: citysync run {manifest['run_id']}, manifest sha256 "
        f"{hash_file(folder / MANIFEST)}"
    )
    return end_command(
        Exit.DONE,
        (
            f"{len(manifest['files'])} files and {len(manifest['tables'])} tables are as "
            "published in "
            f"{folder}"
        ),
    )


def rollback(run_id: str | None) -> int:
    """Let `published` point at an earlier publication that is kept and unchanged; 2 where there is
    none, 3 during a refresh.
    """
    home = Home.from_environment()
    with hold_lock(home, "rollback"):
        target = _rollback_target(home, run_id)
        faults = verify_publication(target)
        if faults:
            raise PublishError(
                f"{target} is not as it was published, so it is not put back: {faults[0]}"
            )
        switch(home.published, target)
    return end_command(
        Exit.DONE,
        f"{home.published} is now run {target.name}; the next refresh publishes as usual",
    )


def _rollback_target(home: Home, run_id: str | None) -> Path:
    if run_id:
        return publication_folder(home, run_id)
    current = publication_folder(home, None).name
    kept = publications_of(home)
    earlier = kept[: kept.index(current)] if current in kept else kept
    if not earlier:
        raise PublishError(
            f"there is no publication before {current} in {home.root / 'publications'}: kept are "
            f"{', '.join(publications_of(home))}"
        )
    return home.root / "publications" / earlier[-1]
