"""Send an alert when a refresh fails: CITYSYNC_ON_FAILURE is a program that gets the alert as JSON
on its standard input. Off unless it is set.

Nothing here can change how a refresh ends: an alert that cannot be sent is one line, and the exit
code stays as it was.
"""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys

SETTING = "CITYSYNC_ON_FAILURE"
# Set by `citysync refresh`, which sends the alert of its end itself (`supervision.py`): the hook of
# Dagster's job (`refresh_job.tell_of_failure`) then sends none.
BY_COMMAND = "CITYSYNC_ALERTS_BY_COMMAND"
SECONDS = 20


def send(command: str, code: int, reason: str) -> None:
    """Start the program of CITYSYNC_ON_FAILURE; no shell reads the setting, and no text of the
    alert is an argument.

    Parameters
    ----------
    command : str
        Such as ``refresh``.
    code : int
        Its exit code.
    reason : str
    """
    message = {
        "command": f"citysync {command}",
        "exit": int(code),
        "reason": reason,
        "home": os.environ.get("CITYSYNC_HOME", ""),
        "host": socket.gethostname(),
    }
    try:
        if program := shlex.split(os.environ.get(SETTING, "")):
            text = json.dumps(message, ensure_ascii=False)
            options = {"text": True, "capture_output": True, "timeout": SECONDS}
            subprocess.run(program, input=text, check=True, **options)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        # the last line of a refresh's output stays its ending
        said = getattr(error, "stderr", "") or ""
        print(
            f"alert: expected a program in {SETTING} that ends with 0, found {error} "
            f"{said.strip()[:200]}; see docs/doors.md",
            file=sys.stderr,
        )
