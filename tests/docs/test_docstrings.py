"""Every public function of the library has an example, and it prints what it says."""

import doctest
from collections.abc import Callable

import pytest

import estimation

FUNCTIONS = [
    name
    for name in estimation.PUBLIC
    if callable(value := getattr(estimation, name)) and not isinstance(value, type)
]
DATA = ["euro", "euro_countries", "zones"]


def public(name: str) -> Callable:
    """A function of the library, or of its data."""
    holder = estimation.data if name in DATA else estimation
    return getattr(holder, name)


# that of audit fits 200 times
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.full if name == "audit" else ())
        for name in (*FUNCTIONS, *DATA)
    ],
)
def test_the_example_of_a_public_function_runs(name: str) -> None:
    function = public(name)
    (test,) = doctest.DocTestFinder(recurse=False).find(function, name, globs={"cs": estimation})
    assert test.examples, f"{name} has no example"
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=flags)
    assert runner.run(test, out=report.append).failed == 0, "".join(report)
