"""No hostile file kills the process that reads it, takes more than 2 GB or 30 s of a processor, or
ends without a fault or its values.

In full (`make test-long`): larger files, and the real limit of time. The quick form of `make test`
has the same cases, smaller.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from tests.orchestration.conftest import REPO
from tests.warehouse.ingest.hostile import tables, texts, variants, workbooks

TABLES, TEXTS = workbooks.CASES | tables.CASES | variants.TABLES, texts.CASES | variants.TEXTS
#: Reasons that a reader did not foresee: every case has a fault of its own.
UNFORESEEN = re.compile(r"at which the reader (stopped|ended)|Traceback")


@pytest.fixture(scope="module")
def corpus() -> dict:
    """Outcomes of the corpus, read by a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.warehouse.ingest.hostile"],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def test_the_corpus_is_large_and_stays_within_its_limits(corpus, capsys):
    outcomes = corpus["outcomes"]
    assert len(outcomes) == len(TABLES) + len(TEXTS) >= 600
    assert corpus["peak_bytes"] < 2 << 30
    assert not {
        name: outcome["seconds"] for name, outcome in outcomes.items() if outcome["seconds"] > 30
    }
    with capsys.disabled():
        slowest = max(outcomes, key=lambda name: outcomes[name]["seconds"])
        n_refused = sum(
            "fault" in outcome or bool(outcome["notes"]) for outcome in outcomes.values()
        )
        print(
            f"\n{len(outcomes)} hostile files: {n_refused} refused, the others read; highest "
            f"memory {corpus['peak_bytes'] / 1e6:,.0f} MB"
        )
        print(f"slowest {outcomes[slowest]['seconds']:.1f} s of a processor ({slowest})")


@pytest.mark.parametrize("name", TABLES)
def test_a_hostile_table_is_refused_with_its_reason_or_read(corpus, name):
    outcome, expected = corpus["outcomes"][name], TABLES[name][1]
    fault = outcome.get("fault")
    assert not UNFORESEEN.search(fault or "")
    if isinstance(expected, int):
        assert outcome.get("values") == expected, fault
    elif expected or fault is not None:
        assert fault is not None, outcome
        assert re.search(expected, fault)
        assert re.search("(?s)expected .*; found .*; ", fault)
        assert len(fault) < 5_000


@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_text_is_turned_away_with_its_reason_or_read(corpus, name):
    """The table beside it is read in any case."""
    outcome, expected = corpus["outcomes"][name], TEXTS[name][1]
    assert "fault" not in outcome, outcome["fault"]
    assert (len(outcome["notes"]), outcome["values"]) == (1, 0) or (
        expected == texts.EITHER and not outcome["notes"]
    )
    for note in outcome["notes"]:
        assert re.search("(?s)expected .*; found .*; ", note)
        assert not UNFORESEEN.search(note)
