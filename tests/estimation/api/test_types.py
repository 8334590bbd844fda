"""What a type checker sees of a user's script, and where each estimator is named."""

import os
import re
import subprocess
import sys
from typing import get_args

import pytest

from estimation.api.fit import ESTIMATORS
from estimation.api.help import FIT_HELP
from estimation.estimators.registry import ESTIMATORS as REGISTRY
from estimation.estimators.registry import EstimatorName
from tests.conftest import REPO

SCRIPT = """
import pandas as pd

import citysync as cs

frame = pd.DataFrame()
one = cs.fit(frame, "y", unit=("a", "b"), estimator="twfe", vcov=["dyadic", "unit"])
reveal_type(one)
reveal_type(cs.fit(frame, ["y", "z"], unit=("a", "b")))
reveal_type(one.wald(["treated"])["p_value"])
errors = cs.vcov(object(), ["a", "b"], vcov="dyadic")
reveal_type(errors)
reveal_type(errors.notes)
reveal_type(cs.etable(one))
cs.fit(frame, "y", unit=("a", "b"), estimator="twfee")
cs.vcov(object(), ("a", "b"), vcov="robust")
one.estimate
"""
SEEN = ["Fit", "list[Fit]", "float", "Errors", "tuple[str, ...]", "Table"]
REFUSED = {14: "call-overload", 15: "arg-type", 16: "attr-defined"}


@pytest.mark.full
def test_mypy_strict_sees_types_and_refuses_names_that_are_none(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT.lstrip())
    command = [sys.executable, "-m", "mypy", "--strict", "script.py"]
    cache = ["--cache-dir", str(REPO / ".venv" / "mypy-user")]
    # stubs of pandas are the user's own affair, settings of whoever runs the tests are not meant
    command += [*cache, "--config-file", os.devnull, "--disable-error-code", "import-untyped"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    shown = re.findall(r'Revealed type is "([^"]*)"', done.stdout)
    plain = [re.sub(r"(builtins|citysync[a-z_.]*)\.(?=\w)", "", text) for text in shown]
    assert plain == SEEN, done.stdout + done.stderr
    errors = dict(re.findall(r"script.py:(\d+): error: .*\[([a-z-]+)\]", done.stdout))
    assert {int(line): code for line, code in errors.items()} == REFUSED, done.stdout


def test_every_estimator_is_named_where_it_is_described():
    """The type of `estimator`, the help of the command, and the table of the methods."""
    assert set(get_args(EstimatorName)) == set(ESTIMATORS)
    assert set(ESTIMATORS) <= set(re.findall(r"\w+", FIT_HELP))
    methods = (REPO / "docs/methods/06-estimators.md").read_text(encoding="utf-8")
    listed = " ".join(re.findall(r"^\| (`.*?) \|", methods, re.MULTILINE))
    assert sorted(re.findall(r"\w+", listed)) == sorted({*REGISTRY, *ESTIMATORS})
