"""`citysync run`: estimate specs on a published warehouse without a refresh, such as one that an
analyst has just added.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import duckdb

from estimation.analyses.catalog import every_spec
from estimation.sample.marts import read_marts
from estimation.study.run import run_study
from orchestration.terminal import Exit, say
from warehouse.errors import Refused
from warehouse.publication.untrusted import open_untrusted

COLUMNS = (
    "term",
    "cohort_year",
    "event_time",
    "vcov",
    "estimate",
    "std_error",
    "ci_low",
    "ci_high",
    "p_value",
)


def run_specs(
    database: str, spec_ids: Sequence[str], permutations: int | None, seed: int | None
) -> int:
    """Print sample, estimates under all lines and warnings of each row, or what it lacks.

    Parameters
    ----------
    database : path of a published `citysync.duckdb`
    spec_ids : sequence of str
    permutations, seed : int, optional
        The most draws a row may take, and the seed.

    Returns
    -------
    Exit
        0.

    Raises
    ------
    Refused
        If the file cannot be read or an id is unknown; near ids are named.
    """
    # the primary test has tables of its own
    known = {spec.spec_id: spec for spec in every_spec() if spec.analysis != "primary"}
    for spec_id in spec_ids:
        if spec_id not in known:
            near = difflib.get_close_matches(spec_id, known, n=3)
            hint = "see estimation/analyses for the ids"
            if spec_id.startswith("primary."):
                hint = "a refresh makes it, and estimates.primary holds it"
            elif near:
                hint = f"did you mean {', '.join(near)}?"
            raise Refused(
                f"spec {spec_id!r}: expected the spec_id of a row of estimation/analyses, found "
                f"none; {hint}"
            )
    specs = [known[spec_id] for spec_id in dict.fromkeys(spec_ids)]
    try:
        with open_untrusted(Path(database)) as con:
            marts = read_marts(con, specs)
    except duckdb.Error as error:
        raise Refused(
            f"{database}: expected a warehouse published by citysync, found: {error}"
        ) from error
    result = run_study(marts, specs, permutations=permutations, seed=seed)
    say("\n\n".join(_text(spec.spec_id, result) for spec in specs))
    return Exit.DONE


def _text(spec_id: str, result: SimpleNamespace) -> str:
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
    table = table.dropna(axis=1, how="all").astype(object).where(table.notna(), "")
    cells = table.map(lambda value: f"{value:.4f}" if isinstance(value, float) else str(value))
    warnings = result.warning.loc[result.warning["spec_id"] == spec_id, "warning"]
    return "\n".join([head, cells.to_string(index=False), *(f"! {text}" for text in warnings)])
