"""What this checkout says of delivered statistics, made anew from a publication."""

import re
import shutil
from xml.etree import ElementTree

import duckdb
import pandas as pd
import pytest

import estimation.data
from estimation.api.primary import primary
from orchestration.commands import evidence
from orchestration.evidence.blocks import BLOCKS, PRIMARY
from orchestration.evidence.pages import PAGES, with_parts, write_pages
from orchestration.home import REPO
from tests.orchestration.conftest import Run, end_of
from warehouse.publication.errors import PublishError


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
    found = primary(
        zones, "synchronization", unit="stand_in", length="n_years", permutations=199
    ).result
    assert found.estimate == pytest.approx(published["estimate"], abs=5e-4)
    assert [found.ci_low, found.ci_high] == pytest.approx(
        published[["ci_low", "ci_high"]].tolist(), abs=0.02
    )
    assert found.p_value == pytest.approx(published["p_value"], abs=0.05)
    assert (found.n_cities, found.n_pilots) == (published["n_cities"], published["n_pilots"])


def test_parts_of_pages_are_those_of_the_run_that_they_name(simulated: Run, tmp_path):
    for name in PAGES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPO / name, tmp_path / name)
    (tmp_path / "docs/images").mkdir()
    with duckdb.connect(simulated.home / "published" / "citysync.duckdb", read_only=True) as con:
        [[run_id]] = con.execute("select run_id from meta.run").fetchall()
        assert set(write_pages(con, tmp_path)) == set(PAGES)
        # a second time nothing is left to write but what is of the first landing
        assert write_pages(con, tmp_path) == []
        landings = "docs/evidence/landings.md"
        assert write_pages(con, tmp_path, is_first_landing=True) == [landings]
        of_both = (tmp_path / landings).read_text(encoding="utf-8")
        assert of_both.count(f"Run {run_id}") == 2
        joined, first = (
            (tmp_path / f"docs/evidence/landing-{which}-outcomes.csv").read_text(encoding="utf-8")
            for which in ("joined", "first")
        )
        assert joined == first and "wages," in joined
        evidence.write_pictures(con, tmp_path)
        [[estimate]] = con.execute(
            "select estimate from estimates.primary where spec_id = ?", [PRIMARY]
        ).fetchall()
        with pytest.raises(PublishError, match="the part 'nothing', which nothing makes"):
            with_parts(con, "<!-- run: nothing -->\n\n<!-- end of run -->", "a page", {"nothing"})
    pages = {name: (tmp_path / name).read_text(encoding="utf-8") for name in PAGES}
    shutil.copyfile(simulated.home / "published" / "citysync.duckdb", tmp_path / "less.duckdb")
    with duckdb.connect(tmp_path / "less.duckdb") as con:
        con.execute("delete from estimates.estimate; update meta.run set run_id = 'another'")
        with pytest.raises(PublishError, match="'answer' needs tables that this publication lacks"):
            write_pages(con, tmp_path)
    assert pages == {name: (tmp_path / name).read_text(encoding="utf-8") for name in PAGES}
    assert [name for name, text in pages.items() if run_id not in text] == []
    for name in ("README.md", "README.zh.md", "docs/index.md", "docs/evidence/primary-test.md"):
        assert f"{estimate:+.3f}" in pages[name]
    used = {part for text in pages.values() for part in re.findall("<!-- run: (.+?) -->", text)}
    assert used == set(BLOCKS)
    picture = ElementTree.parse(tmp_path / "docs/images/answer_zh.svg").getroot()
    assert picture.tag.endswith("svg") and len(picture) > 1


def test_a_publication_of_simulated_data_is_refused(simulated: Run, monkeypatch, capsys):
    monkeypatch.setenv("CITYSYNC_HOME", str(simulated.home))
    before = evidence.ZONES.read_bytes()
    assert end_of(evidence.evidence, None) == 2
    assert "expected one of delivered statistics" in capsys.readouterr().out
    assert evidence.ZONES.read_bytes() == before


def test_a_readme_without_the_line_whose_result_it_shows_is_refused(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("# citysync\n", encoding="utf-8")
    with pytest.raises(PublishError, match="expected a line that ends with"):
        evidence.write_printed(readme)
