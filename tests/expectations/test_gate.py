"""The gate: what fails is named and stops or warns by its severity; pages work without a
network.
"""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from expectations.gate import RESULT_COLUMNS, run_gate
from expectations.rules import between, has_rows, not_null, one_of, ordered

FRAME = pd.DataFrame(
    {
        "city_id": [110000, 310000, 440100],
        "year": [2010, 2011, 2012],
        "low": [1.0, 2.0, 3.0],
        "high": [2.0, 1.0, None],
        "word": ["a", "b", "a"],
    }
)


def judge(tmp_path: Path, rules, frame=FRAME, **overrides):
    """Run a gate named `raw` on one data set."""
    return run_gate("raw", rules, {"cells": frame}, tmp_path / "work", tmp_path / "docs", overrides)


def test_failing_rows_are_named_and_severity_decides(tmp_path: Path) -> None:
    rules = [
        between("low_range", "cells", "low", 0, 2.5, "warn", "too high"),
        ordered("high_over_low", "cells", "high", "low", "stop", "crossed"),
        one_of("word_known", "cells", "word", ["a", "b"], "stop", "unknown"),
        has_rows("rows", "cells", "stop", "empty"),
    ]
    result = judge(tmp_path, rules)
    by_id = result.results.set_index("check_id")
    assert list(by_id.loc[["low_range", "high_over_low", "word_known", "rows"], "success"]) == [
        False,
        False,
        True,
        True,
    ]
    assert "city_id=440100" in by_id.loc["low_range", "sample_rows"]
    assert by_id.loc["high_over_low", "unexpected_count"] == 1
    assert not result.passed
    assert [sentence.split(":")[0] for sentence in result.sentences()] == ["stop", "warn"]
    assert "crossed" in result.sentences()[0]
    assert judge(tmp_path, rules, high_over_low="warn").passed


def test_a_checkpoint_started_by_hand_judges_what_is_kept_and_says_so(tmp_path: Path) -> None:
    import great_expectations as gx

    rules = [between("low_range", "cells", "low", 0, 2.5, "warn", "too <high>")]
    run_gate(
        "raw", rules, {"cells": FRAME}, tmp_path / "work", tmp_path / "docs", run_name="one run"
    )
    (page,) = (tmp_path / "docs" / "validations").rglob("*.html")
    text = page.read_text(encoding="utf-8")
    assert "one run" in str(page) and "What it means" in text and "too &lt;high&gt;" in text
    assert "<script" not in text and not (tmp_path / "docs" / "static").exists()

    context = gx.get_context(mode="file", project_root_dir=str(tmp_path / "work"))
    kept = Path(context.root_directory) / "frames" / "raw.cells.parquet"
    pd.read_parquet(kept).assign(low=7.0).to_parquet(kept)
    own = gx.expectations.ExpectColumnValuesToNotBeNull(column="high", notes=["a", "<b>"])
    context.suites.get("raw.cells").add_expectation(own)
    assert not context.checkpoints.get("raw.cells").run().success
    index = (tmp_path / "docs" / "index.html").read_text(encoding="utf-8")
    assert "3 of 3 rows outside" in index and "low=7.0" in index
    assert "expect_column_values_to_not_be_null" in index
    # the newest result is linked, whatever its run is called
    (newest,) = (tmp_path / "docs" / "validations").rglob("__none__/**/*.html")
    assert page.relative_to(tmp_path / "docs").as_posix() not in index
    assert newest.parent.name in index and newest.relative_to(tmp_path / "docs").as_posix() in index


def test_a_copied_home_writes_its_own_pages_and_none_names_a_folder(tmp_path: Path) -> None:
    import great_expectations as gx

    first, copy = tmp_path / "first", tmp_path / "copy"
    judge(first, [has_rows("rows", "cells", "stop", "empty")])
    shutil.copytree(first, copy)
    context = gx.get_context(mode="file", project_root_dir=str(copy / "work"))
    assert context.checkpoints.get("raw.cells").run().success
    (old,) = (first / "docs" / "validations").rglob("*.html")
    new = list((copy / "docs" / "validations").rglob("*.html"))
    assert len(new) == 2
    assert all(str(tmp_path) not in page.read_text(encoding="utf-8") for page in [old, *new])


def test_every_failing_row_is_kept_the_worst_first(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "source_id": [f"s{k}" for k in range(11)],
            "share": [0.2 + 0.01 * k for k in range(10)] + [0.9],
        }
    )
    rule = between("raw_share", "cells", "share", 0, 0.1, "warn", "too large")
    result = judge(tmp_path, [rule], frame)
    assert (
        result.rows["failing_row"].tolist()[:2] == ["source_id=s10", "source_id=s9"]
        and len(result.rows) == 11
    )
    assert result.results["sample_rows"][0].startswith("source_id=s10 share=0.9; source_id=s9")
    (sentence,) = result.sentences()
    assert sentence.startswith("warn: raw_share (cells.share): found ")
    assert "(source_id=s10 share=0.9; source_id=s9" in sentence
    (page,) = (tmp_path / "docs" / "validations").rglob("*.html")
    assert "s10" in page.read_text(encoding="utf-8")


def test_the_index_takes_results_of_a_build_that_numbered_its_rows(tmp_path: Path) -> None:
    import great_expectations as gx

    judge(tmp_path, [between("low_range", "cells", "low", 0, 2.5, "warn", "too high")])
    context = gx.get_context(mode="file", project_root_dir=str(tmp_path / "work"))
    (stored,) = Path(context.root_directory).rglob("validations/**/*.json")
    kept = json.loads(stored.read_text(encoding="utf-8"))
    kept["results"][0]["result"]["unexpected_index_list"] = [2]
    stored.write_text(json.dumps(kept), encoding="utf-8")
    context.build_data_docs()
    assert "1 of 3 rows outside" in (tmp_path / "docs" / "index.html").read_text(encoding="utf-8")


def test_what_was_not_delivered_is_not_judged(tmp_path: Path) -> None:
    rules = [between("blank", "cells", "nothing", 0, 1, "stop", "x")]
    result = judge(tmp_path, rules, FRAME.assign(nothing=None))
    assert result.results.empty
    assert list(result.results.columns) == list(RESULT_COLUMNS)
    assert result.passed
    assert judge(tmp_path, [between("low", "cells", "low", 0, 1, "stop", "x")], FRAME[:0]).passed


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (between("gone", "cells", "absent", 0, 1, "warn", "x"), "gone .* cells has no column abse"),
        (not_null("empty", "cells", "absent", "warn", "x"), "empty .* cells has no column absent"),
        (ordered("pair", "cells", "high", "lower", "warn", "x"), "pair .* has no column lower"),
        (between("other", "elsewhere", "low", 0, 1, "warn", "x"), "other .* found elsewhere"),
    ],
)
def test_a_rule_on_what_its_gate_never_has_is_refused(tmp_path: Path, rule, said) -> None:
    with pytest.raises(ValueError, match=said):
        judge(tmp_path, [rule])


@pytest.mark.parametrize("name", ["$HOME", "a ${x} $y"])
def test_pages_lie_in_a_folder_whatever_its_name(tmp_path: Path, name: str) -> None:
    assert judge(tmp_path / name, [has_rows("rows", "cells", "stop", "empty")], FRAME[:1]).passed
    assert list((tmp_path / name / "docs" / "validations").rglob("*.html"))


def test_an_unknown_severity_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="check_severity: rows has severity 'fatal'"):
        judge(tmp_path, [has_rows("rows", "cells", "stop", "empty")], rows="fatal")
