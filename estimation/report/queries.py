"""What the report reads, one query a frame; every number on a page is a cell of one of them.

Split by schema: estimates, marts, quality.
"""

from __future__ import annotations

from .queries_estimates import ESTIMATES
from .queries_marts import MARTS
from .queries_quality import QUALITY
from .query import Query

QUERIES: dict[str, Query] = {**ESTIMATES, **MARTS, **QUALITY}
