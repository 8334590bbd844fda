"""A standalone Spark cluster of processes of their own on the loopback: a master and workers, as
`spark-class` starts them.
"""

import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
ENVIRONMENT = REPO / ".venv-spark"
# of a worker's Java and of all executors that it may start
DAEMON_MEMORY, WORKER_MEMORY, WORKER_CORES = "256m", "1500m", "1"
START_SECONDS = 90


@dataclass
class Cluster:
    """Processes of one cluster; `stop` ends them, and nothing else."""

    folder: Path
    master: str = ""
    processes: dict[str, subprocess.Popen] = field(default_factory=dict)

    def start(self, workers: int) -> None:
        """A master on a free port, then workers that register with it."""
        words = ("--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
        self._launch("master", "org.apache.spark.deploy.master.Master", words)
        self.master = self._wait_for(
            "master", r"Starting Spark master at (spark://127\.0\.0\.1:\d+)"
        )
        of_workers = ("--cores", WORKER_CORES, "--memory", WORKER_MEMORY)
        for name in (f"worker-{number}" for number in range(workers)):
            folder = ("--work-dir", str(self.folder / name))
            command = (*words, *of_workers, *folder, self.master)
            self._launch(name, "org.apache.spark.deploy.worker.Worker", command)
            self._wait_for(name, r"Successfully registered with master (\S+)")

    def kill(self, name: str) -> None:
        """End one process as a broken machine would: at once, with no word to anybody."""
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait()

    def stop(self) -> None:
        """End what was started here; executors end with their worker."""
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
                process.wait(timeout=30)

    def _launch(self, name: str, java_class: str, words: tuple[str, ...]) -> None:
        home = next((ENVIRONMENT / "lib").glob("python3*/site-packages/pyspark"))
        env = {
            **os.environ,
            "SPARK_HOME": str(home),
            "SPARK_DAEMON_MEMORY": DAEMON_MEMORY,
            "SPARK_LOCAL_DIRS": str(self.folder / "local"),
        }
        # nothing of it listens beyond this machine
        env.update(
            SPARK_LOG_DIR=str(self.folder),
            SPARK_LOCAL_IP="127.0.0.1",
            SPARK_MASTER_OPTS="-Dspark.master.rest.enabled=false",
        )
        with open(self.folder / f"{name}.log", "wb") as log:
            command = [str(home / "bin" / "spark-class"), java_class, *words]
            self.processes[name] = subprocess.Popen(
                command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def _wait_for(self, name: str, pattern: str) -> str:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            text = (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
            found = re.search(pattern, text)
            if found:
                return found[1]
            assert self.processes[name].poll() is None, f"{name} ended: {text[-2000:]}"
            time.sleep(0.2)
        raise AssertionError(f"{name} did not start within {START_SECONDS} s: {text[-2000:]}")
