"""From rows of economies to counts and a table."""

from __future__ import annotations

from math import sqrt

import pandas as pd

KEYS = ["name", "line"]
WITH, WITHOUT = "with_effect", "without_effect"
# the others stand in the file
SHOWN = ("primary", "channel", "conventional", "default", "permutation")


def figures(rows: pd.DataFrame) -> pd.DataFrame:
    """Counts over economies: quantity, coefficients, line, n, n_yes."""
    counted = []
    for arm, quantity in ((WITH, "found_with_effect"), (WITHOUT, "found_without_effect")):
        judged = rows[(rows["arm"] == arm) & rows["verdict"].notna()]
        counted += _counts(judged.assign(yes=judged["verdict"] == "found"), quantity)
    effect = rows[rows["arm"] == WITH]
    for column, quantity in (("truth", "truth_in_interval"), ("planted", "planted_in_interval")):
        known = effect.dropna(subset=["ci_low", "ci_high", column])
        counted += _counts(
            known.assign(
                yes=(known["ci_low"] <= known[column]) & (known[column] <= known["ci_high"])
            ),
            quantity,
        )
    return pd.DataFrame(counted)


def _counts(rows: pd.DataFrame, quantity: str) -> list[dict]:
    return [
        {
            "quantity": quantity,
            "coefficients": name,
            "line": line,
            "n": len(part),
            "n_yes": int(part["yes"].sum()),
        }
        for (name, line), part in rows.groupby(KEYS, sort=False)
    ]


def table(rows: pd.DataFrame, counts: pd.DataFrame) -> list[list[str]]:
    """A line a quantity and line of inference, the header first: means over economies, how often p
    is below 5 %, and how often intervals hold the truth and the size that was planted.
    """
    heads = ["mean estimate", "mean truth", "mean planted", "p < 0.05", "p < 0.05 without effect"]
    lines = [["what", "line", *heads, "truth in the interval", "planted size in it"]]
    by_quantity = counts.set_index(["quantity", "coefficients", "line"])
    held = counts[counts["quantity"] == "truth_in_interval"]
    for row in held[held["line"].isin(SHOWN)].itertuples():
        of_line = rows[(rows["name"] == row.coefficients) & (rows["line"] == row.line)]
        planted = ("planted_in_interval", row.coefficients, row.line)
        lines.append(
            [
                row.coefficients,
                row.line.replace("_", " "),
                *(_means(of_line) if row.line in ("primary", "channel") else [""] * 5),
                share(row.n_yes, row.n),
                share(*by_quantity.loc[planted, ["n_yes", "n"]])
                if planted in by_quantity.index
                else "",
            ]
        )
    return lines


def _means(rows: pd.DataFrame) -> list[str]:
    effect, bare = rows[rows["arm"] == WITH], rows[rows["arm"] == WITHOUT]
    planted = "" if effect["planted"].isna().all() else f"{effect['planted'].mean():.2f}"
    rejected = [share(int((arm["p_value"] < 0.05).sum()), len(arm)) for arm in (effect, bare)]
    means = [f"{effect[name].mean():.3f}" for name in ("estimate", "truth")]
    return [*means, planted, *rejected]


def share(n_yes: int, n: int) -> str:
    """A share in per cent with its Monte-Carlo error."""
    part = n_yes / n
    return f"{100 * part:.1f} ({100 * sqrt(part * (1 - part) / n):.1f})"
