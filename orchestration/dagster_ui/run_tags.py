"""Tags by which runs are found again in the UI: what was read, by which code, for which years."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping

import dagster as dg

from orchestration.home import REPO

LANDING = "citysync/landing"


class OtherLanding(Exception):
    """A run would read other files than the run that it resumes, or than the UI was started for."""


def git_commit() -> str:
    """Commit of the checkout, with `+changes` when files differ from it; `unknown` outside a
    checkout.
    """

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=REPO, capture_output=True, text=True, check=True
        ).stdout.strip()  # constant arguments; git is found on the user's own path

    try:
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def describe_tags(landing: str, permutations: int) -> Mapping[str, str]:
    """Tags of a run.

    Parameters
    ----------
    landing : str
        Folder of delivered files; empty for the simulated landing.
    permutations : int
        Draws of the permutation test.
    """
    window = (
        os.environ.get("WINDOW_FIRST_YEAR") or "2010",
        os.environ.get("WINDOW_LAST_YEAR") or "2019",
    )
    tags = {
        LANDING: landing or "simulated",
        "citysync/commit": git_commit(),
        "citysync/window": "-".join(window),
        "citysync/permutations": str(permutations),
    }
    edition = os.environ.get("AS_OF_EDITION")
    return tags | ({"citysync/as_of_edition": edition} if edition else {})


def tag_run(instance: dg.DagsterInstance, run_id: str, tags: Mapping[str, str]) -> None:
    """Tag a run, unless it resumes one of another landing: Dagster hands that one's tags down.

    Raises
    ------
    OtherLanding
        Naming both landings and how to start the UI on the right one.
    """
    run = instance.get_run_by_id(run_id)
    before = run.tags.get(LANDING) if run else None
    if before not in (None, tags[LANDING]):
        again = "make ui" if before == "simulated" else f"make ui LANDING={before}"
        raise OtherLanding(
            f"the run that is resumed read {before}; this UI was started for {tags[LANDING]}; "
            f"start it again: {again}"
        )
    instance.add_run_tags(run_id, dict(tags))
