"""Kept estimates are used where all they were made from is equal, and only whole."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pandas as pd
import pytest

from orchestration.home import Home
from orchestration.reuse.kept_estimates import keep_estimates
from warehouse.whole_files import remove_any


@dataclasses.dataclass(frozen=True)
class Frames:
    cities: pd.DataFrame


def test_kept_estimates_are_used_for_equal_inputs_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORCE", raising=False)
    home, calls = Home(tmp_path), []
    table = pd.DataFrame(
        {"spec_id": pd.array(["a", None], dtype="str"), "n": pd.array([1, None], dtype="Int64"), "x": pd.array([0.1, None], "Float64")}
    )

    def compute() -> dict[str, pd.DataFrame]:
        calls.append(1)
        return {"estimate": table}

    frames = Frames(pd.DataFrame({"z": [1.0, 2.0]}))
    fresh, kept = (keep_estimates(home, frames, [19], compute)["estimate"] for _ in range(2))
    pd.testing.assert_frame_equal(fresh, kept)
    assert len(calls) == 1
    keep_estimates(home, Frames(pd.DataFrame({"z": [1.0, 2.0 + 1e-15]})), [19], compute)
    keep_estimates(home, frames, [20], compute)
    assert len(calls) == 3
    (file,) = [path for path in tmp_path.rglob("estimate.parquet") if json.loads((path.parent / "index.json").read_text())["number"] == 1]
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    pd.testing.assert_frame_equal(keep_estimates(home, frames, [19], compute)["estimate"], table)
    assert len(calls) == 4


@pytest.mark.parametrize("damage", ["deep", "empty", "bytes", "list", "index is a folder", "entry is a file", "store is a file"])
def test_what_cannot_be_read_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    monkeypatch.delenv("FORCE", raising=False)
    home, frames, calls = Home(tmp_path), Frames(pd.DataFrame({"z": [1.0]})), []

    def compute() -> dict[str, pd.DataFrame]:
        calls.append(1)
        return {"estimate": pd.DataFrame({"x": [0.5]})}

    keep_estimates(home, frames, [19], compute)
    (index,) = tmp_path.rglob("index.json")
    texts = {"deep": b"[" * 100_000, "empty": b"", "bytes": b"\xff\xfe", "list": b"[1]"}
    if damage in texts:
        index.write_bytes(texts[damage])
    elif damage == "index is a folder":
        index.unlink()
        index.mkdir()
    else:
        place = index.parent if damage == "entry is a file" else home.root / "estimates"
        remove_any(place)
        place.write_text("x", encoding="utf-8")
    for _ in range(2):
        assert keep_estimates(home, frames, [19], compute)["estimate"]["x"].tolist() == [0.5]
    assert len(calls) == 2
