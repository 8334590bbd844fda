"""The wheel, built from the files of the repository and used from another place, without the
repository.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile

import pytest
import yaml

from tests.conftest import REPO
from tests.docs.examples import blocks_of

SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import citysync as cs
from citysync.engines.compile_cache import cache_folder
assert cs.__file__.startswith(sys.argv[1]), cs.__file__
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"pyarrow", "numba", "narwhals", "duckdb"}:
            raise ModuleNotFoundError(name, name=name)


sys.meta_path.insert(0, Absent())
pairs = cs.data.euro("pandas")
asked = {"unit": ("iso_a", "iso_b"), "cohort": "euro", "block": "region"}
fit = cs.fit(pairs, "cm", **asked, permutations=0)
for name in cs.ESTIMATORS:
    cs.fit(pairs, "cm", **asked, estimator=name, permutations=99 * (name == "within_block"))
fit.plot("forest", file="forest.svg")
cs.etable(fit, file="table.docx")
print(list(fit.tidy())[0], cache_folder(), "estimation" in sys.modules)
from citysync.cli import main
main(["--version"])
"""
DECLARED = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    source, target = folder / "source", folder / "site"
    shutil.copytree(
        REPO / "estimation", source / "estimation", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(REPO / name, source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    offline = ["--no-deps", "--no-index"]
    subprocess.run(
        [*pip, "wheel", *offline, "--no-build-isolation", "-w", str(folder), str(source)],
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("citysync-*.whl")
    subprocess.run(
        [*pip, "install", *offline, "--target", str(target), str(wheel)],
        check=True,
        capture_output=True,
    )
    return target


def test_the_wheel_holds_every_file_of_the_library_and_none_of_the_study(site):
    (wheel,) = site.parent.glob("citysync-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {
            name.removeprefix("citysync/")
            for name in archive.namelist()
            if name.startswith("citysync/")
        }
    there = {
        str(path.relative_to(REPO / "estimation"))
        for path in (REPO / "estimation").rglob("*")
        if path.is_file()
    }
    left = ("analyses/", "report/", "sample/", "study/", "classify.py", "measures/policy_tools.py")
    left += ("data/policy_lexicon.csv",)
    assert held == {n for n in there if "__pycache__" not in n and not n.startswith(left)}


def test_it_fits_writes_and_draws_without_the_repository(site, tmp_path):
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "MPLBACKEND": "Agg"}
    command = [sys.executable, "-I", "-c", SCRIPT, str(site)]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    numba = tmp_path / ".cache" / "citysync" / "numba"
    assert done.stdout.split() == ["term", str(numba), "False", "citysync", DECLARED["version"]]
    entry = next(site.glob("citysync-*.dist-info")) / "entry_points.txt"
    assert "citysync = citysync.cli:main" in entry.read_text()
    assert (tmp_path / "forest.svg").stat().st_size > 5000 and (
        tmp_path / "table.docx"
    ).stat().st_size > 5000


def test_it_prints_the_numbers_of_the_readme_alone(site, tmp_path):
    readme = (REPO / "README.md").read_text(encoding="utf-8")
    blocks = blocks_of(readme)
    (place,) = (k for k, block in enumerate(blocks) if "cs.data.zones" in block.text)
    code = f"import sys; sys.path.insert(0, {str(site)!r})\n{blocks[place].text}"
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    command = [sys.executable, "-I", "-c", code]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == blocks[place + 1].text
    printed = re.search(r"change (\S+)  95 % \[(\S+), (\S+)\]  p (\S+)", done.stdout).groups()
    change, low, high, p_value = map(float, printed)
    assert f"{change:+.3f} (95 %" in readme
    # a data set may be older than the run of the page, where its growth has been mended since
    (p_above,) = re.findall(
        rf"interval {re.escape(f'{low:+.3f} to {high:+.3f}')}, p (\S+);", readme
    )
    assert abs(p_value - float(p_above)) < 0.01


def test_the_conda_recipe_asks_for_what_the_wheel_asks_for():
    text = (REPO / "conda/recipe/recipe.yaml").read_text(encoding="utf-8")
    recipe = yaml.safe_load(text)
    assert recipe["context"]["version"] == DECLARED["version"]
    asked = {one.replace(" ", "") for one in recipe["requirements"]["run"]}
    assert asked == {f"python{DECLARED['requires-python']}", *DECLARED["dependencies"]}
    (entry,) = recipe["build"]["python"]["entry_points"]
    name, _, target = entry.partition(" = ")
    assert DECLARED["scripts"] == {name: target}
    assert recipe["about"]["summary"] == DECLARED["description"]
