"""Every bad delivery of the corpus ends as expected, fast, in little memory, and leaves nothing
half-built.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.warehouse.ingest.bad_files import CASES, LINKS

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def corpus() -> dict:
    """Outcomes of the corpus, read in a process of its own so that its memory can be measured."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.warehouse.ingest.bad_files"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return json.loads(done.stdout)


def test_the_corpus_is_large_and_cheap(corpus):
    assert len(corpus["outcomes"]) == len(CASES) + len(LINKS) >= 80
    assert corpus["bytes"] < 2 << 30
    slow = {
        name: outcome["seconds"]
        for name, outcome in corpus["outcomes"].items()
        if outcome["seconds"] > 30
    }
    assert not slow


@pytest.mark.parametrize("name", CASES)
def test_a_bad_delivery_ends_as_expected(corpus, name):
    outcome, expected = corpus["outcomes"][name], CASES[name][1]
    if isinstance(expected, str):
        assert re.search(expected, outcome.get("fault", f"read: {outcome}"))
        assert not outcome["built"]
        assert "Traceback" not in outcome["fault"]
        return
    n_values, reasons = expected
    assert "fault" not in outcome, outcome["fault"]
    assert outcome["values"] == n_values
    # every column the layout ignores (the province) has its line as well
    found = {
        reason: count
        for reason, count in outcome["reasons"].items()
        if (reason, count) != ("unmapped_column", 1)
    }
    assert outcome["unexplained"] == 0
    assert {reason: found.get(reason) for reason in reasons} == reasons
    assert set(found) <= {*reasons, "unmapped_column"}


@pytest.mark.parametrize("name", LINKS)
def test_a_link_is_not_followed_out_of_the_landing(corpus, name):
    outcome = corpus["outcomes"][name]
    assert (outcome["values"], outcome["reasons"]["dropped_row"]) == (2, 1)
