"""From rows of economies to counts and tables."""

from __future__ import annotations

from math import sqrt

import pandas as pd

KEYS = ["name", "line"]
WITH, WITHOUT = "with_effect", "without_effect"


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


def verdict_table(counts: pd.DataFrame) -> str:
    """How often the page would say 'found', by window."""
    lines = [
        "| window | economies | with the effect, found | without it, found |",
        "| --- | --- | --- | --- |",
    ]
    chosen = counts[counts["quantity"].isin(["found_with_effect", "found_without_effect"])]
    for name, part in chosen.groupby("coefficients", sort=False):
        by_arm = {row.quantity: row for row in part.itertuples()}
        shares = [
            share(by_arm[key].n_yes, by_arm[key].n)
            for key in ("found_with_effect", "found_without_effect")
        ]
        lines.append(f"| {str(name).split('.')[1]} | {part['n'].max()} | {' | '.join(shares)} |")
    return "\n".join(lines)


def size_table(rows: pd.DataFrame) -> str:
    """Means over economies: estimate, truth and what was planted; how often p is below 5 %, with
    the effect and without.
    """
    lines = [
        (
            "| what | mean estimate | mean truth | mean planted | p < 0.05 | p < 0.05 without the "
            "effect |"
        ),
        "| --- |" + " --- |" * 5,
    ]
    shown = rows[rows["line"].isin(["primary", "channel"])]
    for name, part in shown.groupby("name", sort=False):
        effect, bare = part[part["arm"] == WITH], part[part["arm"] == WITHOUT]
        planted = "" if effect["planted"].isna().all() else f"{effect['planted'].mean():.2f}"
        rejected = [share(int((arm["p_value"] < 0.05).sum()), len(arm)) for arm in (effect, bare)]
        means = f"{effect['estimate'].mean():.3f} | {effect['truth'].mean():.3f} | {planted}"
        lines.append(f"| {name} | {means} | {' | '.join(rejected)} |")
    return "\n".join(lines)


def coverage_table(counts: pd.DataFrame) -> str:
    """How often intervals hold the truth, and the size that was planted."""
    lines = [
        "| what | line | economies | truth in the interval | planted size in it |",
        "| --- | --- | --- | --- | --- |",
    ]
    held = counts[counts["quantity"] == "truth_in_interval"]
    planted = counts[counts["quantity"] == "planted_in_interval"].set_index(
        ["coefficients", "line"]
    )
    for row in held.itertuples():
        key = (row.coefficients, row.line)
        other = (
            share(planted.loc[key, "n_yes"], planted.loc[key, "n"]) if key in planted.index else ""
        )
        lines.append(
            f"| {row.coefficients} | {row.line.replace('_', ' ')} | {row.n} | "
            f"{share(row.n_yes, row.n)} | {other} |"
        )
    return "\n".join(lines)


def share(n_yes: int, n: int) -> str:
    """A share in per cent with its Monte-Carlo error."""
    part = n_yes / n
    return f"{100 * part:.1f} % ({100 * sqrt(part * (1 - part) / n):.1f})"
