"""`make setup`: an environment from a lock file, whole or not at all.

Runs on the system's Python, before anything is installed, so it imports the standard library alone:
`python3 -I orchestration/commands/set_up.py .venv requirements.lock`.

An environment holds its own path in its scripts, so it cannot be built aside and moved. It is built
in place, and the stamp `.installed` is written last. The stamp holds the hash of the lock file, the
environment's path and the names of what was installed: an environment without it, of another lock,
moved, or with a package or its interpreter gone is removed and made again. Dates of files say
nothing. One set-up works at a time; a second one waits, and finds the work done.
"""

from __future__ import annotations

import argparse
import ast
import errno
import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

STAMP = ".installed"
OLDEST, NEWEST = (3, 11), (3, 13)
BAD_INPUT, INTERRUPTED = 2, 130
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
NAMED = 3
# what a new environment has by itself; what is installed into it later may bring another version,
# which has other parts
OF_VENV = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils-precedence.pth")

# Of what variables and pip's files of settings ask for, a set-up heeds where packages come from and
# how they are fetched: whatever comes from there is held against the hashes of the lock. The rest
# (another folder, other versions, further requirements, builds from source) would make another
# environment than the lock says.
PLACES = re.compile(
    "PIP_(INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|CERT|CLIENT_CERT|PROXY|TRUSTED_HOST|(DEFAULT_)?TIMEOUT|RETRIES|(NO_)?CACHE_DIR"
    "|KEYRING_PROVIDER)"
    "|UV_(DEFAULT_INDEX|INDEX(_URL|_STRATEGY|_[A-Z0-9_]+_(USERNAME|PASSWORD))?|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|INSECURE_HOST|NATIVE_TLS"
    "|SYSTEM_CERTS|HTTP_(CONNECT_)?TIMEOUT|HTTP_RETRIES|REQUEST_TIMEOUT|OFFLINE|NO_CACHE|CACHE_DIR|KEYRING_PROVIDER|CONCURRENT_[A-Z]+)"
)
# uv reads none of pip's settings: what it calls them, and what stands between several
OF_UV = {
    "PIP_INDEX_URL": ("UV_DEFAULT_INDEX", " "),
    "PIP_EXTRA_INDEX_URL": ("UV_INDEX", " "),
    "PIP_FIND_LINKS": ("UV_FIND_LINKS", ","),
    "PIP_NO_INDEX": ("UV_NO_INDEX", " "),
}


class SetUpFailed(Exception):
    """A step failed; the message says which, and what to do."""


def set_up(
    environment: Path,
    lock: Path,
    installer: Path,
    uv: Path | None = None,
    checkout: Path | None = None,
) -> None:
    """Build the environment unless it is there as the lock file says.

    Parameters
    ----------
    environment : Path
        Absolute; folder of the environment. What is there and not whole is removed.
    lock : Path
        Requirements with hashes.
    installer : Path
        Requirements with hashes of uv, which installs the rest.
    uv : Path, optional
        A uv that is installed already; then none is put into the environment.
    checkout : Path, optional
        Absolute; folder whose packages the environment shall find.

    Raises
    ------
    SetUpFailed
        Naming the step; nothing half is left.
    """
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not what_is_wrong(environment, wanted):
        return
    _require_a_possible_place(environment)
    with _hold(environment.with_name(environment.name + "-lock")) as held:
        wrong = what_is_wrong(environment, wanted)
        if not wrong:
            return
        _remove(environment, wrong)
        try:
            _build(environment, lock, installer, uv, held)
            if checkout is not None:
                _let_find(environment, checkout)
            _write_stamp(environment, wanted)
        except BaseException:
            # a second ctrl-c must not leave half of what the first one removes
            before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
            shutil.rmtree(environment, ignore_errors=True)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            raise


def what_is_wrong(environment: Path, wanted: str) -> str:
    """Why an environment has to be made again, as the end of a sentence about it; empty where it is
    whole.

    What stands inside a package is not looked at (`make audit` does): this is asked before every
    command, and takes milliseconds.
    """
    if not (environment / STAMP).is_file():  # a pipe in its place would be waited for
        return "is of a set-up that did not end"
    try:
        found, *rest = (
            (environment / STAMP)
            .read_text(encoding="utf-8", errors="surrogateescape")
            .removesuffix("\n")
            .split("\n")
        )
    except (OSError, ValueError):
        return "is of a set-up that did not end"
    if found != wanted:
        return (
            "is of another lock file"
            if re.fullmatch("[0-9a-f]{64}", found)
            else "is of a set-up that did not end"
        )
    # of a set-up before 2026-11-26 the stamp is the hash alone
    place, *names = rest or [str(environment.resolve())]
    if place != str(environment.resolve()):
        return f"was made at {place}, which its scripts name"
    packages = _packages(environment)
    if packages is None:
        return "has no interpreter that runs"
    gone = sorted(set(names) - set(_names(environment, packages)))
    more = f" and {len(gone) - NAMED} more" if len(gone) > NAMED else ""
    return f"lacks {', '.join(gone[:NAMED])}{more}" if gone else ""


