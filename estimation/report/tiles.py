"""A tile map: a tile a province about where it lies, in it a square a city; no boundary is drawn,
so none must be licensed or chosen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .cells import Row, number

# (column, row) of a province by the first two digits of its code
PLACES = {
    23: (8, 0),
    15: (6, 1),
    22: (8, 1),
    65: (1, 2),
    62: (3, 2),
    64: (4, 2),
    11: (6, 2),
    12: (7, 2),
    21: (8, 2),
    54: (1, 3),
    63: (3, 3),
    61: (4, 3),
    14: (5, 3),
    13: (6, 3),
    37: (7, 3),
    51: (3, 4),
    50: (4, 4),
    41: (5, 4),
    34: (6, 4),
    32: (7, 4),
    31: (8, 4),
    53: (3, 5),
    52: (4, 5),
    42: (5, 5),
    36: (6, 5),
    33: (7, 5),
    45: (4, 6),
    43: (5, 6),
    44: (6, 6),
    35: (7, 6),
    71: (8, 6),
    46: (5, 7),
    81: (7, 7),
    82: (6, 7),
}
TILE, HEAD, GAP = 100.0, 17.0, 8.0
LEAST = (
    4  # squares along the side of a tile, so that a province of one city is not one large square
)


def build_tiles(cities: Sequence[Row], names: dict[int, str]) -> dict[str, Any]:
    """Lay out cities by province.

    Parameters
    ----------
    cities : rows with province_id, lat_deg, lon_deg
    names : of provinces by their code

    Returns
    -------
    dict
        `width` and `height` of the picture in units of its own, `tiles` (name, x, y) and `squares`
        (k, the city's position in `cities`; x, y, side), both with their upper left corner.
    """
    provinces: dict[int, list[int]] = {}
    for k, city in enumerate(cities):
        provinces.setdefault(int(city["province_id"]), []).append(k)
    across = max([LEAST, *(math.ceil(math.sqrt(len(own))) for own in provinces.values())])
    step = TILE / across
    tiles, squares, unplaced = [], [], 0
    for code, own in sorted(provinces.items()):
        place = PLACES.get(code // 10000)
        if place is None:  # a province that the layout does not know stands below the map
            place, unplaced = (unplaced % 9, 8 + unplaced // 9), unplaced + 1
        x, y = GAP + (place[0] - 1) * (TILE + GAP), GAP + place[1] * (TILE + HEAD + GAP)
        tiles.append({"name": names.get(code, str(code)), "x": x, "y": y})
        squares += _squares(cities, own, x, y + HEAD, step)
    left = min((tile["x"] for tile in tiles), default=0.0) - GAP
    for shape in (*tiles, *squares):
        shape["x"], shape["y"] = round(shape["x"] - left, 1), round(shape["y"], 1)
    ends = {side: max((tile[side] for tile in tiles), default=0.0) + TILE + GAP for side in "xy"}
    return {
        "tiles": tiles,
        "squares": sorted(squares, key=lambda square: square["k"]),
        "width": round(ends["x"], 1),
        "height": round(ends["y"] + HEAD, 1),
    }


def _squares(
    cities: Sequence[Row], own: list[int], x: float, y: float, step: float
) -> list[dict[str, Any]]:
    """Return cities of a tile from north-west to south-east: rows by latitude, in a row by
    longitude.
    """
    columns = math.ceil(math.sqrt(len(own)))
    north = sorted(own, key=lambda k: (-(number(cities[k]["lat_deg"]) or 0.0), k))
    rows = [north[start : start + columns] for start in range(0, len(north), columns)]
    side = round(step - 2, 1)
    squares = []
    for row, members in enumerate(rows):
        west = sorted(members, key=lambda k: (number(cities[k]["lon_deg"]) or 0.0, k))
        squares += [
            {"k": k, "x": x + column * step + 1, "y": y + row * step + 1, "side": side}
            for column, k in enumerate(west)
        ]
    return squares
