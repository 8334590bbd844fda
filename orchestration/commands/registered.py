"""`citysync registered`: print the preregistered rules of a run for the next window, and whether it
applied those that earlier runs wrote for its own.
"""

from __future__ import annotations

from orchestration.archived_tables import read_archived
from orchestration.home import Home
from orchestration.publication_folders import publication_folder
from orchestration.registered_lists import read_registered
from orchestration.stages.promises import lines_of
from orchestration.terminal import Exit, end_command, say
from warehouse.publication.archive import archived_runs
from warehouse.publication.errors import PublishError


def registered(run_id: str | None) -> int:
    """Print the promises of an archived run.

    Parameters
    ----------
    run_id : str or None
        Of any run of the archive; None for that of the current publication.

    Returns
    -------
    int
        0, also where nothing was promised.

    Raises
    ------
    PublishError
        If no such run is archived.
    """
    home = Home.from_environment()
    if not run_id:
        run_id = publication_folder(home, None).name
    known = archived_runs(home.archive)
    if run_id not in known:
        raise PublishError(
            f"run {run_id!r} is not in {home.archive}: archived are {', '.join(known) or 'none'}"
        )
    promises = read_archived(home.archive, run_id, "meta.promise")
    for line in lines_of(promises):
        say(line)
    if promises.empty:
        say("No earlier run of this home wrote a rule for the newest window of this one.")
    upcoming = read_archived(home.archive, run_id, "estimates.next_window")
    for row in upcoming.to_dict("records"):
        window = f"{row['first_year']}-{row['last_year']}"
        name = row.get("rule_name", "committed")
        say(f"next: {row['spec_id']}, rule {name}, {window}: sha256 {row['rule_sha256']}")
    for is_simulated in (False, True):
        for entry in read_registered(home.archive, is_simulated=is_simulated):
            kind = "simulated data" if is_simulated else "delivered data"
            say(
                f"list: {entry['name']}, {len(entry['rule']['starts'])} cities, {kind}, to "
                f"{entry['rule']['last_year']}: registered {entry['registered_on']}, sha256 "
                f"{entry['sha256']}"
            )
    return end_command(Exit.DONE, f"{len(promises)} promises kept or changed, run {run_id}")
