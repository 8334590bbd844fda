"""What ANALYSES leaves of the study: the specs it names, and a reason for each other one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from estimation.analyses.catalog import every_spec
from estimation.analyses.spec import Spec
from estimation.study.tables import NOT_RUN_COLUMNS, not_run, typed


def is_chosen(spec: Spec, analyses: Sequence[str]) -> bool:
    """Whether a spec is of the named analyses; where none is named, each is."""
    return not analyses or spec.analysis in analyses


def with_others(
    tables: Mapping[str, pd.DataFrame], analyses: Sequence[str]
) -> dict[str, pd.DataFrame]:
    """The tables of a study of some analyses, with a row of ``not_run`` for each spec of the
    others.
    """
    reason = f"not asked for: ANALYSES={','.join(analyses)} leaves it out"
    others = [spec for spec in every_spec() if not is_chosen(spec, analyses)]
    rows = typed(not_run(others, reason), NOT_RUN_COLUMNS)
    return {**tables, "not_run": pd.concat([tables["not_run"], rows], ignore_index=True)}
