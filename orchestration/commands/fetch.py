"""`citysync fetch SOURCE`: download official data (nbs, world_bank) into a landing."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from orchestration.home import Home
from orchestration.terminal import Exit, end_command, progress, say
from warehouse.errors import Refused
from warehouse.ingest.fetching import nbs, world_bank
from warehouse.ingest.fetching.editions import Edition
from warehouse.ingest.fetching.service import PAUSE_SECONDS, Service
from warehouse.ingest.fetching.tidy_file import write_tidy

CONNECTORS = {connector.NAME: connector for connector in (nbs, world_bank)}


def fetch(
    source: str | None,
    landing: str | None = None,
    *,
    base: str | None = None,
    pause: float = PAUSE_SECONDS,
    wait: float = 2.0,
) -> Exit:
    """Ask a service for what is wanted of it, keep its replies, and write them as a file of the
    source `tidy`.

    Parameters
    ----------
    source : str or None
        Name of the service.
    landing : str or None
        Landing to write into; default: ``<home>/fetched/landing``.
    base : str, optional
        Address of the service where it is not its own, as in tests.
    pause, wait : float
        Seconds between two requests, and before a second try.

    Returns
    -------
    Exit
        0 where the file is written; 2 where the service refuses or gives what cannot be taken:
        nothing is written then, and the replies so far are kept, so that the next fetch goes on
        from there.
    """
    connector = CONNECTORS.get(source or "")
    if connector is None:
        raise Refused(
            f"expected the name of a service, {' or '.join(CONNECTORS)}; found "
            f"{repr(source) if source else 'none'}"
        )
    home = Home.from_environment()
    folder = home.root / "fetched"
    target_root = Path(landing) if landing else folder / "landing"
    edition = Edition(folder / source)
    service = Service(
        base or connector.BASE, edition, connector.BY_HAND, pause=pause, wait=wait, say=say
    )
    progress(f"asking {service.base}, replies are kept in {edition.folder}")
    target = target_root / "tidy" / edition.date[:4] / f"{source}.csv"
    counts = write_tidy(connector.fetch(service, datetime.now(UTC).year), target)
    edition.close(
        {
            "service": service.base,
            "values": dict(sorted(counts.items())),
            "written": str(target),
        }
    )
    progress(f"{service.n_asked} requests, {edition.n_kept} replies were there already")
    for indicator_id, n in sorted(counts.items()):
        say(f"  {indicator_id}: {n:,} values")
    say(
        "source: name it where the data are shown; they are for this machine and not to be passed "
        "on"
    )
    return end_command(
        Exit.DONE,
        (
            f"{sum(counts.values()):,} values in {target}; next: make refresh "
            f"LANDING={os.fspath(target_root)}"
        ),
    )
