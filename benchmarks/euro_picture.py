"""The README's picture of the euro, one coefficient under each line:

`python -m benchmarks.euro_picture docs/images/euro.svg`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl

from estimation import data
from estimation.api.fit import fit

LINES = ("conventional", "dyadic", "city", "province_jackknife", "permutation")


def draw(path: Path) -> None:
    """Members and countries that stayed out, 1980 to 2017: the change of their correlation after
    adoption.
    """
    mpl.use("Agg")
    pairs = data.euro("pyarrow")
    found = fit(
        pairs,
        "cm",
        unit=("iso_a", "iso_b"),
        cohort="euro",
        block="region",
        vcov=LINES,
        permutations=9999,
    )
    ax = found.plot("forest")
    ax.set_title("")
    ax.set_title("One coefficient, five claims of how sure one may be", loc="left", fontsize=11)
    ax.set_xlabel("change of the correlation of growth, 95 % interval")
    ax.figure.set_size_inches(7.6, 2.9)
    with mpl.rc_context({"svg.hashsalt": "citysync"}):
        ax.figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    draw(parser.parse_args().out)
