"""Commands in children of one process that has loaded the libraries: most of a small refresh would
be the loading of them.

Only packages of others are loaded beforehand; our own code is read in each child, with that child's
environment. Nothing runs in threads before a child is forked. What a person types starts a new
interpreter; `simulated`, `reproduce` and the tests of signals do the same.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

REPO = Path(__file__).resolve().parents[2]

#: What a refresh loads of other packages.
LIBRARIES = (
    *(
        "dagster",
        "dagster_dbt",
        "dbt.cli.main",
        "dbt.adapters.duckdb.connections",
        "duckdb",
        "great_expectations",
        "jinja2",
        "matplotlib",
    ),
    *(
        "matplotlib.pyplot",
        "numba",
        "numpy",
        "openpyxl",
        "pandas",
        "pyarrow.parquet",
        "pydantic",
        "pyfixest",
        "scipy.optimize",
    ),
    *("scipy.stats", "sqlalchemy", "statsmodels.api"),
)
SETTINGS = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1") | {
    "MPLBACKEND": "Agg"
}
#: Quiet towards the network before a library is loaded, as `set_tool_environment` makes them.
QUIET = {
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "DAGSTER_DISABLE_TELEMETRY": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
}
_SERVERS: list[subprocess.Popen] = []


def run_warm(arguments: list[str], environment: dict[str, str], output: Path) -> int:
    """Run `citysync arguments` in the checkout, both of its streams into a file; its exit code."""
    if not _SERVERS:
        command = [sys.executable, "-m", "tests.orchestration.warm"]
        env = {**os.environ, **SETTINGS, **QUIET}
        _SERVERS.append(
            subprocess.Popen(
                command, cwd=REPO, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        )
        atexit.register(_close)
    server = _SERVERS[0]
    request = {"arguments": arguments, "environment": environment, "output": str(output)}
    server.stdin.write(json.dumps(request) + "\n")
    server.stdin.flush()
    answer = server.stdout.readline()
    assert answer, "the process that starts commands in the tests has ended"
    return int(answer)


def _close() -> None:
    for server in _SERVERS:
        server.stdin.close()
        server.wait(timeout=60)
    _SERVERS.clear()


def _serve() -> None:
    for name in LIBRARIES:
        importlib.import_module(name)
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(request)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=answers, flush=True)


def _become(request: dict) -> NoReturn:
    """Be that command, and end as every interpreter does: what waits for the end is done."""
    output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["citysync", *request["arguments"]]
    sys.exit(int(importlib.import_module("orchestration.command").main(request["arguments"])))


if __name__ == "__main__":
    _serve()
