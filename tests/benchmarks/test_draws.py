"""Draws that lie there are kept, unless they were made with something else."""

from pathlib import Path

import pandas as pd

from benchmarks.draws import keep


def test_rows_are_drawn_again_only_where_they_were_made_with_something_else(tmp_path: Path) -> None:
    path, said, kept = tmp_path / "rows.csv", [], []
    for made_with, value in (("a", 1), ("a", 2), ("b", 3)):
        drawn = pd.DataFrame({"x": [value]})
        keep(path, made_with, lambda drawn=drawn: drawn, lambda name=made_with: said.append(name))
        kept += pd.read_csv(path)["x"].tolist()
    assert kept == [1, 1, 3] and said == ["a", "b"]
