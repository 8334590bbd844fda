"""A publication that is killed between any two of its steps on the disk is not there or whole, and
the next one clears what it left.
"""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.warehouse.dbt_build import REPOSITORY
from tests.warehouse.publication.kill_at_steps import BEFORE, KILLED, NEXT


@pytest.mark.parametrize("stride", [120, pytest.param(1, marks=pytest.mark.full)])
def test_killed_between_two_steps_it_is_old_or_new_and_whole(tmp_path: Path, stride: int) -> None:
    """Between every so many of them, and always before and after the switch."""
    script = "tests.warehouse.publication.kill_at_steps"
    command = [sys.executable, "-m", script, str(tmp_path), str(stride)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    for result in json.loads(done.stdout):
        assert result["ended"] == -signal.SIGKILL, result
        after, following = result["after"], result["next"]
        assert after["current"] == (KILLED if result["switched"] else BEFORE[-1]), result
        assert after["faults"] == following["faults"] == following["archive"] == [], result
        assert following["current"] == NEXT, result
        assert following["kept"] == sorted(following["kept"])[-3:], result
        assert not any(name.startswith(".") for name in following["kept"]), result
