"""`python -m orchestration.dagster_ui.services`: Dagster's code server, daemon and webserver, as
`dagster dev` starts them.

The only difference is the webserver: it is started with the door in front (`webserver.py`). dagster
1.13.27 has no setting for that: its command starts three services, each by the same function, and
here that function starts our webserver in the place of Dagster's.
"""

from __future__ import annotations

import sys
from typing import Any

from dagster._cli import dev

# dagster's own way to start a service; without it this module does not load
start = dev.open_ipc_subprocess
DAGSTERS = [sys.executable, "-m", "dagster_webserver"]
OURS = [sys.executable, "-m", "orchestration.dagster_ui.webserver"]
DAEMON = [sys.executable, "-m", "dagster._daemon"]


def start_service(parts: list[str], **options: Any) -> Any:
    """Start a service of `dagster dev`, the webserver with the door.

    Raises
    ------
    RuntimeError
        For any service but the two known ones: what is not known might listen without a door.
    """
    if parts[: len(DAGSTERS)] == DAGSTERS:
        return start([*OURS, *parts[len(DAGSTERS) :]], **options)
    if parts[: len(DAEMON)] == DAEMON:
        return start(parts, **options)
    raise RuntimeError(
        f"dagster dev starts {parts[:4]}, which dagster 1.13.27 does not: look whether it "
        "listens, and put the door in front"
    )


def main(arguments: list[str]) -> None:
    """Run until interrupted; the arguments are those of `dagster dev`."""
    dev.open_ipc_subprocess = start_service
    dev.dev_command(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
