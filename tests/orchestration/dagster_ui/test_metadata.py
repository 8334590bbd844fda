"""Tables in the form in which the UI shows them."""

import pandas as pd

from orchestration.dagster_ui.metadata import show_aside


def test_long_cells_cannot_break_out_of_their_table() -> None:
    shown = show_aside(pd.DataFrame({"sample": ["a|b\n<script>", None], "n": [1.5, 2.0]})).md_str
    assert shown.splitlines() == [
        "| sample | n |",
        "| --- | --- |",
        "| a/b &lt;script&gt; | 1.5 |",
        "|  | 2.0 |",
    ]
