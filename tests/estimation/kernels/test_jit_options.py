"""Compiled loops are kept between runs, and never taken from other sources."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from estimation.kernels import jit_options
from estimation.kernels.jit_options import hash_sources

PACKAGE = Path(jit_options.__file__).parents[1]
CODE = """
import numpy as np
from estimation.kernels.linear_algebra import invert
invert(np.eye(2), np.zeros(2, dtype=np.bool_))
print(sum(invert.stats.cache_hits.values()), sum(invert.stats.cache_misses.values()))
"""


def cache_use(root: Path, cache: Path) -> list[int]:
    """Hits and misses of numba's cache when a new process inverts a matrix with the package in
    `root`.
    """
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(word) for word in done.stdout.split()]


def test_a_second_process_takes_the_compiled_loop_and_one_with_other_sources_compiles_anew(
    tmp_path: Path,
) -> None:
    """The changed file is not that of the loop: by itself numba would not see the change."""
    root, cache = tmp_path / "checkout", tmp_path / "cache"
    shutil.copytree(
        PACKAGE, root / "estimation", ignore=shutil.ignore_patterns("__pycache__", "report")
    )
    assert cache_use(root, cache) == [0, 1]
    assert cache_use(root, cache) == [1, 0]
    constants = root / "estimation/linear/normal_equations.py"
    text = constants.read_text()
    assert "PIVOT_FLOOR = 1e-7" in text
    constants.write_text(text.replace("PIVOT_FLOOR = 1e-7", "PIVOT_FLOOR = 1e-8"))
    assert cache_use(root, cache) == [0, 1]
    assert len(list(cache.iterdir())) == 2


def test_loops_are_kept_whoever_loads_them_first(tmp_path: Path) -> None:
    """Nothing but a kernel is imported, and numba before it."""
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    environment |= {"CITYSYNC_HOME": str(tmp_path), "PYTHONPATH": str(PACKAGE.parent)}
    subprocess.run(
        [sys.executable, "-c", f"import numba{CODE}"],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
    )
    assert list((tmp_path / "cache" / "numba").rglob("linear_algebra.invert-*.nbc"))


def test_the_hash_changes_with_any_file_that_goes_into_a_loop(tmp_path: Path) -> None:
    files = [tmp_path / "a.py", tmp_path / "b.py"]
    for path in files:
        path.write_text("x = 1\n")
    before = hash_sources(files)
    assert hash_sources(files) == before
    files[1].write_text("x = 2\n")
    assert hash_sources(files) != before
