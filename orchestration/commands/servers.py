"""`citysync ui` serves Dagster's UI to this machine, `citysync docs` writes dbt's documentation."""

from __future__ import annotations

import os
import socket
from contextlib import suppress

from orchestration.dbt_docs import write_dbt_docs
from orchestration.dbt_runner import Dbt, ensure_manifest
from orchestration.home import REPO, Home, set_tool_environment
from orchestration.lock import RefreshRunning, hold_lock
from orchestration.settings import number, path_of_landing
from orchestration.terminal import Exit, end_command, say
from warehouse.errors import Refused
from warehouse.publication.errors import PublishError
from warehouse.publication.manifest import is_simulated

HOST = "127.0.0.1"


def serve_ui(landing: str | None = None) -> int:
    """Serve the Dagster UI on 127.0.0.1:3000 (`CITYSYNC_UI_PORT` chooses another port) until it is
    interrupted.

    Parameters
    ----------
    landing : str, optional
        Folder of delivered files that the runs read; default is CITYSYNC_LANDING, without it the
        simulated landing.

    Returns
    -------
    int
        0 when it was stopped.

    Raises
    ------
    Refused
        When the landing is no folder, or the port is none or taken.
    """
    home = Home.from_environment()
    port = number("CITYSYNC_UI_PORT")
    _require_free(port)
    landing = landing or os.environ.get("CITYSYNC_LANDING") or None
    os.environ["CITYSYNC_LANDING"] = path_of_landing(landing)
    set_tool_environment(home)
    ensure_manifest(home)
    from dagster import DagsterInstance

    from orchestration.dagster_ui.runs import close_ended_runs

    with (
        DagsterInstance.get() as instance,
        suppress(RefreshRunning),
        hold_lock(home, "start of the UI"),
    ):
        close_ended_runs(instance)
    has_simulated = None
    with suppress(PublishError):  # a publication that cannot be read refuses nothing
        has_simulated = is_simulated(home.published)
    if not landing and has_simulated is False:
        say(
            "what is published was made from delivered files: runs started here will be refused; "
            "to run them: citysync ui --landing PATH"
        )
    else:
        say(f"runs started here read {landing or 'the simulated landing'}")
    say("the UI starts; its address follows in about a minute")
    os.chdir(REPO)
    from orchestration.dagster_ui.server import serve

    with suppress(KeyboardInterrupt):
        serve(HOST, port)
    return end_command(Exit.DONE, "the UI was stopped")


def _require_free(port: int) -> None:
    """Refuse a port that cannot be listened at before anything is loaded."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise Refused(
                f"port {port} of {HOST}: {error.strerror}; close what listens there, or name "
                "another: CITYSYNC_UI_PORT=3001"
            ) from error


def write_docs() -> int:
    """Write dbt's documentation as one static page to build/dbt_docs/index.html. Return 2 without a
    build, 3 if another command holds the lock.
    """
    home = Home.from_environment()
    set_tool_environment(home)
    if not home.database.exists():
        raise Refused(
            f"{home.database} does not exist: run `make refresh` first, the documentation "
            "describes its tables"
        )
    with hold_lock(home, "docs"):
        target = home.build / "dbt_docs"
        write_dbt_docs(Dbt(home), target)
    return end_command(Exit.DONE, f"documentation: {target / 'index.html'}")
