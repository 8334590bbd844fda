"""The rows that conclusions rest on may make all draws."""

from __future__ import annotations

import csv
from pathlib import Path

from estimation.analyses.catalog import DECISIVE, HEADLINE, all_specs
from estimation.options import DRAWS, ENOUGH, FEWER

CLAIMS = Path(__file__).resolve().parents[3] / "warehouse" / "seeds" / "study_claims.csv"


def test_claims_and_headline_have_their_draws() -> None:
    by_id = {spec.spec_id: spec for spec in all_specs()}
    with CLAIMS.open(encoding="utf-8", newline="") as file:
        claimed = {row["spec_id"] for row in csv.DictReader(file)} & by_id.keys()
    assert claimed <= DECISIVE <= by_id.keys()
    for spec_id, spec in by_id.items():
        if spec_id in HEADLINE:
            assert (spec.permutations, spec.enough, spec.fewer) == (DRAWS, None, None)
        elif spec.permutations:
            fewer = None if spec_id in DECISIVE else FEWER
            assert (spec.permutations, spec.enough, spec.fewer) == (DRAWS, ENOUGH, fewer)
