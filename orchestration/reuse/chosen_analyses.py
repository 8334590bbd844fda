"""What ANALYSES leaves of the study: the specs it names, and a reason for each other one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from estimation.analyses.catalog import all_specs, curve_specs, primary_specs, radiation_specs
from estimation.analyses.spec import Spec


class Chosen(NamedTuple):
    """Arguments of `study.run.run_study` that say what is estimated."""

    specs: tuple[Spec, ...]
    curve: tuple[Spec, ...]
    primary: tuple[Spec, ...]
    radiation: tuple[Spec, ...]


def choose_specs(analyses: Sequence[str] = ()) -> Chosen:
    """Specs of the named analyses by the way they are estimated; of all where none is named."""
    every = Chosen(all_specs(), curve_specs(), primary_specs(), radiation_specs())
    if not analyses:
        return every
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
