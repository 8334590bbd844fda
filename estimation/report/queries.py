"""What the report reads, one query a frame; every number on a page is a cell of one of them.

Split by schema (estimates, marts, quality), with policy texts apart.
"""

from __future__ import annotations

from pathlib import Path

from .queries_estimates import ESTIMATES
from .queries_marts import MARTS
from .queries_policy import POLICY
from .queries_quality import QUALITY
from .query import Query

QUERIES: dict[str, Query] = {**ESTIMATES, **MARTS, **POLICY, **QUALITY}
# file that computes the rows of a table, and how the line begins; a mart is a model of its name
CODE = {
    "estimates.primary": ("estimation/primary/fit_primary.py", "def fit_primary"),
    "estimates.channel": ("estimation/primary/channels.py", "def estimate_channels"),
    "estimates.power": ("estimation/study/primary.py", "def _power_rows"),
    "estimates.placebo": ("estimation/study/primary_checks.py", "def placebos_in_time"),
    "estimates.weight": ("estimation/study/weight.py", "def weight_rows"),
    "estimates.own_outcome": ("estimation/study/own_outcomes.py", "def own_outcome_rows"),
    "estimates.policy": ("estimation/study/policies.py", "def rows_of_list"),
    "estimates.policy_overlap": ("estimation/study/policies.py", "def overlap_rows"),
    "estimates.check": ("estimation/study/primary_checks.py", "def check_rows"),
    "estimates.claim": ("estimation/study/claims.py", "def build_claims"),
    "estimates.coverage": ("estimation/study/coverage.py", "def build_coverage"),
    "estimates.stood_out": ("estimation/study/stood_out.py", "def stood_out_rows"),
    "estimates.next_window": ("estimation/study/next_window.py", "def next_window_rows"),
    "estimates": ("estimation/study/units.py", "def _run_group"),
    "meta.promise": ("estimation/study/promises.py", "def promise_rows"),
    "meta.estimate_change": ("warehouse/publication/change_queries.py", "ESTIMATE_CHANGE ="),
    "meta.publication_change": ("warehouse/publication/change_queries.py", "PUBLICATION_CHANGE ="),
    "meta.flag_change": ("warehouse/publication/change_queries.py", "FLAG_CHANGE ="),
    "meta.current_change": ("warehouse/publication/change_queries.py", "CURRENT_CHANGE ="),
    "meta": ("orchestration/stages/meta.py", "def write_meta"),
    "quality.rejected_value": ("warehouse/models/quality/rejected_value.sql", "select"),
    "quality": ("expectations/gate.py", "def run_gate"),
    "marts": ("warehouse/models/marts/{}.sql", "select"),
}
REPO = Path(__file__).parents[2]


def code_of(query: str) -> str:
    """File and line that compute what a query reads, as an address inside the repository."""
    table = next(iter(QUERIES[query].tables), "meta.run")
    schema, _, name = table.partition(".")
    path, words = CODE.get(table) or CODE[schema]
    path = path.format(name)
    lines = (REPO / path).read_text(encoding="utf-8").splitlines()
    line = next((k for k, text in enumerate(lines, start=1) if text.startswith(words)), 1)
    return f"{path}#L{line}"
