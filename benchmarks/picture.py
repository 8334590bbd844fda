"""A picture of seconds by rows, both on log scales, from the lines of `citysync bench`."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

# Okabe and Ito's colours, safe for colour-blind readers
_COLOURS = ("#d55e00", "#0072b2", "#000000", "#cc79a7", "#56b4e9", "#009e73", "#e69f00")
_MARKERS = ("o", "s", "^", "v", "D", "P", "X")


def draw(lines: list[dict[str, Any]], path: Path) -> None:
    """Write an SVG; the same lines give the same bytes."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "citysync", "svg.fonttype": "none", "font.size": 9})
    import matplotlib.pyplot as plt

    mpl.rcParams["axes.prop_cycle"] = plt.cycler(color=_COLOURS)
    series: dict[str, list[tuple[int, float]]] = {}
    for item in lines:
        name = item["name"]
        if name.startswith("all_pairs_against_"):
            peer = item["peer"].rsplit("(", 1)[1]
            series.setdefault(item["peer"].split(" (")[0], []).append(
                (item["rows"], float(peer.split(" s")[0]))
            )
        elif name in ("all_pairs", "arrays", "database", "permutation_draw"):
            series.setdefault(name.replace("_", " "), []).append((item["rows"], item["seconds"]))
    figure, axes = plt.subplots(figsize=(8, 4.2))
    # slowest at the smallest size first, as the lines lie one above the other
    slowest_first = sorted(
        ((name, sorted(points)) for name, points in series.items()), key=lambda item: -item[1][0][1]
    )
    for (name, points), marker in zip(slowest_first, itertools.cycle(_MARKERS), strict=False):
        rows, seconds = zip(*points, strict=True)
        axes.loglog(rows, seconds, marker=marker, markersize=4, linewidth=1.2, label=name)
    axes.set_xlabel("pair-years")
    axes.set_ylabel("seconds")
    axes.grid(True, which="major", linewidth=0.3)
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(path, format="svg", metadata={"Date": None})
    plt.close(figure)
