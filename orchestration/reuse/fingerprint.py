"""Hash what a run depends on: files, code, seeds, settings and package versions.

`take_fingerprint` hashes content alone, never times, and `plan.py` compares it with an earlier
one. `note_code` finds files that were written *while* a run worked, so it notes their times too.
How something is hashed is in `warehouse/hashing.py`.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from orchestration.home import REPO
from orchestration.settings import RECORDED_SETTINGS
from warehouse.hashing import code_files, hash_file, hash_parts, hash_tree
from warehouse.ingest.errors import FileFault
from warehouse.ingest.unchanged_files import take_snapshot

CODE = (
    "dbt_project.yml",
    "profiles.yml",
    "warehouse",
    "expectations",
    "estimation",
    "orchestration",
)
# The only code of `estimation` that the warehouse runs: the models int_city_cycles and
# int_policy_clause_labels.
RUN_BY_MODELS = (
    "estimation/__init__.py",
    "estimation/measures/__init__.py",
    "estimation/measures/cycles.py",
    "estimation/measures/policy_tools.py",
)
# Texts that no stage before the estimates reads.
COMMENTS = "warehouse/publication/table_comments.yml"
ESTIMATION = "estimation/"
REPORT = "estimation/report/"
#: Modules that hold nothing but specs, and their catalog. `hash_estimation` leaves them out, since
#: a unit is kept under its specs anyway.
LISTINGS = frozenset(
    f"estimation/analyses/{name}.py"
    for name in (
        "baseline",
        "catalog",
        "confounders",
        "dynamics",
        "heterogeneity",
        "matching",
        "mechanisms",
        "policy_tools",
        "robustness",
        "spillovers",
        "study_form",
    )
)
LOCKED_NAME = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", re.MULTILINE)


class CodeChanged(Exception):
    """Files of the checkout changed while a run worked."""


@dataclass(frozen=True)
class Fingerprint:
    """Hashes of everything a stage's result depends on; each holds those before it.

    Attributes
    ----------
    landing : str
        Paths and bytes of the files to read.
    marts : str
        Also settings, packages and all code that runs before the estimates.
    publication : str
        Also the code of estimates and report, and comments of tables. A change of it alone leaves
        the marts as they are; which estimates are computed again, `unit_cache` decides by unit.
    """

    landing: str
    marts: str
    publication: str


def take_fingerprint(files: Mapping[str, str] | None) -> Fingerprint:
    """Return the fingerprint of a run that would start now.

    Parameters
    ----------
    files : mapping of str to str, or None
        Hashes of the delivered files; None for the simulated landing, which follows from code and
        settings.
    """
    before: list[str] = []
    after: list[str] = []
    for path, content in hash_code().items():
        is_after = path == COMMENTS or (path.startswith(ESTIMATION) and path not in RUN_BY_MODELS)
        (after if is_after else before).extend([path, content])
    settings = [f"{name}={os.environ[name]}" for name in RECORDED_SETTINGS if os.environ.get(name)]
    of_landing = hash_parts(["simulated"]) if files is None else hash_of_files(files)
    marts = hash_parts([of_landing, *settings, *_environment(), *before])
    return Fingerprint(of_landing, marts, hash_parts([marts, *after]))


def hash_landing(landing: Path) -> dict[str, str]:
    """Return the hash of each file below a landing by its path; changes of time stamps alone do not
    count. A file that no reader would open is represented by the message on what is wrong with it.

    Raises
    ------
    OSError
        If the mount failed, or a folder cannot be listed.
    """
    return hash_tree(landing, _content)


def hash_of_files(files: Mapping[str, str], source_id: str = "") -> str:
    """Return one hash over the paths and contents of a landing's files, or of those of a source."""
    folder = f"{source_id}/" if source_id else ""
    own = [pair for pair in files.items() if pair[0].startswith(folder)]
    return hash_parts(chain.from_iterable(own))


def _content(path: Path) -> str:
    try:
        return take_snapshot(path).sha256
    except FileFault as fault:
        return str(fault)


def hash_code() -> dict[str, str]:
    """Return the hash of each file of this checkout that a run may read: code, seeds, settings."""
    return {path.relative_to(REPO).as_posix(): hash_file(path) for path in code_files(REPO, CODE)}


def hash_estimation() -> str:
    """Return one hash of what a group of specs depends on besides its marts and its specs: the code
    of the estimates (without the report and the listings of specs), Python and packages.
    """
    parts = _environment()
    for path, content in hash_code().items():
        if path.startswith(ESTIMATION) and not path.startswith(REPORT) and path not in LISTINGS:
            parts += [path, content]
    return hash_parts(parts)


def note_code() -> dict[str, str]:
    """Return the hash and the time of change of each file of this checkout that a run may read.

    A file that is changed and put back while a run works has its old hash again, but another time:
    the run may have read it in between.
    """
    noted = {}
    for path, content in hash_code().items():
        noted[path] = f"{content} {(REPO / path).stat().st_mtime_ns}"
    return noted


def git_commit() -> str:
    """Commit of the checkout, with `+changes` when files differ from it; `unknown` outside a
    checkout.
    """

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=REPO, capture_output=True, text=True, check=True
        ).stdout.strip()  # constant arguments; git is found on the user's own path

    try:
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def require_same_code(code: Mapping[str, str]) -> None:
    """Raise where files of the checkout were written since a run began.

    Models are read when the run starts and modules when they are first needed, so a `git pull`
    during a refresh would give tables of two versions under the commit of the second.

    Parameters
    ----------
    code : mapping of str to str
        What `note_code` returned when the run began.

    Raises
    ------
    CodeChanged
        With one of the files, how many there are, and what to do.
    """
    now = note_code()
    if code != now:
        changed = sorted({path for path, _ in code.items() ^ now.items()})
        found = changed[0]
        if len(changed) > 1:
            found += f" and {len(changed) - 1} more"
        raise CodeChanged(
            f"files of this checkout were written while the run worked ({found}): nothing is "
            "published; run it again, and change no file until it ends"
        )


def _environment() -> list[str]:
    """Return Python's version, the machine, and the version of every installed package of the lock
    file. Packages that only tests need change no result.
    """
    text = (REPO / "requirements" / "base.txt").read_text(encoding="utf-8")
    locked = {_normalised(name) for name in LOCKED_NAME.findall(text)}
    packages = set()
    for entry in sys.path:
        # an empty one is the working folder
        if entry and Path(entry).is_dir():
            packages |= {path.name for path in Path(entry).glob("*.dist-info")}
    return [
        platform.python_version(),
        platform.machine(),
        *sorted(name for name in packages if _normalised(name.split("-")[0]) in locked),
    ]


def _normalised(name: str) -> str:
    """Return a package's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
