"""The size of every line by setting, as a picture."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

from benchmarks.simulation_study.grid import KINDS, SIZES
from benchmarks.simulation_study.summary import LABELS

# Okabe and Ito's colours, with a marker each, so that neither colour nor shape alone carries the
# meaning
STYLES = {
    "conventional": ("#D55E00", "x"),
    "dyadic": ("#56B4E9", "s"),
    "city": ("#009E73", "^"),
    "province_jackknife": ("#000000", "o"),
    "permutation": ("#CC79A7", "D"),
}


def draw_sizes(rows: list[list[str]], target: Path) -> None:
    """Write an SVG with a panel for each number of cities.

    Parameters
    ----------
    rows : list of list of str
        The table of sizes: header, then a row for each kind of economy and number of cities,
        figures as `4.7 (0.3)` or `-`.
    target : Path
    """
    sizes = {(row[0], row[1]): dict(zip(rows[0], row, strict=True)) for row in rows[1:]}
    matplotlib.rcParams.update(
        {
            "svg.hashsalt": "citysync",
            "font.size": 9,
            "font.family": "DejaVu Sans",
            "svg.fonttype": "none",
        }
    )
    kinds = [kind for kind in KINDS if not kind.convergence]
    figure, axes = plt.subplots(1, len(SIZES), figsize=(11, 4.2), sharey=True, layout="constrained")
    for axis, n_cities in zip(axes, SIZES, strict=True):
        axis.axvspan(3.5, 6.5, color="#DDDDDD")
        axis.axvline(5, color="#888888", linewidth=0.8)
        for line, (colour, marker) in STYLES.items():
            found = [
                sizes.get((kind.label, str(n_cities)), {}).get(LABELS[line], "-") for kind in kinds
            ]
            shares = [float(text.split()[0]) if text != "-" else float("nan") for text in found]
            axis.plot(
                shares,
                range(len(kinds)),
                marker,
                color=colour,
                label=line.replace("_", " "),
                markersize=6,
                linestyle="none",
            )
        axis.set(
            title=f"{n_cities} cities",
            xscale="symlog",
            xlim=(0, 100),
            xlabel="rejections at nominal 5 %, per cent",
        )
        axis.set_xticks(
            [0, 1, 2, 5, 10, 20, 50, 100], ["0", "1", "2", "5", "10", "20", "50", "100"]
        )
        axis.set_yticks(range(len(kinds)), [kind.label for kind in kinds])
    axes[0].invert_yaxis()
    figure.legend(
        *axes[0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=len(STYLES),
        frameon=False,
    )
    figure.savefig(target, format="svg", metadata={"Date": None, "Creator": "citysync"})
    plt.close(figure)
