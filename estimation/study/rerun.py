"""Rows of the study on a published warehouse, without a refresh: what an analyst runs to see a row
of their own.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pandas as pd

from ..analyses.catalog import all_specs, curve_specs, radiation_specs
from .run import StudyResult, read_marts, run_study

COLUMNS = ("term", "event_time", "vcov", "estimate", "std_error", "ci_low", "ci_high", "p_value")


class RunError(ValueError):
    """The rows cannot be run; the message says what to do."""


def run_specs(
    database: Path, spec_ids: Sequence[str], *, permutations: int | None, seed: int | None
) -> str:
    """Run rows of the analyses and of the specification curve.

    Parameters
    ----------
    database : Path
        Of a published warehouse; opened read-only.
    spec_ids : sequence of str
    permutations, seed : int, optional
        The most draws a row may take, and the seed.

    Returns
    -------
    str
        Sample, estimates under all lines and warnings of each row, or what it lacks.

    Raises
    ------
    RunError
        If the file cannot be read or an id is unknown; near ids are named.
    """
    known = {spec.spec_id: spec for spec in (*all_specs(), *curve_specs(), *radiation_specs())}
    for spec_id in spec_ids:
        if spec_id not in known:
            near = difflib.get_close_matches(spec_id, known, n=3)
            hint = (
                f"did you mean {', '.join(near)}?"
                if near
                else "see estimation/analyses for the ids"
            )
            raise RunError(
                f"spec {spec_id!r}: expected the spec_id of a row of estimation/analyses, found "
                f"none; {hint}"
            )
    specs = [known[spec_id] for spec_id in dict.fromkeys(spec_ids)]
    if not database.is_file():
        raise RunError(
            f"{database}: expected a published citysync.duckdb, found no file there; run `make "
            "refresh` or check the path"
        )
    try:
        with _open_published(database) as con:
            marts = read_marts(con, specs)
    except duckdb.Error as error:
        raise RunError(
            f"{database.name}: expected a warehouse published by citysync, found: {error}"
        ) from error
    of_cities = [spec for spec in specs if spec in radiation_specs()]
    result = run_study(
        marts,
        [spec for spec in specs if spec not in of_cities],
        radiation=of_cities,
        permutations=permutations,
        seed=seed,
    )
    return "\n\n".join(_text(spec.spec_id, result) for spec in specs)


@contextmanager
def _open_published(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A locked connection to a database of tables alone, as the warehouse opens one: somebody else
    may have made it, and a view or function of it would run when it is read.
    """
    with duckdb.connect() as con:
        con.execute("attach $1 as study (read_only, type duckdb)", [str(database.resolve())])
        con.execute("set enable_external_access = false; set lock_configuration = true")
        foreign = con.execute(
            "select view_name from system.main.duckdb_views() where database_name = 'study' union "
            "all select function_name from system.main.duckdb_functions() where database_name = "
            "'study' order by all"
        ).fetchall()
        if foreign:
            raise RunError(
                f"{database.name}: expected tables alone, found views or functions "
                f"({foreign[0][0]!r}): it was not made by citysync"
            )
        con.execute("use study")
        yield con


def _text(spec_id: str, result: StudyResult) -> str:
    rows = result.estimate[result.estimate["spec_id"] == spec_id]
    if rows.empty:
        reason = result.not_run.loc[result.not_run["spec_id"] == spec_id, "reason"]
        return f"{spec_id}: not run: {reason.iloc[0]}"
    first = rows.iloc[0]
    head = (
        f"{spec_id}: {first['n_cities']} cities, {rows['n_pilots'].max()} pilots, "
        f"{first['n_pairs']:,} pairs, {first['n_obs']:,} rows"
    )
    table = rows[list(COLUMNS)].copy()
    table["vcov"] = table["vcov"] + rows["is_default"].fillna(False).map(
        {True: " (default)", False: ""}
    )
    table = table.dropna(axis=1, how="all").astype(object).where(table.notna(), None)
    body = table.map(
        lambda value: (
            "" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)
        )
    )
    warnings = result.warning.loc[result.warning["spec_id"] == spec_id, "warning"]
    return "\n".join(
        [head, pd.DataFrame(body).to_string(index=False), *(f"! {text}" for text in warnings)]
    )
