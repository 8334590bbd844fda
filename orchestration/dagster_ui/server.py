"""`citysync ui`: Dagster's web page on this machine only, behind the door, its daemon beside it.

The page and the daemon each load the code location `citysync`, as `pyproject.toml` names it.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import sys

import uvicorn
from dagster import DagsterInstance
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget
from dagster_webserver.app import create_app_from_workspace_process_context

from orchestration.dagster_ui.door import Door

HOST = "127.0.0.1"
LOCATION = ModuleTarget("orchestration.definitions", None, None, "citysync")
DAEMON = [sys.executable, "-m", "dagster._daemon", "run"]


def serve(port: int, location: ModuleTarget | None = LOCATION) -> None:
    """Serve until interrupted; schedules and sensors run meanwhile.

    Parameters
    ----------
    port : int
        Free on this machine.
    location : ModuleTarget or None
        What is shown; None for an empty page without a daemon.
    """
    logging.basicConfig(level=logging.WARNING)
    # both ways to stop it end the daemon too, also where a shell that put this into the background
    # has it ignore interrupts
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    daemon = subprocess.Popen(DAEMON) if location else None
    try:
        with (
            DagsterInstance.get() as instance,
            WorkspaceProcessContext(instance, location) as context,
        ):
            application = Door(create_app_from_workspace_process_context(context), port)
            uvicorn.run(application, host=HOST, port=port, log_level="warning")
    finally:
        if daemon:
            daemon.terminate()
            daemon.wait()