def _packages(environment: Path) -> Path | None:
    """The folder where its interpreter finds packages; None where the interpreter or the folder is
    gone.
    """
    python = environment / "bin" / "python"
    asked = [
        str(python),
        "-I",
        "-S",
        "-c",
        "import sys; print('python%d.%d' % sys.version_info[:2])",
    ]
    try:
        told = subprocess.run(
            asked, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
        )
    except (OSError, ValueError, subprocess.CalledProcessError):
        return None
    packages = environment / "lib" / told.stdout.strip() / "site-packages"
    return packages if packages.is_dir() else None


def _names(environment: Path, packages: Path) -> list[str]:
    """Programs and packages that are installed, without the folders that only describe them."""
    modules = [
        name
        for name in os.listdir(packages)
        if not name.endswith((".dist-info", "__pycache__")) and name not in OF_VENV
    ]
    return sorted([*modules, *(f"bin/{name}" for name in os.listdir(environment / "bin"))])


def _write_stamp(environment: Path, wanted: str) -> None:
    packages = _packages(environment)
    if packages is None:
        raise SetUpFailed(
            f"{environment} has no interpreter that runs, after every step went well; try again, "
            "with another PYTHON="
        )
    lines = [wanted, str(environment.resolve()), *_names(environment, packages)]
    draft = environment / (STAMP + ".new")
    draft.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogateescape")
    draft.replace(environment / STAMP)


def _let_find(environment: Path, checkout: Path) -> None:
    """Let its Python find the checkout's packages, and the folder `estimation` under the name that
    it has as a library.

    By relative paths: a line of such a file that begins with `import` is run, and it is read in the
    encoding of whoever starts Python.
    """
    packages = _packages(environment)
    if packages is not None:
        up = os.path.relpath(checkout, packages)
        (packages / "citysync.pth").write_text(up + "\n", encoding="utf-8")
        (packages / "citysync").symlink_to(Path(up) / "estimation")


def _require_a_possible_place(environment: Path) -> None:
    """Refuse a path that an environment cannot hold, before a step ends in riddles."""
    found = [
        name
        for sign, name in ((":", "a colon"), ("\n", "a line break"), ("\r", "a line break"))
        if sign in str(environment)
    ]
    if found:
        raise SetUpFailed(
            f"{str(environment)!r} holds {found[0]}, with which Python makes no environment; move "
            "the checkout"
        )


@contextmanager
def _hold(path: Path) -> Iterator[int]:
    """Let one set-up work at a time.

    The lock is the kernel's. Its steps hold it too, so that the next set-up waits for a step that
    went on after its set-up was killed.
    """
    # for reading and writing: a pipe in its place is not waited for
    held = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(
                "citysync setup: another set-up of this checkout is running; waiting for it",
                flush=True,
            )
            fcntl.flock(held, fcntl.LOCK_EX)
        yield held
    finally:
        os.close(held)


def _remove(environment: Path, wrong: str) -> None:
    """Take away what is there; of a link the link alone."""
    if environment.is_symlink() or (environment.exists() and not environment.is_dir()):
        environment.unlink()
    elif environment.exists():
        print(f"citysync setup: {environment} {wrong}: made again", flush=True)
        # the stamp goes first: a removal that is interrupted must not leave it beside half an
        # environment
        if (environment / STAMP).is_file():
            (environment / STAMP).unlink()
        try:
            shutil.rmtree(environment)
        except OSError as error:
            error.filename = str(environment)  # it names the last part of a path alone
            raise


def _build(environment: Path, lock: Path, installer: Path, uv: Path | None, held: int) -> None:
    python = environment / "bin" / "python"
    missing = (
        "no environment could be made, the lines above say why; where they speak of ensurepip: "
        "apt-get install python3-venv"
    )
    settings = {
        name: value
        for name, value in os.environ.items()
        if PLACES.fullmatch(name) or not re.match("PIP_|UV_|PYTHON", name)
    }
    _run([sys.executable, "-I", "-m", "venv", str(environment)], missing, held, settings)
    settings = _with_settings_of_pip(python, settings)
    hashed = ["--require-hashes", "-r"]
    if uv is None:
        quiet = ["--quiet", "--no-input", "--disable-pip-version-check"]
        _run(
            [str(python), "-I", "-m", "pip", "install", *quiet, *hashed, str(installer)],
            _not_installed(installer),
            held,
            settings,
        )
        uv = environment / "bin" / "uv"
    # the lock names every package, also what was left out of it on purpose
    quiet = ["--quiet", "--no-config", "--no-deps", "--compile-bytecode"]
    _run(
        [str(uv), "pip", "install", *quiet, "--python", str(python), *hashed, str(lock)],
        _not_installed(lock),
        held,
        settings,
    )
    # nobody runs the packages' own tests here: what was compiled of them is a fifth of all that was
    for folder in [
        path for path in (environment / "lib").rglob("__pycache__") if "tests" in path.parts
    ]:
        shutil.rmtree(folder, ignore_errors=True)


