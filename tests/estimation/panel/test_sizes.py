"""Files and numbers that no panel has are refused in a sentence, before memory is asked for."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from estimation.api.primary import primary
from estimation.cli import main
from estimation.panel.panel_error import PanelError
from tests.estimation.primary.test_command import _frame

N = 600


def write(path: Path, cells: Any, **options: Any) -> Path:
    """A panel of units whose ids are some cells."""
    columns = {
        "city_id": cells,
        "year": [2000 + k % 15 for k in range(N)],
        "growth": [1.0] * N,
        "cohort_year": [2005] * N,
        "block_id": ["a"] * N,
    }
    pq.write_table(pa.table(columns), path, compression="zstd", store_schema=False, **options)
    return path


def one_text(length: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array([0] * N, pa.int32()), pa.array(["x" * length]))


BOMBS = {
    "one text in all rows": ({"cells": one_text(10_000_000)}, "texts of at most 1,000 bytes"),
    "a text below the sum": ({"cells": one_text(400_000)}, "texts of at most 1,000 bytes"),
    "long cells": (
        {
            "cells": pa.array(["y" * 50_000 + str(k) for k in range(6)] * 100),
            "use_dictionary": False,
        },
        "texts of at most 1,000 bytes",
    ),
    "a list in each cell": ({"cells": [[1, 2]] * N}, "expected numbers or text, found list"),
    "a structure in each cell": ({"cells": [{"a": 1}] * N}, "expected numbers or text, found str"),
}


@pytest.mark.parametrize(("given", "said"), BOMBS.values(), ids=BOMBS)
def test_a_small_file_of_much_is_refused_before_it_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: dict, said: str
) -> None:
    path = write(tmp_path / "bomb.parquet", **given)
    assert path.stat().st_size < 100_000
    before = pa.default_memory_pool().max_memory()
    assert main(["primary", str(path)]) == 2
    found = capsys.readouterr()
    assert said in found.err and found.err.count("\n") == 1 and not found.out
    assert pa.default_memory_pool().max_memory() - before < 100_000_000


@pytest.mark.parametrize("scale", [1e-160, 1e-300, 1e160])
def test_numbers_whose_squares_do_not_hold_are_refused(scale: float) -> None:
    """A scale of 1e-160 moved the estimate in the fourth digit, in silence."""
    frame = _frame()
    with pytest.raises(PanelError, match="give it in another unit"):
        primary(frame.assign(growth=frame["growth"] * scale))


def test_whole_numbers_of_forty_digits_are_ids_and_no_growth() -> None:
    frame = _frame()
    long = pd.Series([10**40 + int(one) for one in frame["city_id"]], dtype=object)
    found = primary(frame.assign(city_id=long), permutations=20).result
    assert found.estimate == primary(frame, permutations=20).result.estimate
    with pytest.raises(PanelError, match="expected a number or a blank, found '1000"):
        primary(frame.assign(growth=long))


@pytest.mark.parametrize("error", [MemoryError, OverflowError, RecursionError])
def test_what_is_too_large_ends_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: type[Exception]
) -> None:
    def fail(_: object) -> int:
        raise error("of\nmany lines")

    monkeypatch.setattr("estimation.cli._run", fail)
    assert main(["classify", "clauses.csv"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and error.__name__ in said
