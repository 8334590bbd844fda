"""`make ui` and `make docs`: Dagster's web page on this machine only, and dbt's static documentation."""

from __future__ import annotations

import os
import shutil
import sys

from orchestration.dbt_runner import ensure_manifest, invoke
from orchestration.home import REPO, Home, set_tool_environment
from orchestration.resources import say


def serve_ui() -> int:
    """Replace this process by the Dagster UI on 127.0.0.1:3000 (`CITYSYNC_UI_PORT` chooses another port)."""
    home = Home.from_environment()
    set_tool_environment(home)
    ensure_manifest(home)
    port = os.environ.get("CITYSYNC_UI_PORT", "3000")
    say(f"Dagster UI: http://127.0.0.1:{port}/asset-groups (ctrl-c stops it)")
    dagster = shutil.which("dagster", path=os.path.dirname(sys.executable))
    os.chdir(REPO)
    arguments = [dagster, "dev", "-m", "orchestration.definitions", "-h", "127.0.0.1", "-p", port]
    os.execv(dagster, arguments)  # noqa: S606 (our own environment's program, constant arguments)


def write_docs() -> int:
    """Write dbt's documentation as one static page to build/docs/index.html."""
    home = Home.from_environment()
    set_tool_environment(home)
    if not home.database.exists():
        say(f"{home.database} does not exist: run `make refresh` first, the documentation describes its tables")
        return 2
    ensure_manifest(home)
    invoke(["docs", "generate", "--static"], manifest=None)
    target = home.build / "docs"
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(home.dbt_target / "static_index.html", target / "index.html")
    say(f"documentation: {target / 'index.html'}")
    return 0
