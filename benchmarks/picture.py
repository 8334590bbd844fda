"""A picture of seconds by rows, both on log scales, from the lines of `make bench`."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def draw(lines: list[dict[str, Any]], path: Path) -> None:
    """Write an SVG; the same lines give the same bytes."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "citysync", "svg.fonttype": "none", "font.size": 9})
    import matplotlib.pyplot as plt

    series: dict[str, list[tuple[int, float]]] = {}
    for item in lines:
        name = item["name"]
        if name.startswith("closed_form_against_"):
            peer = item["peer"].rsplit("(", 1)[1]
            series.setdefault(item["peer"].split(" (")[0], []).append((item["rows"], float(peer.split(" s")[0])))
        elif name in ("closed_form", "collapsed", "permutation_draw_all_pairs"):
            series.setdefault(name.replace("_", " "), []).append((item["rows"], item["seconds"]))
    figure, axes = plt.subplots(figsize=(7, 4.2))
    for name, points in series.items():
        rows, seconds = zip(*sorted(points), strict=True)
        axes.loglog(rows, seconds, marker="o", markersize=3, linewidth=1.2, label=name)
    axes.set_xlabel("pair-years")
    axes.set_ylabel("seconds")
    axes.grid(True, which="major", linewidth=0.3)
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(path, format="svg", metadata={"Date": None})
    plt.close(figure)
