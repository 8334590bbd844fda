"""`citysync primary CITIES`: the primary test of a city panel in a file, as a table or
as one JSON object.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from .channels import Channel
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
    warnings = (f"warning: {text}" for text in warnings_of(result))
    return "\n".join([*lines_of(result), *warnings])


def lines_of(result: PrimaryResult) -> list[str]:
    """The figures of a result as lines for people, without its warnings."""
    lines = [
        f"{result.n_cities} cities, {result.n_pilots} pilots ({result.n_movable} movable), "
        f"{result.n_blocks} blocks with both"
    ]
    for name, one in (("growth", result), ("cycle", result.cycle)):
        if one is not None and one.p_value is not None:
            lines += [
                f"{name}: synchronization with never-pilots {_number(one.before)} before, "
                f"{_number(one.after)} after, {_number(one.without_admission)} without admission",
                f"{name}: change {_estimate(one)}  p of both series {one.p_value_family:.4f}",
                f"{name}: found in 80 % of cases: a rise of "
                f"{_number(one.minimum_detectable_rise)}, a fall of "
                f"{_number(one.minimum_detectable_fall)}",
                *([f"{name}: {one.reason}"] if one.reason else []),
                *(f"{name}: channel {part.channel}: {_estimate(part)}" for part in one.channels),
            ]
    return lines


def warnings_of(result: PrimaryResult) -> tuple[str, ...]:
    """Warnings of growth, then those that its cycle has beside them."""
    of_cycle = () if result.cycle is None else result.cycle.warnings
    return tuple(dict.fromkeys((*result.warnings, *of_cycle)))


def _estimate(one: PrimaryResult | Channel) -> str:
    interval = f"[{_number(one.ci_low)}, {_number(one.ci_high)}]"
    return f"{_number(one.estimate)}  95 % {interval}  p {one.p_value:.4f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:+.4f}"
