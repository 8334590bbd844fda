"""What is typed after `make` is data: no value is run, and every character of it reaches the
command. make itself runs here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.orchestration.conftest import REPO

# stands in for the environment's python: it writes down how it was called, unless it is asked
# whether the environment is whole (it is)
RECORDER = """#!{python} -I
import json, os, sys
from pathlib import Path
if sys.argv[1] == "-I":
    sys.exit()
with open(Path({folder!r}) / "calls.jsonl", "a", encoding="utf-8") as file:
    file.write(json.dumps({{"arguments": sys.argv[1:], "environment": dict(os.environ)}}) + "\\n")
"""
# a command in each way that make or a shell knows; {mark} is the file that it would make
ATTACKS = {
    "shell": "$(shell touch {mark})",
    "braces": "${{shell touch {mark}}}",
    "file": "$(file >{mark},x)",
    "eval": "$(eval X := $(shell touch {mark}))",
    "nested": "$(if 1,$(shell touch {mark}))",
    "reference": "$(OTHER)",
    "twice": "$$(shell touch {mark})",
    "command substitution": "$(touch {mark})",
    "backticks": "`touch {mark}`",
    "quote": "'; touch {mark}; '",
    "double quote": '"; touch {mark}; "',
    "semicolon": "; touch {mark}",
    "newline": "x\n\ttouch {mark}",
    "and": "x && touch {mark}",
}
# variable, target, and where in the last call its value stands as an argument
USES = [
    ("LANDING", "refresh", "--landing"),
    ("LANDING", "ui", "--landing"),
    ("LANDING", "reproduce", "--landing"),
    ("LANDING", "bench-quality", "--landing"),
    ("LANDING", "bench-halves", "--landing"),
    ("Q", "sql", "--query"),
    ("CSV", "sql", "--out"),
    ("OUT", "sql", "--out"),
    ("RUN", "deposit", "--run"),
    ("RUN", "verify", "--run"),
    ("LANDING", "verify", "--landing"),
    ("ADVISORIES", "audit", "--advisories"),
    ("RUN", "rollback", "--run"),
    ("RUN", "reproduce", "--run"),
    ("SCALE", "simulation-study", "--scale"),
    ("LARGE", "bench", "--large"),
    ("SRC", "new-source", "--"),
    ("SRC", "check-source", "--source"),
    ("SRC", "fetch", "--source"),
    ("LANDING", "fetch", "--landing"),
]


@dataclass(frozen=True)
class Checkout:
    """A folder with this Makefile and an environment that only records."""

    folder: Path

    def make(self, *words: str, **environment: str) -> list[dict]:
        """Run make; arguments and environment of each call of the environment's python."""
        (self.folder / "calls.jsonl").unlink(missing_ok=True)
        env = {
            name: value
            for name, value in os.environ.items()
            if name not in ("LANDING", "Q", "MAKEFLAGS", "PYTHONPATH")
        }
        command = ["make", "--no-print-directory", *words]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=env | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return [
            json.loads(line)
            for line in (self.folder / "calls.jsonl").read_text(encoding="utf-8").splitlines()
        ]

    @property
    def mark(self) -> Path:
        return self.folder / "mark"


