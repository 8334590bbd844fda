"""Draw the tables of the marts with their keys as one picture: `python docs/site/marts.py`.

Keys are read from the models' YAML: `primary_key` is a test of ours, `relationships` is dbt's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from itertools import chain
from pathlib import Path

import yaml

REPO = Path(__file__).resolve().parents[2]
MODELS = REPO / "warehouse" / "models" / "marts"
PICTURE = REPO / "docs" / "images" / "marts.svg"
LINE, GAP, PAD, BOX, N_COLUMNS = 17, 14, 8, 300, 3
#: One colour for each table that others refer to; the names are written too.
COLOURS = ("#0b5cad", "#8a3ffc", "#b0560a", "#0f7a52")
STYLE = "text{font:13px sans-serif;fill:#1b1f24}.name{font-weight:bold}.key{font-style:italic}"


@dataclass
class Mart:
    """A table: columns of its primary key, and the table that each referring column refers to."""

    name: str
    key: list[str]
    refers: dict[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """The columns that the picture shows: the key, and what refers to another table."""
        return list(dict.fromkeys([*self.key, *self.refers]))

    @property
    def height(self) -> int:
        """Height of the table's box."""
        return LINE * (1 + len(self.columns)) + 2 * PAD


def read_marts() -> list[Mart]:
    """Return every mart that has a key, in the order of its file's name."""
    marts = []
    for path in sorted(MODELS.glob("*.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]:
            mart = Mart(model["name"], _arguments(model, "primary_key").get("columns", []))
            for column in model["columns"]:
                refers = _arguments(column, "relationships").get("to", "")
                found = re.fullmatch(r"ref\('(dim_\w+)'\)", refers)
                if found:
                    mart.refers[column["name"]] = found[1]
            if mart.key:
                marts.append(mart)
    return marts


def _arguments(of: dict, test: str) -> dict:
    for found in of.get("data_tests", []):
        if test in found:
            return found[test]["arguments"]
    return {}


def draw(marts: list[Mart]) -> str:
    """Return the picture: a box a table, first those that others refer to, each in its colour."""
    referred = dict.fromkeys(chain.from_iterable(mart.refers.values() for mart in marts))
    colours = dict(zip(referred, COLOURS, strict=True))
    bottoms = [GAP] * N_COLUMNS
    boxes = []
    for mart in sorted(marts, key=lambda mart: mart.name not in colours):
        column = bottoms.index(min(bottoms))
        boxes.append(_box(mart, GAP + column * (BOX + GAP), bottoms[column], colours))
        bottoms[column] += mart.height + GAP
    width, height = GAP + N_COLUMNS * (BOX + GAP), max(bottoms)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            'aria-label="Tables of the marts, their primary keys and what refers to what">',
            f'<style>{STYLE}</style><rect width="{width}" height="{height}" fill="#fff"/>',
            *boxes,
            "</svg>\n",
        ]
    )


def _box(mart: Mart, x: int, y: int, colours: dict[str, str]) -> str:
    colour = colours.get(mart.name, "#57606a")
    first = y + PAD + LINE - 4
    parts = [
        f'<rect x="{x}" y="{y}" width="{BOX}" height="{mart.height}" rx="4" fill="none" '
        f'stroke="{colour}"/>',
        f'<text class="name" x="{x + PAD}" y="{first}">{escape(mart.name)}</text>',
    ]
    for n, column in enumerate(mart.columns, start=1):
        kind = ' class="key"' if column in mart.key else ""
        at = f'x="{x + 2 * PAD}" y="{first + n * LINE}"'
        parts.append(f"<text{kind} {at}>{escape(column)}</text>")
        if column in mart.refers:
            to = mart.refers[column]
            at = f'x="{x + BOX - PAD}" y="{first + n * LINE}" text-anchor="end"'
            parts.append(f'<text {at} style="fill:{colours[to]}">→ {escape(to)}</text>')
    return "\n".join(parts)


if __name__ == "__main__":
    PICTURE.write_text(draw(read_marts()), encoding="utf-8")
