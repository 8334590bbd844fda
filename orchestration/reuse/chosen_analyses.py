"""Some analyses estimated anew inside the tables of an earlier run: which specs those are, and how
their rows replace the old ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import duckdb
import pandas as pd

from estimation.analyses.catalog import all_specs, curve_specs, primary_specs, radiation_specs
from estimation.analyses.spec import Spec

SCHEMA = "estimates"


class UnknownAnalysis(ValueError):
    """A name that is no analysis."""


class NoEstimates(RuntimeError):
    """The build holds no estimates whose other rows could stay."""


class Chosen(NamedTuple):
    """Arguments of `study.run.run_study` that say what is estimated."""

    specs: tuple[Spec, ...]
    curve: tuple[Spec, ...]
    primary: tuple[Spec, ...]
    radiation: tuple[Spec, ...]


def choose_specs(analyses: Sequence[str] = ()) -> Chosen:
    """Specs of the named analyses by the way they are estimated; of all where none is named.

    Raises
    ------
    UnknownAnalysis
        Naming every name that is no analysis, and those that are.
    """
    every = Chosen(all_specs(), curve_specs(), primary_specs(), radiation_specs())
    if not analyses:
        return every
    known = sorted({spec.analysis for kind in every for spec in kind})
    unknown = sorted(set(analyses) - set(known))
    if unknown:
        raise UnknownAnalysis(
            f"config of study, analyses: expected names among {', '.join(known)}; found "
            f"{', '.join(unknown)}; correct them"
        )
    return Chosen(*(tuple(spec for spec in kind if spec.analysis in analyses) for kind in every))


def only_these(
    tables: Mapping[str, pd.DataFrame], analyses: Sequence[str]
) -> dict[str, pd.DataFrame]:
    """The tables of a study of some analyses, with a row of ``not_run`` for each spec of the
    others; none is named: as they are.
    """
    if not analyses:
        return dict(tables)
    reason = f"not asked for: ANALYSES={','.join(analyses)} leaves it out"
    left_out = [spec for kind in choose_specs() for spec in kind if spec.analysis not in analyses]
    rows = pd.DataFrame(
        [
            {"spec_id": spec.spec_id, "analysis": spec.analysis, "reason": reason}
            for spec in left_out
        ]
    )
    not_run = tables["not_run"]
    rows = rows.reindex(columns=not_run.columns).astype(not_run.dtypes.to_dict())
    return {**tables, "not_run": pd.concat([not_run, rows], ignore_index=True)}


def read_estimates(
    con: duckdb.DuckDBPyConnection, tables: Sequence[str]
) -> dict[str, pd.DataFrame]:
    """Tables of the schema `estimates` by name.

    Raises
    ------
    NoEstimates
        If one of them is not in the build.
    """
    present = {
        row[0]
        for row in con.execute(
            "select table_name from duckdb_tables() where schema_name = ?", [SCHEMA]
        ).fetchall()
    }
    missing = sorted(set(tables) - present)
    if missing:
        raise NoEstimates(
            f"the build holds no {', '.join(missing)}: expected the tables of an earlier run; run "
            "the study with all analyses"
        )
    return {table: con.execute(f'select * from {SCHEMA}."{table}"').df() for table in tables}


def replace_analyses(
    before: Mapping[str, pd.DataFrame], after: Mapping[str, pd.DataFrame], analyses: Sequence[str]
) -> dict[str, pd.DataFrame]:
    """Tables of `before` with the rows of some analyses taken from `after`; other rows keep their
    order and come first.

    Parameters
    ----------
    before, after : mapping of str to DataFrame
        Tables by name, each with a column `spec_id` (`<analysis>.<outcome>.<variant>`) and the same
        columns.
    analyses : sequence of str
        Analyses whose rows are replaced.
    """
    joined = {}
    for table, new in after.items():
        old = before[table]
        # a column that is newer than the kept rows is empty in them
        kept = old[~old["spec_id"].str.split(".").str[0].isin(analyses)].reindex(
            columns=new.columns
        )
        joined[table] = pd.concat([kept.astype(new.dtypes.to_dict()), new], ignore_index=True)
    return joined
