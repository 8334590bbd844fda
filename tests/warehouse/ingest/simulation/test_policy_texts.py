"""Simulated texts: read back, each zone's tools are those that were planted, and the bytes depend
on the seed alone.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from estimation.classify import classify_clauses, find_rules
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
    for file, truth in zip(files, planted.itertuples(index=False), strict=True):
        document = build_policy_document(
            file.read_bytes(), FileOrigin("policy_texts", None, file.name)
        ).to_pylist()[0]
        assert document["zone_texts"] == [truth.zone_name_zh.removesuffix("市")]
        assert document["issuer"] == f"{truth.zone_name_zh}人民政府"
        texts = [
            c["clause_text"]
            for c in document["clauses"]
            if c["clause_kind"] == "body" and c["marker"]
        ]
        tools = (
            pd.Series([tool for _, tool, _ in classify_clauses(texts, find_rules())]).value_counts()
            if texts
            else pd.Series(dtype=int)
        )
        assert {tool: int(tools.get(tool, 0)) for tool in SENTENCES} == {
            tool: getattr(truth, tool) for tool in SENTENCES
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


def test_every_zone_of_all_batches_has_a_plan_and_wording_of_its_own():
    zones = pd.read_csv(ZONES)
    tools = draw_policy_tools(zones, seed=4)
    assert len(tools) == len(zones) == 165
    assert len(tools[list(SENTENCES)].drop_duplicates()) > 150


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
