"""meta.source: what layouts say of origins, and that one which says nothing is named."""

from __future__ import annotations

import pytest

from orchestration.assets.publication import describe_sources
from warehouse.ingest.layouts import load_layouts


def test_every_layout_says_where_its_source_comes_from() -> None:
    assert [name for name, layout in load_layouts().items() if layout.origin is None] == []


def test_each_source_has_a_row_and_a_silent_layout_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    layouts = load_layouts()
    silent = layouts["fdi"].model_copy(update={"origin": None})
    monkeypatch.setattr(
        "orchestration.assets.publication.load_layouts", lambda: {**layouts, "fdi": silent}
    )
    table = describe_sources(["fdi", "sim_wide_panel", "tidy"]).set_index("source_id")
    assert table.loc["sim_wide_panel", ["producer", "licence"]].tolist() == [
        "citysync",
        "MIT License",
    ]
    assert table.loc[["fdi", "tidy"], "producer"].isna().all()
    assert table.loc["fdi", "description"] and table.loc[["tidy"], "description"].isna().all()
    shown = capsys.readouterr().out
    assert "the layouts of fdi do not say" in shown and "tidy" not in shown


def test_where_a_source_comes_from_does_not_change_how_it_is_read() -> None:
    layout = load_layouts()["fdi"]
    assert layout.content == layout.model_copy(update={"origin": None}).content
