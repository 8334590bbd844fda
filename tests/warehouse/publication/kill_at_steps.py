"""Publish over and over, each time killed before the next step that it takes on the disk, and print
what came of each as JSON.

A process of its own that never opens a database itself: everything happens in forks of it, so a
fork has no threads to lose.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

from tests.warehouse.publication.small import put_out, run_of
from warehouse.publication.archive import verify_archive
from warehouse.publication.verification import verify_publication

STEPS = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.chmod", "open")
BEFORE = [run_of(day) for day in range(1, 5)]
KILLED, NEXT = run_of(5), run_of(6)


def in_a_fork(work: Callable[..., object], *arguments: object) -> int | None:
    """Do it in a process of its own; how that ended, as an exit code or minus a signal."""
    process = get_context("fork").Process(target=work, args=arguments)
    process.start()
    process.join()
    return process.exitcode


def publish_in_steps(home: Path, kill_at: int, note: Path) -> None:
    """Publish; before the step below the home with this number the process ends as by `kill
    -9`. The names go to `note`.
    """
    names: list[str] = []

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        if event not in STEPS or (
            event == "open" and not (int(arguments[2]) & (os.O_WRONLY | os.O_RDWR))
        ):
            return
        path = str(arguments[0])
        # a name may also be relative to an open folder, as where a tree is removed
        if path.startswith("/") and not path.startswith(f"{home}/"):
            return
        names.append(f"{event} {path}")
        if len(names) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hear)
    put_out(home, KILLED)
    note.write_text("\n".join(names), encoding="utf-8")


def look(home: Path, out: Path) -> None:
    """What stands after a kill, then after the next publication."""

    def state() -> dict[str, object]:
        kept = sorted(path.name for path in (home / "publications").iterdir())
        return {
            "current": (home / "published").resolve().name,
            "faults": verify_publication(home / "published"),
            "kept": kept,
            "archive": verify_archive(
                home / "archive", [name for name in kept if not name.startswith(".")]
            ),
        }

    after = state()
    put_out(home, NEXT)
    out.write_text(json.dumps({"after": after, "next": state()}), encoding="utf-8")


def main() -> None:
    """`kill_at_steps FOLDER STRIDE`: killed before every STRIDE-th step, and before the two that
    switch.
    """
    folder, stride = Path(sys.argv[1]), int(sys.argv[2])
    base, home, out = folder / "base", folder / "home", folder / "out.json"
    base.mkdir()
    for name in BEFORE:
        in_a_fork(put_out, base, name)

    def publish_again(kill_at: int) -> int | None:
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(base, home, symlinks=True)
        return in_a_fork(publish_in_steps, home, kill_at, folder / "steps")

    publish_again(0)
    steps = (folder / "steps").read_text(encoding="utf-8").splitlines()
    link = next(n for n, step in enumerate(steps, 1) if step.startswith("os.symlink"))
    results = []
    for number in sorted({*range(1, len(steps) + 1, stride), link, link + 1}):
        ended = publish_again(number)
        in_a_fork(look, home, out)
        results.append(
            {
                "step": steps[number - 1],
                "ended": ended,
                "switched": number > link + 1,
                **json.loads(out.read_text()),
            }
        )
        out.unlink()
    print(json.dumps(results))


if __name__ == "__main__":
    main()
