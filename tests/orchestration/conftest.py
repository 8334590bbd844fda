"""Whole refreshes in a subprocess, as a user runs them; one small simulated publication is shared
by the tests that only look.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestration.command import main
from orchestration.commands.public import write_public
from orchestration.home import REPO
from orchestration.supervision import exit_code_of
from tests.conftest import made_once, of_all_workers
from warehouse.publication.untrusted import open_publication

SMALL = {"CITYSYNC_SIMULATED_CITIES": "48", "CITYSYNC_PERMUTATIONS": "199"}


@dataclass(frozen=True)
class Run:
    """A finished command: exit code, what it printed, and the home it worked in."""

    code: int
    output: str
    home: Path

    @property
    def last_line(self) -> str:
        return self.output.strip().splitlines()[-1]

    @property
    def manifest(self) -> dict:
        return json.loads((self.home / "published" / "manifest.json").read_text(encoding="utf-8"))


def run(home: Path, *arguments: str, **environment: str) -> Run:
    """Run what `.venv/bin/citysync ...` starts: that itself takes away PYTHONPATH, by which
    tests/no_network is loaded.
    """
    env = {**os.environ, **SMALL, "CITYSYNC_HOME": str(home), **environment}
    command = [sys.executable, "-P", "-m", "orchestration.command", *arguments]
    done = subprocess.run(
        command,
        cwd=home.parent,  # from anywhere: a selection by path once found no model from elsewhere
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Run(done.returncode, done.stdout, home)


def refresh(home: Path, landing: Path | None = None, **environment: str) -> Run:
    """A refresh with a small simulated landing or the given one."""
    return run(home, "refresh", *([f"--landing={landing}"] if landing else []), **environment)


def published_once(folder: Path, publish: Callable[[], Run]) -> Run:
    """A published run of all workers, made by the worker that asks first."""

    def make(_: Path) -> None:
        made = publish()
        (folder / "run.json").write_text(json.dumps([made.code, made.output]), encoding="utf-8")

    text = (made_once(folder, make) / "run.json").read_text(encoding="utf-8")
    found = Run(*json.loads(text), folder / "home")
    assert found.code == 0, found.output
    return found


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One publication from the small simulated landing; nobody changes it."""
    folder = of_all_workers(tmp_path_factory) / "simulated"
    return published_once(folder, lambda: refresh(folder / "home"))


@pytest.fixture(scope="session")
def public_copy(simulated: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `citysync public` makes of the simulated publication; nobody changes it."""

    def make(folder: Path) -> None:
        assert write_public(open_publication(simulated.home / "published"), folder / "copy") == 0

    return made_once(of_all_workers(tmp_path_factory) / "public", make) / "copy"


@dataclass(frozen=True)
class SixCities:
    """A publication of six cities with real GDP alone, and its landing; nobody changes them."""

    run: Run
    landing: Path


@pytest.fixture(scope="session")
def six(tmp_path_factory: pytest.TempPathFactory) -> SixCities:
    """Six cities, with a link in the landing and two lines that are turned away."""
    folder = of_all_workers(tmp_path_factory) / "six"

    def make() -> Run:
        landing = write_tidy(
            folder / "landing",
            [*six_cities(), "999999,2010,gdp_real_cny_100m,5", "110000,2010,no_such_indicator,5"],
        )
        (landing / "tidy" / "link.csv").symlink_to("/etc/hostname")
        return refresh(folder / "home", landing)

    return SixCities(published_once(folder, make), folder / "landing")


@pytest.fixture
def home_of_six(six: SixCities, tmp_path: Path) -> Path:
    """A copy of their home, which a test may change; its path is none that a tool may split."""
    odd = "五 月 a'b\"c {x},y a$HOME semi;colon a:b ~x &amp; -rf"
    return shutil.copytree(six.run.home, tmp_path / odd, symlinks=True)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Run]:
    """Run a command of a home in this process, which has loaded what a new one would load again."""
    monkeypatch.setattr("orchestration.command.supervise", lambda _, work: exit_code_of(work))

    def call(home: Path, *words: str) -> Run:
        monkeypatch.setenv("CITYSYNC_HOME", str(home))
        code = main([*words])
        said = capfd.readouterr()
        return Run(code, said.err + said.out, home)

    return call


def end_of(work: Callable[..., int], *arguments: object) -> int:
    """Exit code of a command's work in this process, its last line printed."""
    return exit_code_of(lambda: work(*arguments))


def write_tidy(landing: Path, rows: list[str], name: str = "values.csv") -> Path:
    """A landing with one tidy CSV."""
    path = landing / "tidy" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["city_id,year,indicator_id,value", *rows]) + "\n", encoding="utf-8")
    return landing


def six_cities() -> list[str]:
    """Real GDP of six cities over 17 years: a common cycle and a phase of their own."""
    cities = (110000, 120000, 310000, 330100, 440100, 500000)
    level = dict.fromkeys(cities, 1000.0)
    rows = []
    for year in range(2005, 2022):
        for k, city in enumerate(cities):
            level[city] *= (
                1.07 + 0.02 * ((year * (k + 2)) % 11 - 5) / 5 + 0.01 * ((year % 7) - 3) / 3
            )
            rows.append(f"{city},{year},gdp_real_cny_100m,{level[city]:.4f}")
    return rows


def head() -> str:
    """The commit of this checkout."""
    return subprocess.run(
        ["git", "-C", str(REPO), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
