"""What the figures to take away are made of: estimates, diagnostics and the choices of the
specification curve.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import pandas as pd

QUERIES = {
    "estimate": (
        "select * from estimates.estimate order by spec_id, term, cohort_year nulls first, "
        "event_time nulls first, vcov"
    ),
    "diagnostic": """
        select spec_id, diagnostic, term, value from estimates.diagnostic
        where starts_with(diagnostic, 'permutation_quantile_') order by all
    """,
    "leads": """
        select value from estimates.diagnostic
        where spec_id = 'dynamics.cm_growth_official.headline'
            and diagnostic = 'joint_leads_permutation_p'
    """,
    "truth": "select * from estimates.truth order by all",
    "specification": "select * from estimates.specification order by spec_id",
}


@dataclass(frozen=True)
class ExhibitData:
    """Frames by name, and whether every number is simulated."""

    frames: dict[str, pd.DataFrame]
    is_simulated: bool

    def __getitem__(self, name: str) -> pd.DataFrame:
        """One frame."""
        return self.frames[name]


def read_exhibit_data(con: duckdb.DuckDBPyConnection) -> ExhibitData:
    """Read the estimates of a build or a publication."""
    simulated = con.execute("select bool_or(is_simulated) from meta.run").fetchone()[0]
    return ExhibitData(
        {name: con.execute(query).df() for name, query in QUERIES.items()}, bool(simulated)
    )
