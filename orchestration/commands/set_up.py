"""`make setup`: an environment from a lock file, whole or not at all.

Runs on the system's Python, before anything is installed, so it imports the standard library alone:
`python3 -I orchestration/commands/set_up.py .venv requirements.lock`.

An environment holds its own path in its scripts, so it cannot be built aside and moved. It is built in place, and the stamp `.installed`,
which holds the hash of its lock file, is written last: an environment without that stamp is a half one, and the next set-up removes it and
begins again. One set-up works at a time; a second one waits, and finds the work done.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

STAMP = ".installed"
OLDEST, NEWEST = (3, 11), (3, 13)
BAD_INPUT, INTERRUPTED = 2, 130


class SetUpFailed(Exception):
    """A step failed; the message says which, and what to do."""


def set_up(environment: Path, lock: Path, installer: Path, uv: Path | None = None, checkout: Path | None = None) -> None:
    """Build the environment unless it is there as the lock file says.

    Parameters
    ----------
    environment : Path
        Folder of the environment; what is there and not whole is removed.
    lock : Path
        Requirements with hashes.
    installer : Path
        Requirements with hashes of uv, which installs the rest.
    uv : Path, optional
        A uv that is installed already; then none is put into the environment.
    checkout : Path, optional
        Folder whose packages the environment shall find.

    Raises
    ------
    SetUpFailed
        Naming the step; nothing half is left.
    """
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = environment / STAMP
    with open(environment.with_name(environment.name + "-lock"), "a") as held:
        _wait_for(held)
        if _read(stamp) == wanted:
            stamp.touch()
            return
        _remove(environment, "another lock file" if stamp.is_file() else "a set-up that did not end")
        try:
            _build(environment, lock, installer, uv)
        except BaseException:
            shutil.rmtree(environment, ignore_errors=True)
            raise
        if checkout is not None:
            packages = next((environment / "lib").glob("python3*/site-packages"))
            (packages / "citysync.pth").write_text(str(checkout) + "\n", encoding="utf-8")
            # the folder under the name that the library has where it is installed
            (packages / "citysync").symlink_to(checkout / "estimation")
        draft = environment / (STAMP + ".new")
        draft.write_text(wanted, encoding="utf-8")
        draft.replace(stamp)


def _wait_for(held: IO) -> None:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("citysync setup: another set-up of this checkout is running; waiting for it", flush=True)
        fcntl.flock(held, fcntl.LOCK_EX)


def _read(stamp: Path) -> str | None:
    try:
        return stamp.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


def _remove(environment: Path, reason: str) -> None:
    """Take away what is there; of a link the link alone."""
    if environment.is_symlink() or environment.is_file():
        environment.unlink()
    elif environment.exists():
        print(f"citysync setup: {environment} is of {reason}: made again", flush=True)
        # the stamp goes first: a removal that is interrupted must not leave it beside half an environment
        if (environment / STAMP).is_file():
            (environment / STAMP).unlink()
        shutil.rmtree(environment)


def _build(environment: Path, lock: Path, installer: Path, uv: Path | None) -> None:
    python = environment / "bin" / "python"
    missing = "python3 -m venv failed: on Debian install python3-venv (apt-get install python3-venv)"
    _run([sys.executable, "-m", "venv", str(environment)], missing)
    hashed = ["--require-hashes", "-r"]
    if uv is None:
        _run(
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *hashed, str(installer)],
            _not_installed(installer),
        )
        uv = environment / "bin" / "uv"
    _run([str(uv), "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), *hashed, str(lock)], _not_installed(lock))
    # nobody runs the packages' own tests here: what was compiled of them is a fifth of all that was
    for folder in [path for path in (environment / "lib").rglob("__pycache__") if "tests" in path.parts]:
        shutil.rmtree(folder, ignore_errors=True)


def _not_installed(lock: Path) -> str:
    return (
        f"{lock.name} could not be installed, the lines above say why; where a hash is not the expected one, the package or the lock "
        f"file was exchanged: put the lock file back as it is committed (git checkout {lock.name}) and try again, or ask who changed it"
    )


def _run(command: list[str], text: str) -> None:
    if subprocess.run(command, check=False).returncode:  # noqa: S603 (our own programs; paths are arguments of their own)
        raise SetUpFailed(text)


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code: 0 made or there, 2 not, 130 interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environment", type=Path)
    parser.add_argument("lock", type=Path)
    parser.add_argument("--installer", type=Path, default=Path("requirements-installer.lock"))
    parser.add_argument("--uv", type=Path, help="a uv that is installed already")
    parser.add_argument("--checkout", type=Path, help="folder whose packages the environment shall find")
    chosen = parser.parse_args(arguments)
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        found = ".".join(str(part) for part in sys.version_info[:3])
        print(f"citysync needs Python 3.11 to 3.13; {sys.executable} is Python {found}. Set PYTHON=python3.12 or the like.")
        return BAD_INPUT
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        set_up(chosen.environment.absolute(), chosen.lock, chosen.installer, chosen.uv, chosen.checkout and chosen.checkout.absolute())
    except KeyboardInterrupt:
        print("citysync setup: exit 130: interrupted; nothing half is left, the next make begins again")
        return INTERRUPTED
    except SetUpFailed as error:
        print(f"citysync setup: exit 2: {error}")
        return BAD_INPUT
    except OSError as error:
        place = error.filename or chosen.environment
        print(f"citysync setup: exit 2: {place}: {error.strerror}; make room there or give write permission, then run make again")
        return BAD_INPUT
    return 0


if __name__ == "__main__":
    sys.exit(main())