def recorder(folder: Path, path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(RECORDER.format(python=sys.executable, folder=str(folder)), encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "Makefile").write_text(
        (REPO / "Makefile").read_text(encoding="utf-8"), encoding="utf-8"
    )
    for name in ("", "-dev", "-installer", "-peers", "-spark"):
        (folder / f"requirements{name}.lock").write_text("", encoding="utf-8")
    for name in (".venv", ".venv-peers", ".venv-spark"):
        recorder(folder, folder / name / "bin" / "python")
        (folder / name / ".installed").touch()
    (folder / ".venv" / ".installed-dev").touch()
    return Checkout(folder)


def value_after(call: dict, flag: str) -> str:
    """What a call was given as `--flag=value`, or as the word after `flag`."""
    joined = [
        word.removeprefix(f"{flag}=") for word in call["arguments"] if word.startswith(f"{flag}=")
    ]
    return joined[0] if joined else call["arguments"][call["arguments"].index(flag) + 1]


@pytest.mark.parametrize(
    ("variable", "target", "flag"),
    USES,
    ids=[f"{target} {variable}" for variable, target, _ in USES],
)
def test_no_value_is_run_and_every_character_arrives(
    checkout: Checkout, variable: str, target: str, flag: str
) -> None:
    """All attacks in one value: the commands would run one after the other."""
    value = (
        " ".join(ATTACKS.values())
        .replace("{{", "{")
        .replace("}}", "}")
        .replace("{mark}", str(checkout.mark))
    )
    for call in (
        checkout.make(target, f"{variable}={value}"),
        checkout.make(target, **{variable: value}),
    ):
        assert not checkout.mark.exists()
        assert value_after(call[-1], flag) == value


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_no_attack_is_run_by_itself(checkout: Checkout, attack: str) -> None:
    value = attack.format(mark=checkout.mark)
    calls = checkout.make(
        "refresh",
        f"LANDING={value}",
        f"CITYSYNC_HOME={value}",
        f"WINDOW_FIRST_YEAR={value}",
        f"ANYTHING={value}",
    )
    assert not checkout.mark.exists()
    assert value_after(calls[-1], "--landing") == value
    for name in ("LANDING", "CITYSYNC_HOME", "WINDOW_FIRST_YEAR", "ANYTHING"):
        assert calls[-1]["environment"][name] == value


PATHS = [
    "/data/五 月 (2)",
    "a'b\"c",
    "one\ntwo",
    "{x,y}/*?[z]",
    "a#b",
    "50%",
    "c:\\d\\",
    "x  ",
    "-rf",
    "$HOME",
    "a=b",
]


@pytest.mark.parametrize("path", PATHS)
def test_odd_paths_arrive_as_they_are(checkout: Checkout, path: str) -> None:
    assert value_after(checkout.make("refresh", f"LANDING={path}")[-1], "--landing") == path
    assert value_after(checkout.make("-e", "refresh", LANDING=path)[-1], "--landing") == path


def test_what_is_not_given_is_left_out_and_settings_arrive(checkout: Checkout) -> None:
    assert checkout.make("refresh")[-1]["arguments"] == ["-m", "orchestration", "refresh"]
    call = checkout.make("sql", "FORCE=1", WINDOW_FIRST_YEAR="2012")[-1]
    assert (
        call["environment"]["FORCE"] == "1" and call["environment"]["WINDOW_FIRST_YEAR"] == "2012"
    )
    assert call["environment"]["CITYSYNC_HOME"] == "data" and call["arguments"] == [
        "-m",
        "orchestration",
        "sql",
    ]


FAKES = {
    "says nothing": "exit 0",
    "fails": "exit 1",
    "is none": "echo Python was not found; exit 127",
}


@pytest.mark.parametrize("fake", FAKES)
def test_another_python3_in_front_does_not_matter_once_the_environment_is_whole(
    checkout: Checkout, tmp_path: Path, fake: str
) -> None:
    (tmp_path / "python3").write_text(f"#!/bin/sh\n{FAKES[fake]}\n", encoding="utf-8")
    (tmp_path / "python3").chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    assert checkout.make("refresh", PATH=path)[-1]["arguments"] == [
        "-m",
        "orchestration",
        "refresh",
    ]
    # without an environment it ends there, and not with a shell's word for a program that is not
    # found
    (tmp_path / "Makefile").write_text(
        (checkout.folder / "Makefile").read_text(encoding="utf-8"), encoding="utf-8"
    )
    for name in ("requirements.lock", "requirements-installer.lock"):
        (tmp_path / name).touch()
    env = {name: text for name, text in os.environ.items() if name != "MAKEFLAGS"} | {"PATH": path}
    done = subprocess.run(
        ["make", "refresh"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2 and "not found" not in done.stderr
    assert ("say which to take (make setup PYTHON=" in done.stdout) == (fake == "says nothing")


def test_packages_of_other_programs_are_not_seen(checkout: Checkout) -> None:
    for call in (
        checkout.make("refresh", PYTHONPATH="/x", PYTHONHOME="/x"),
        checkout.make("refresh", "PYTHONPATH=/x", "PYTHONHOME=/x"),
    ):
        assert not {"PYTHONPATH", "PYTHONHOME"} & set(call[-1]["environment"])


def test_places_and_home_of_spark_are_data(checkout: Checkout) -> None:
    """Its recipe is the only one that puts a home's path into a line of the shell."""
    home = checkout.folder / "home $(touch mark)"
    (home / "build").mkdir(parents=True)
    (home / "build" / "citysync.duckdb").touch()
    java = checkout.folder / "tools"
    recorder(checkout.folder, java / "java")
    path = f"{java}{os.pathsep}{os.environ['PATH']}"
    calls = checkout.make(
        "spark", "PLACES=$(shell touch mark)`touch mark`", f"CITYSYNC_HOME={home}", PATH=path
    )
    assert not checkout.mark.exists() and len(calls) == 5
    assert value_after(calls[0], "--places") == "$(shell touch mark)`touch mark`"
    assert calls[0]["arguments"][2] == f"{home}/build/citysync.duckdb"


# Other ways into make than a word on its command line: variables that make itself reads, goals, and
# words that look like options.
WAYS: dict[str, tuple[list[str], dict[str, str]]] = {
    "as the environment's place": (
        ["refresh", "VENV={attack}", "PY={attack}", "STAMP={attack}", "BROWSER={attack}"],
        {},
    ),
    "as the environment's place, for the shell": (
        ["refresh", "VENV=x; touch {mark};", "PY=touch {mark};", "BROWSER=;touch {mark}"],
        {},
    ),
    "environment overrides": (
        ["-e", "refresh"],
        {"LANDING": "{attack}", "CITYSYNC_HOME": "{attack}"},
    ),
    "environment and command line": (["refresh", "LANDING={attack}"], {"LANDING": "{attack}"}),
    "given twice": (["refresh", "LANDING=x", "LANDING={attack}"], {}),
    "behind two strokes": (["refresh", "--", "LANDING={attack}"], {}),
    "in lower case": (["refresh", "landing={attack}"], {}),
    "as a tool's setting": (
        ["refresh", "DBT_PROFILES_DIR={attack}", "DAGSTER_HOME={attack}", "PYTHONSTARTUP={attack}"],
        {},
    ),
    "as make's own list": (["refresh", "MAKEOVERRIDES={attack}", "MAKECMDGOALS={attack}"], {}),
    "as the helper's arguments": (
        [
            "refresh",
            "0={attack}",
            "1={attack}",
            "2={attack}",
            "name={attack}",
            "given={attack}",
            "literal={attack}",
        ],
        {},
    ),
    "as the list of inputs": (["refresh", "INPUTS={attack}"], {}),
    "as a window": (
        ["refresh"],
        {"WINDOW_FIRST_YEAR": "{attack}", "KEEP": "{attack}", "FORCE": "{attack}"},
    ),
    "as an engine": (
        ["refresh", "ENGINE={attack}", "SPARK_MASTER={attack}"],
        {"ENGINE": "{attack}", "SPARK_STORAGE": "{attack}"},
    ),
    "as help": (["help", "Q={attack}"], {"Q": "{attack}"}),
    "with question marks": (["refresh", "LANDING={attack}", "-k", "-s", "--no-builtin-rules"], {}),
    "where make looks for files": (
        ["refresh", "VPATH={attack}", "GPATH={attack}"],
        {"VPATH": "{attack}", "GPATH": "{attack}"},
    ),
    "as what every target needs": (["refresh", ".EXTRA_PREREQS={attack}"], {}),
    "as what every target needs, from the environment": (
        ["refresh"],
        {".EXTRA_PREREQS": "{attack}", ".LIBPATTERNS": "{attack}"},
    ),
    "as the Python to take, from the environment": (["refresh"], {"PYTHON": "{attack}"}),
    "added to a variable": (["refresh", "LANDING+={attack}", "Q?={attack}"], {"LANDING": "x"}),
    "with lines of make's own": (
        ["refresh", "LANDING=x\nendef\n{attack}\ninclude {mark}\ndefine Y"],
        {},
    ),
    "as make's own variables": (
        ["refresh", "MAKE={attack}", "CURDIR={attack}", ".VARIABLES={attack}", "*={attack}"],
        {},
    ),
    "under names that are none": (
        ["refresh", "LANDING ={attack}", "X Y={attack}"],
        {"A B": "{attack}", "LANDING:": "{attack}"},
    ),
    "as a goal": (["refresh", "{attack}"], {}),
    "as several": (
        [
            "verify",
            "RUN={attack}",
            "LANDING={attack}",
            "ADVISORIES={attack}",
            "CSV={attack}",
            "SRC={attack}",
        ],
        {},
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_no_other_way_into_make_runs_a_value(checkout: Checkout, way: str) -> None:
    """Whatever make says of such words, none of them is run."""
    words, environment = WAYS[way]
    checkout.mark.unlink(missing_ok=True)
    for attack in (
        "$(shell touch {mark})",
        "$(file >{mark},x)",
        "$${{IFS}}`touch {mark}`",
        "$(eval $(shell touch {mark}))",
    ):
        value = attack.format(mark=checkout.mark)
        env = {
            name: text
            for name, text in os.environ.items()
            if name not in ("LANDING", "Q", "MAKEFLAGS", "PYTHONPATH")
        }
        env |= {name: text.replace("{attack}", value) for name, text in environment.items()}
        command = [
            "make",
            *(
                word.replace("{attack}", value).replace("{mark}", str(checkout.mark))
                for word in words
            ),
        ]
        subprocess.run(
            command,
            cwd=checkout.folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert not checkout.mark.exists(), value
