"""`citysync ui`: Dagster's web page on this machine only, behind its access control, and its
daemon.

Page and daemon share one process that has loaded the code location `citysync`.
"""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

# The command `dagster-webserver` takes no middleware, and foreign pages would reach its own port
# behind a proxy. So its application is made here, and needs a workspace, which has no public name.
import uvicorn
from dagster import DagsterInstance
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster_webserver.app import create_app_from_workspace_process_context

from orchestration.dagster_ui.access_control import AccessControl
from orchestration.terminal import say

LOCATION = "citysync"
DAGSTER = [sys.executable, "-m", "dagster"]
CODE = ["code-server", "start", "-m", "orchestration.definitions", "--location-name", LOCATION]


def serve(host: str, port: int) -> None:
    """Serve until interrupted; schedules and sensors run meanwhile.

    Parameters
    ----------
    host, port : str, int
        Free on this machine.
    """
    logging.basicConfig(level=logging.WARNING)
    # both ways to stop it end the other processes too, also where a shell that put this into the
    # background has it ignore interrupts
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="citysync-ui-")))
        instance = stack.enter_context(DagsterInstance.get())
        target = _start_code_and_daemon(stack, folder)
        context = stack.enter_context(WorkspaceProcessContext(instance, target))
        application = AccessControl(create_app_from_workspace_process_context(context), port)
        # the code has been loaded: what is left takes less than a second
        say(f"Dagster UI: http://{host}:{port}/asset-groups (ctrl-c stops it)")
        uvicorn.run(application, host=host, port=port, log_level="warning")


def _start_code_and_daemon(stack: ExitStack, folder: Path) -> WorkspaceFileTarget:
    socket, workspace = folder / "code.sock", folder / "workspace.yaml"
    server = {"host": "localhost", "socket": str(socket), "location_name": LOCATION}
    # JSON is YAML
    workspace.write_text(json.dumps({"load_from": [{"grpc_server": server}]}), encoding="utf-8")
    code = _start(stack, [*DAGSTER, *CODE, "--socket", str(socket)])
    while not socket.exists() and code.poll() is None:
        time.sleep(0.1)
    # as a module: the program `dagster-daemon` does not start in a checkout that was moved
    _start(stack, [sys.executable, "-m", "dagster._daemon", "run", "-w", str(workspace)])
    return WorkspaceFileTarget([str(workspace)])


def _start(stack: ExitStack, command: list[str]) -> subprocess.Popen:
    process = subprocess.Popen(command)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    return process
