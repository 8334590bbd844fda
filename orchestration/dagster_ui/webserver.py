"""`python -m orchestration.dagster_ui.webserver`: Dagster's webserver with the door in front.
`services.py` starts it.

dagster-webserver 1.13.27 has no setting for a middleware, and its command makes the application
itself. So the function by which the command makes it is exchanged for one that puts the door in
front. `tests/orchestration/dagster_ui/test_services.py` sends requests to a started server, and
fails where an upgrade no longer calls that function.
"""

from __future__ import annotations

import sys
from typing import Any

from dagster_webserver import cli
from dagster_webserver.app import create_app_from_workspace_process_context

from orchestration.dagster_ui.door import Door


def guard(port: int) -> None:
    """Let the command make its application with the door in front.

    Raises
    ------
    RuntimeError
        If the command no longer has that function: an unguarded server is not started.
    """
    if (
        getattr(cli, "create_app_from_workspace_process_context", None)
        is not create_app_from_workspace_process_context
    ):
        raise RuntimeError(
            "dagster-webserver makes its application elsewhere than dagster 1.13.27 does: put the "
            "door in front there"
        )

    def create(*arguments: Any, **options: Any) -> Door:
        return Door(create_app_from_workspace_process_context(*arguments, **options), port)

    cli.create_app_from_workspace_process_context = create


def main(arguments: list[str]) -> None:
    """Serve; the arguments are those of dagster-webserver, a port among them.

    Variables of the environment change none of them.
    """
    guard(int(arguments[arguments.index("--port") + 1]))
    cli.cli(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
