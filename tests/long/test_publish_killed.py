"""A publication that is killed between any two of its steps on the disk is not there or whole, and
the next one clears what it left.

In full (`make test-long`) between all of them, in the quick form between some, those of the switch
among them.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.long.conftest import Counts
from tests.long.kill_at_steps import BEFORE, KILLED, NEXT
from tests.orchestration.conftest import REPO


def test_killed_between_two_steps_it_is_old_or_new_and_whole(
    tmp_path: Path, counts: Counts, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [
        sys.executable,
        "-m",
        "tests.long.kill_at_steps",
        str(tmp_path),
        "1" if counts.kills > 1 else "25",
    ]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    said = json.loads(done.stdout)
    for result in said["results"]:
        assert result["ended"] == -signal.SIGKILL, result
        after, following = result["after"], result["next"]
        assert after["current"] == (KILLED if result["switched"] else BEFORE[-1]), result
        assert after["faults"] == following["faults"] == following["archive"] == [], result
        assert following["current"] == NEXT and not any(
            name.startswith(".") for name in following["kept"]
        ), result
        assert following["kept"] == sorted(following["kept"])[-3:]
    with capsys.disabled():
        print(
            f"\nkilled before {len(said['results'])} of the {said['n_steps']} steps of a "
            "publication; each left a whole one"
        )
