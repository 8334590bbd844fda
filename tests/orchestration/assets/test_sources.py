"""meta.source: what layouts say of origins, and that one which says nothing is named."""

from __future__ import annotations

import pytest

from orchestration.assets.publication import describe_sources
from warehouse.ingest.layouts import load_layouts


def test_each_source_has_a_row_and_a_silent_layout_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    layouts = load_layouts()
    assert [name for name, layout in layouts.items() if layout.origin is None] == []
    silent = layouts["fdi"].model_copy(update={"origin": None})
    # where a source comes from does not change how it is read
    assert silent.content == layouts["fdi"].content
    given = {**layouts, "fdi": silent}
    monkeypatch.setattr("orchestration.assets.publication.load_layouts", lambda **_: given)
    table = describe_sources(["fdi", "sim_wide_panel", "tidy"]).set_index("source_id")
    assert table.loc["sim_wide_panel", "producer"] == "citysync"
    assert table.loc[["fdi", "tidy"], "producer"].isna().all()
    assert table["description"].isna().to_dict() == {
        "fdi": False,
        "sim_wide_panel": False,
        "tidy": True,
    }
    assert "the layouts of fdi do not say" in capsys.readouterr().out