def _with_settings_of_pip(python: Path, settings: dict[str, str]) -> dict[str, str]:
    """Variables for pip and uv of where packages come from, as pip's files of settings say it; the
    files themselves are not read again.
    """
    asked = [str(python), "-I", "-m", "pip", "config", "list"]
    own_file = {name: value for name, value in os.environ.items() if name == "PIP_CONFIG_FILE"}
    told = ""
    with suppress(OSError):
        told = subprocess.run(
            asked,
            env=settings | own_file,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        ).stdout
    found = {}
    # a section of one command says more than the general one, and a variable more than both
    for section in ("global", "install"):
        for name, value in re.findall(rf"^{section}\.([a-z-]+)=('.*'|\".*\")$", told, re.MULTILINE):
            with suppress(ValueError, SyntaxError):
                found["PIP_" + name.upper().replace("-", "_")] = ast.literal_eval(value)
    settings = {name: value for name, value in found.items() if PLACES.fullmatch(name)} | settings
    if not any(
        re.fullmatch("UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX)", name)
        for name in settings
    ):
        settings |= {
            of_uv: between.join(settings[name].split())
            for name, (of_uv, between) in OF_UV.items()
            if name in settings
        }
    if "PIP_CERT" in settings:
        settings.setdefault("SSL_CERT_FILE", settings["PIP_CERT"])
    return settings | {"PIP_CONFIG_FILE": os.devnull}


def _not_installed(lock: Path) -> str:
    return (
        f"{lock.name} could not be installed, the lines above say why; where a hash is not the "
        "expected one, the package or the lock "
        "file was exchanged: put the lock file back as it is committed (git checkout "
        f"{lock.name}) and try again, or ask who changed it"
    )


def _run(command: list[str], text: str, held: int, settings: dict[str, str]) -> None:
    """Run a step, in a group of its own: ended early, it ends with all that it started, and then
    its half work can be removed.
    """
    try:
        step = subprocess.Popen(  # our own programs; paths are arguments of their own
            command, env=settings, stdin=subprocess.DEVNULL, process_group=0, pass_fds=[held]
        )
    except PermissionError as error:
        raise SetUpFailed(
            f"{command[0]} may not be run: is its disk mounted noexec? Put the checkout on "
            "another one"
        ) from error
    try:
        code = step.wait()
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(step.pid, signal.SIGKILL)
        step.wait()
        raise
    if code:
        raise SetUpFailed(text)


def _hold_streams() -> None:
    """Open what of the first three streams is closed (`>&-`): else the lock would get its number,
    and steps would print into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _explain(error: OSError) -> str:
    """What to do about an error of the machine."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "make room there"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "give write permission there"
    if error.errno in (errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ELOOP, errno.ENXIO):
        return "move it away"
    return "look at it"


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code: 0 made or there, 2 not, 130 interrupted; with --is-whole
    1 where it has to be made.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environment", type=Path)
    parser.add_argument("lock", type=Path)
    parser.add_argument("--installer", type=Path, default=Path("requirements-installer.lock"))
    parser.add_argument("--uv", type=Path, help="a uv that is installed already")
    parser.add_argument(
        "--checkout", type=Path, help="folder whose packages the environment shall find"
    )
    parser.add_argument(
        "--is-whole",
        action="store_true",
        help="say only by the exit code whether it is there as the lock file says",
    )
    chosen = parser.parse_args(arguments)
    environment = chosen.environment.absolute()
    if chosen.is_whole:
        return bool(
            what_is_wrong(environment, hashlib.sha256(chosen.lock.read_bytes()).hexdigest())
        )
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        found = ".".join(str(part) for part in sys.version_info[:3])
        print(
            f"citysync needs Python 3.11 to 3.13; {sys.executable} is Python {found}. Set "
            "PYTHON=python3.12 or the like."
        )
        return BAD_INPUT
    _hold_streams()
    if sys.stdout is not None:
        # the bytes of a path may be no text
        sys.stdout.reconfigure(errors="backslashreplace")
    for number in ENDING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)
    try:
        set_up(
            environment,
            chosen.lock,
            chosen.installer,
            chosen.uv,
            chosen.checkout and chosen.checkout.absolute(),
        )
    except KeyboardInterrupt:
        print(
            "citysync setup: exit 130: interrupted; nothing half is left, the next make begins "
            "again"
        )
        return INTERRUPTED
    except SetUpFailed as error:
        print(f"citysync setup: exit 2: {error}")
        return BAD_INPUT
    except OSError as error:
        print(
            f"citysync setup: exit 2: {error.filename or environment}: {error.strerror}; "
            f"{_explain(error)}, then run make again"
        )
        return BAD_INPUT
    return 0


if __name__ == "__main__":
    sys.exit(main())
