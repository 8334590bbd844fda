"""Forests and the tile map: one scale for all rows, no interval cut without a mark, every city
inside the tile of its province.
"""

from __future__ import annotations

import pytest

from estimation.report.cells import Row
from estimation.report.forest import build_forest
from estimation.report.tiles import GAP, HEAD, TILE, build_tiles


def row(estimate: float, low: float, high: float, **more: object) -> Row:
    """A coefficient with its default and its permutation interval."""
    made = {"estimate": estimate, "ci_low": low, "ci_high": high, "vcov": "province_jackknife"}
    drawn = {"p_permutation": 0.5, "low_permutation": low, "high_permutation": high}
    return Row({**made, **drawn, "p_value": 0.5, "n_pilots": 30, "truth": None, **more})


def test_rows_share_one_scale_and_a_wide_interval_ends_in_an_arrow() -> None:
    rows = [
        ("a", "", row(0.02, -0.05, 0.09)),
        ("b", "", row(0.04, -0.02, 0.1)),
        ("c", "", row(-0.03, -0.1, 0.04)),
    ]
    wide = ("wide", "", row(0.05, -5.0, 0.2))
    forest = build_forest([*rows, wide])
    assert [item["bar"]["left"] for item in forest.rows] == [False, False, False, True]
    assert not any(item["bar"]["right"] for item in forest.rows)
    inside = [item["bar"][end] for item in forest.rows[:3] for end in ("from", "to")]
    assert all(0 <= at <= 100 for at in inside) and forest.rows[3]["bar"]["from"] < 0
    positions = [item["x"] for item in forest.rows]
    slope = (positions[1] - positions[0]) / 0.02
    assert positions[2] == pytest.approx(positions[0] - 0.05 * slope, abs=0.3)
    assert forest.zero == pytest.approx(positions[0] - 0.02 * slope, abs=0.3)
    # an estimate of few pilots has no interval to draw
    few = row(0.1, None, None, n_pilots=2)
    (shown,) = build_forest([("few", "", few), ("none", "", Row(estimate=None))]).rows
    assert shown["few"] and shown["bar"] is None and shown["thin"] is None


@pytest.mark.parametrize(
    ("more", "told"),
    [({"is_found": True}, True), ({"is_found": None}, False), ({"verdict": "found"}, True)],
)
def test_a_row_is_marked_as_the_tables_say(more: dict, told: bool) -> None:
    """Whatever its p and interval are."""
    (shown,) = build_forest([("a", "", row(0.1, -0.1, 0.3, **more))]).rows
    assert shown["rejects"] is told


def test_every_city_stands_in_the_tile_of_its_province() -> None:
    """Also many counties, and a province that the layout does not know; no two squares overlap."""
    names = {110000: "Beijing", 330000: "Zhejiang", 440000: "Guangdong", 990000: "elsewhere"}
    cities = [
        Row(province_id=code, lat_deg=20.0 + k, lon_deg=100.0 + k % 7)
        for code in names
        for k in range(30 if code == 440000 else 3)
    ]
    made = build_tiles(cities, names)
    tiles = {tile["name"]: tile for tile in made["tiles"]}
    for k, (square, city) in enumerate(zip(made["squares"], cities, strict=True)):
        tile = tiles[names[city["province_id"]]]
        assert square["k"] == k
        for side, start in (("x", tile["x"]), ("y", tile["y"] + HEAD)):
            assert start <= square[side] and square[side] + square["side"] <= start + TILE + 1
    assert min(tile["x"] for tile in made["tiles"]) == GAP
    assert len({(square["x"], square["y"]) for square in made["squares"]}) == len(cities)
    assert made["squares"][2]["y"] == min(s["y"] for s in made["squares"][:3]), "north is up"
