"""A publication that is killed between any two of its steps on the disk is not there or whole, and
the next one clears what it left.
"""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.warehouse.dbt_build import REPOSITORY
from tests.warehouse.publication import small
from tests.warehouse.publication.small import put_out, run_of
from warehouse.publication.archive import verify_archive
from warehouse.publication.verification import verify_publication

BEFORE = [run_of(day) for day in range(1, 5)]
KILLED, NEXT = small.KILLED, run_of(6)


@pytest.mark.parametrize("stride", [200, pytest.param(1, marks=pytest.mark.full)])
def test_killed_between_two_steps_it_is_old_or_new_and_whole(tmp_path: Path, stride: int) -> None:
    """Between every so many of them, and always before and after the switch."""
    base, home, note = tmp_path / "base", tmp_path / "home", tmp_path / "steps"
    for run_id in BEFORE:
        put_out(base, run_id)

    def publish_again(kill_at: int) -> int:
        """Publish in a process of its own, and return how it ended."""
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(base, home, symlinks=True)
        code = f"from {small.__name__} import publish_in_steps as publish; "
        code += f"publish({str(home)!r}, {kill_at}, {str(note)!r})"
        return subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode

    assert publish_again(0) == 0
    steps = note.read_text(encoding="utf-8").splitlines()
    link = next(n for n, step in enumerate(steps, 1) if step.startswith("os.symlink"))
    published = home / "published"
    for number in sorted({*range(1, len(steps) + 1, stride), link, link + 1}):
        step = steps[number - 1]
        assert publish_again(number) == -signal.SIGKILL, step
        assert published.resolve().name == (KILLED if number > link + 1 else BEFORE[-1]), step
        assert verify_publication(published) == [], step
        put_out(home, NEXT)
        assert published.resolve().name == NEXT, step
        kept = sorted(path.name for path in (home / "publications").iterdir())
        assert kept == kept[-3:] and not kept[0].startswith("."), step
        assert verify_publication(published) == verify_archive(home / "archive", kept) == [], step
