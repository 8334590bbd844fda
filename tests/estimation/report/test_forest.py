"""Forests and the tile map: one scale for all rows, no interval cut without a mark, every city
inside the tile of its province.
"""

from __future__ import annotations

import pytest

from estimation.report.cells import Row
from estimation.report.forest import WIDTH, build_forest, excludes_zero
from estimation.report.tiles import HEAD, TILE, build_tiles


def row(estimate: float, low: float, high: float, **more: object) -> Row:
    """A coefficient with its default and its permutation interval."""
    made = {
        "estimate": estimate,
        "ci_low": low,
        "ci_high": high,
        "p_value": 0.5,
        "p_permutation": 0.5,
        "vcov": "province_jackknife",
    }
    return Row(
        made
        | {"low_permutation": low, "high_permutation": high, "n_pilots": 30, "truth": None}
        | more
    )


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
    assert all(0 <= item["bar"][end] <= WIDTH for item in forest.rows for end in ("from", "to"))
    positions = [item["x"] for item in forest.rows]
    slope = (positions[1] - positions[0]) / 0.02
    assert positions[2] == pytest.approx(positions[0] - 0.05 * slope, abs=0.3)
    assert forest.zero == pytest.approx(positions[0] - 0.02 * slope, abs=0.3)
    assert "0" in [text for _, text in forest.ticks]


def test_few_pilots_and_missing_ends_are_told() -> None:
    forest = build_forest(
        [
            (
                "few",
                "",
                row(0.1, None, None, n_pilots=2, low_permutation=None, high_permutation=None),
            ),
            ("no", "", Row(estimate=None)),
        ]
    )
    assert len(forest.rows) == 1
    assert (
        forest.rows[0]["few"] and forest.rows[0]["bar"] is None and forest.rows[0]["thin"] is None
    )
    assert build_forest([]) is None


@pytest.mark.parametrize(
    ("line", "p_default", "p_permutation", "told"),
    [
        ("province_jackknife", 0.01, 0.01, True),
        ("province_jackknife", 0.01, 0.2, False),
        ("province_jackknife", 0.01, None, False),
        ("permutation", 0.01, 0.01, False),
        (None, 0.01, None, True),
    ],
)
def test_a_row_is_marked_only_where_two_lines_reject(
    line: str | None, p_default: float, p_permutation: float | None, told: bool
) -> None:
    """The primary test, which has no line, is one test by design."""
    assert (
        excludes_zero(
            row(0.1, 0.01, 0.2, vcov=line, p_value=p_default, p_permutation=p_permutation)
        )
        is told
    )


def test_every_city_stands_in_the_tile_of_its_province() -> None:
    """Also many counties, and a province that the layout does not know; no two squares overlap."""
    cities = [
        Row(province_id=code * 10000, lat_deg=20.0 + k, lon_deg=100.0 + k % 7)
        for code in (11, 33, 44, 99)
        for k in range(30 if code == 44 else 3)
    ]
    made = build_tiles(
        cities, {110000: "Beijing", 330000: "Zhejiang", 440000: "Guangdong", 990000: "elsewhere"}
    )
    tiles = {tile.name: tile for tile in made.tiles}
    names = {11: "Beijing", 33: "Zhejiang", 44: "Guangdong", 99: "elsewhere"}
    assert [square.k for square in made.squares] == list(range(len(cities)))
    for square, city in zip(made.squares, cities, strict=True):
        tile = tiles[names[city["province_id"] // 10000]]
        assert tile.x <= square.x and square.x + square.side <= tile.x + TILE + 1
        assert tile.y + HEAD <= square.y and square.y + square.side <= tile.y + HEAD + TILE + 1
    assert len({(square.x, square.y) for square in made.squares}) == len(cities)
    assert all(
        0 <= square.x <= made.width and 0 <= square.y <= made.height for square in made.squares
    )
    north = max(range(3), key=lambda k: cities[k]["lat_deg"])
    assert made.squares[north].y == min(made.squares[k].y for k in range(3))
