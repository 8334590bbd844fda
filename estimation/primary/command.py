"""`python -m estimation primary CITIES`: the primary test of a city panel in a file, as a table or
as one JSON object.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from .city_file import CityColumns, read_cities
from .fit import PrimaryResult, fit_primary


def run_primary(
    path: Path,
    seed: int = 1,
    permutations: int = 9999,
    as_json: bool = False,
    columns: CityColumns | None = None,
) -> str:
    """Read, test, and set the result as text.

    Parameters
    ----------
    path : Path
        See `read_cities`.
    seed, permutations : int
    as_json : bool
    columns : CityColumns, optional
        Names of the columns; default: those of `CityColumns`.

    Returns
    -------
    str
        One JSON object, or lines for people.

    Raises
    ------
    PanelError
        If the file cannot be used.
    ValueError
        If `permutations` is below 20.
    """
    panel = read_cities(path, columns or CityColumns())
    result = fit_primary(
        panel.growth, panel.years, panel.cohort, panel.block, permutations=permutations, seed=seed
    )
    if as_json:
        return json.dumps(asdict(result), ensure_ascii=False, allow_nan=False)
    return "\n".join([*lines_of(result), *(f"warning: {text}" for text in result.warnings)])


def lines_of(result: PrimaryResult) -> list[str]:
    """The figures of a result as lines for people, without its warnings."""
    lines = [
        f"{result.n_cities} cities, {result.n_pilots} pilots, {result.n_blocks} blocks with both"
    ]
    if result.p_value is not None:
        interval = f"[{_number(result.ci_low)}, {_number(result.ci_high)}]"
        lines.append(
            f"change of cm with never-pilots: {_number(result.estimate)}  95 % {interval}  p "
            f"{result.p_value:.4f}"
        )
        lines.append(
            f"found in 80 % of cases: an effect of {_number(result.minimum_detectable_effect)}"
        )
    for part in result.channels:
        p = "-" if part.p_value is None else f"{part.p_value:.4f}"
        lines.append(
            f"channel {part.channel}: {_number(part.estimate)}  95 % [{_number(part.ci_low)}, "
            f"{_number(part.ci_high)}]  p {p}"
        )
    if result.implied_correlation is not None:
        lines.append(
            f"implied correlation: {result.implied_correlation.before:.3f} before, "
            f"{result.implied_correlation.after:.3f} after"
        )
    return lines


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:+.4f}"
