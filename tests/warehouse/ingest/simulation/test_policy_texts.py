"""Simulated texts: read back, each zone's tools are those that were planted, and the bytes depend
on the seed alone.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from estimation.classify import classify_clauses
from warehouse.ingest.policy.documents import build_policy_document
from warehouse.ingest.raw_table import FileOrigin
from warehouse.ingest.simulation.policy_texts import (
    EFFECTIVE_TOOLS,
    SENTENCES,
    draw_policy_tools,
    effective_intensity,
    write_simulated_policy_texts,
)

ZONES = Path(__file__).resolve().parents[4] / "warehouse" / "seeds" / "pilot_zones.csv"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("landing")
    tools = draw_policy_tools(pd.read_csv(ZONES), seed=4, last_year=2019)
    write_simulated_policy_texts(folder, tools, seed=4)
    return folder, tools


def test_what_was_planted_is_read_back(written):
    folder, planted = written
    files = sorted((folder / "policy_texts").iterdir())
    assert len(files) == len(planted) == 1 + 12 + 22 + 24
    clauses = []
    for nth, file in enumerate(files):
        truth = planted.iloc[nth]
        document = build_policy_document(
            file.read_bytes(), FileOrigin("policy_texts", None, file.name)
        ).to_pylist()[0]
        assert document["zone_texts"] == [truth.zone_name_zh.removesuffix("市")]
        assert document["issuer"] == f"{truth.zone_name_zh}人民政府"
        clauses += [
            (nth, clause["clause_text"])
            for clause in document["clauses"]
            if clause["clause_kind"] == "body" and clause["marker"]
        ]
    labels = classify_clauses([text for _, text in clauses])
    found = Counter((nth, tool) for (nth, _), (_, tool, _) in zip(clauses, labels, strict=True))
    assert {(nth, tool): found[nth, tool] for nth in range(len(files)) for tool in SENTENCES} == {
        (nth, tool): planted[tool].iloc[nth] for nth in range(len(files)) for tool in SENTENCES
    }


def test_equal_bytes_for_a_seed_and_other_ones_for_another(written, tmp_path):
    folder, planted = written
    again, other = (
        draw_policy_tools(pd.read_csv(ZONES), seed=seed, last_year=2019) for seed in (4, 5)
    )
    assert again.equals(planted)
    assert not other.equals(planted)
    write_simulated_policy_texts(tmp_path, again, seed=4)
    for file in (folder / "policy_texts").iterdir():
        assert (tmp_path / "policy_texts" / file.name).read_bytes() == file.read_bytes()


def test_intensity_follows_the_tools_that_work(written):
    planted = written[1]
    city_id = planted["city_id"].drop_duplicates().to_numpy()
    intensity = effective_intensity([*city_id, 999999], planted)
    sentences = planted.drop_duplicates("city_id")[list(EFFECTIVE_TOOLS)].sum(axis=1).to_numpy()
    assert intensity[-1] == 1.0
    assert intensity[:-1] == pytest.approx(
        sentences / planted[list(EFFECTIVE_TOOLS)].to_numpy().sum() * len(planted)
    )
    by_year = (
        pd.Series(intensity[:-1])
        .groupby(planted.drop_duplicates("city_id")["issue_year"].to_numpy())
        .std()
    )
    assert (by_year.drop(2015) > 0.3).all()
