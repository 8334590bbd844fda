"""A whole refresh on a standalone cluster of a master and two workers on the loopback.

The same landing is refreshed by DuckDB first, and every published value compared. In the middle of
Spark's work one worker is killed. CITYSYNC_SIMULATED_CITIES makes it smaller, for a first look.
"""

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.comparison import TOLERANCE, compare_publications
from tests.spark.loopback import ENVIRONMENT, REPO, Cluster

pytestmark = pytest.mark.skipif(
    not ENVIRONMENT.exists() or shutil.which("java") is None,
    reason="needs Java 17 or 21 and .venv-spark, which a refresh with ENGINE=spark makes",
)
CITYSYNC = REPO / ".venv" / "bin" / "citysync"
# Spark tells these lines as it works (warehouse/spark/run.py); after the first of them three models
# are left
IN_THE_MIDDLE = "spark: int_city_pairs"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    found = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        found.start(workers=2)
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="module")
def by_duckdb(tmp_path_factory):
    """A home with the publication of the simulated landing as DuckDB builds it; CITYSYNC_BY_DUCKDB
    names one that is there already.
    """
    if given := os.environ.get("CITYSYNC_BY_DUCKDB"):
        return Path(given)
    home = tmp_path_factory.mktemp("duckdb")
    output, code = refresh(home)
    assert code == 0, output
    return home


def start(home: Path, **settings: str) -> subprocess.Popen:
    """A refresh of the simulated landing by the documented command."""
    env = {**os.environ, "CITYSYNC_HOME": str(home), **settings}
    env.setdefault("CITYSYNC_CACHE", str(home.parent / "cache"))
    return subprocess.Popen(
        [CITYSYNC, "refresh"],
        cwd=REPO,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def refresh(home: Path, **settings: str) -> tuple[str, int]:
    """All that a refresh prints, and its code."""
    process = start(home, **settings)
    output, _ = process.communicate()
    return output, process.returncode


def test_a_refresh_goes_on_when_a_worker_is_killed_and_publishes_what_duckdb_publishes(
    cluster, by_duckdb, tmp_path
):
    process = start(tmp_path / "home", ENGINE="spark", SPARK_MASTER=cluster.master)
    lines, killed = [], False
    for line in process.stdout:
        lines.append(line)
        # the first such line is of the warehouse without the effect, the last of the one that is
        # published
        if IN_THE_MIDDLE in line and not killed:
            cluster.kill("worker-0")
            killed = True
    output = "".join(lines)
    assert process.wait() == 0, output
    assert killed and "engine: Spark for the pair tables" in output
    found = compare_publications(by_duckdb / "published", tmp_path / "home" / "published")
    assert not {name: gap for name, gap in found.items() if isinstance(gap, str) or gap > TOLERANCE}
    verified = subprocess.run(
        [CITYSYNC, "verify"],
        cwd=REPO,
        env={**os.environ, "CITYSYNC_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout


def ends_with_one_line(home: Path, **settings: str) -> str:
    """The last line of a refresh that publishes nothing and exits with 2."""
    output, code = refresh(home, ENGINE="spark", **settings)
    assert code == 2, output
    assert "Traceback" not in output, output
    assert not (home / "published").exists() and not (home / "publications").exists()
    last = output.strip().splitlines()[-1]
    assert last.startswith("citysync: exit 2: ENGINE=spark")
    return last


def test_a_port_where_nobody_listens_is_said(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        master = f"spark://127.0.0.1:{free.getsockname()[1]}"
        assert "master does not answer" in ends_with_one_line(tmp_path, SPARK_MASTER=master)


def test_more_memory_than_any_worker_has_is_refused(cluster, tmp_path):
    last = ends_with_one_line(tmp_path, SPARK_MASTER=cluster.master, SPARK_EXECUTOR_MEMORY="64g")
    assert "no worker of" in last and "SPARK_EXECUTOR_MEMORY" in last
