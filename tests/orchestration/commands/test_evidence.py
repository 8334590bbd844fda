"""What this checkout says of delivered statistics, made anew from a publication."""

import duckdb
import pandas as pd
import pytest

import estimation.data
from estimation.api.primary import primary
from orchestration.commands import evidence
from tests.orchestration.conftest import Run, end_of


def test_the_data_set_of_the_library_gives_the_published_test(
    simulated: Run, tmp_path, monkeypatch
):
    with duckdb.connect(simulated.home / "published" / "citysync.duckdb", read_only=True) as con:
        (tmp_path / "zones.csv").write_text(evidence.zones_text(con, "a run"), encoding="utf-8")
        query = "from estimates.primary where spec_id = 'primary.cm_growth_official.newest'"
        published = con.execute(query).df().iloc[0]
    monkeypatch.setattr(estimation.data, "files", lambda _: tmp_path)
    zones = estimation.data.zones()
    assert isinstance(zones, pd.DataFrame)
    found = primary(zones, "synchronization", length="n_years", permutations=199).result
    names = ["estimate", "ci_low", "ci_high", "before", "after", "without_admission", "p_value"]
    assert [getattr(found, name) for name in names] == pytest.approx(
        published[names].tolist(), abs=0.01
    )
    assert found.estimate == pytest.approx(published["estimate"], abs=5e-4)
    assert (found.n_cities, found.n_pilots) == (published["n_cities"], published["n_pilots"])


def test_a_publication_of_simulated_data_is_refused(simulated: Run, monkeypatch, capsys):
    monkeypatch.setenv("CITYSYNC_HOME", str(simulated.home))
    before = evidence.ZONES.read_bytes()
    assert end_of(evidence.evidence, None) == 2
    assert "expected one of delivered statistics" in capsys.readouterr().out
    assert evidence.ZONES.read_bytes() == before
