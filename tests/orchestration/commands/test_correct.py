"""`correct`: a delivered figure put right with its evidence, and the correction taken back."""

import shutil

import pandas as pd
import pytest

from orchestration.commands.correct import correct
from orchestration.home import Home
from orchestration.publication_folders import opened
from orchestration.terminal import Exit
from tests.warehouse.publication.small import put_out, run_of
from warehouse import corrections
from warehouse.corrections import NoCorrection, find_city

GDP = "gdp_nominal_cny_100m"
CELLS = """
create schema marts;
create table marts.dim_city as from (values
    (320500, '苏州市', 'Suzhou (Jiangsu)'), (341300, '宿州市', 'Suzhou (Anhui)')
) as t(city_id, city_name_zh, city_name_en);
create table marts.fct_indicator_observation as from (values
    (320500, 2011, 'gdp_nominal_cny_100m', 99e0, '亿元', 99e0, 'cny_100m', 'a', 'g.csv', null,
        'B2', 1, true, 'warned', 'spike'),
    (320500, 2012, 'gdp_nominal_cny_100m', 120e0, '亿元', 120e0, 'cny_100m', 'a', 'g.csv', null,
        'B3', 1, true, 'ok', null),
    (320500, 2011, 'gdp_nominal_cny_100m', 11e5, '万元', 110e0, 'cny_100m', 'b', 'h.xlsx',
        'S', 'C7', 2, false, 'ok', null)
) as t(city_id, "year", indicator_id, value_delivered, unit_delivered, "value", unit, source_id,
    file_name, sheet_name, cell_ref, priority, is_current, quality_flag, quality_rule);
alter table marts.fct_indicator_observation add column place_level varchar;
update marts.fct_indicator_observation set place_level = 'city'
"""


@pytest.fixture(autouse=True)
def seed(home, tmp_path, monkeypatch):
    """A small publication, and a copy of the seed that commands write."""
    put_out(home, run_of(1), CELLS)
    path = tmp_path / "value_corrections.csv"
    shutil.copy(corrections.SEED, path)
    monkeypatch.setattr(corrections, "SEED", path)
    return path


def rows(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False).to_dict("records")


def test_a_correction_is_written_with_its_evidence_and_taken_back(seed, capsys):
    before = seed.read_bytes()

    assert (
        correct("苏州", GDP, "2011", "99", "110.01", "b/h.xlsx S!C7", "typing error") == Exit.DONE
    )

    said = capsys.readouterr().out
    assert "a/g.csv B2" in said and "99 becomes 110.01" in said and "2012 120" in said
    assert rows(seed)[-1] == {
        "source_id": "a",
        "file_name": "g.csv",
        "city_id": "320500",
        "year": "2011",
        "indicator_id": GDP,
        "delivered_value": "99.0",
        "corrected_value": "110.01",
        "reason": "typing error",
        "evidence": "b/h.xlsx S!C7",
    }
    # the same cell again: the later figure counts; what is corrected is in the unit of the file
    correct("320500", GDP, "2011", "99", "111", "bulletin of 2011, page 3")
    correct("320500", GDP, "2011", "1100000", "1110000", "bulletin of 2011, page 3")
    assert [row["corrected_value"] for row in rows(seed)[-2:]] == ["111.0", "1110000.0"]
    assert "110 becomes 111" in capsys.readouterr().out

    assert correct("320500", GDP, "2011", None, None, None, withdraw=True) == Exit.DONE
    assert seed.read_bytes() == before


def test_a_figure_in_single_precision_is_named_as_it_was_printed(seed, home):
    single = (
        "update marts.fct_indicator_observation set value_delivered = 1.02999997138977 "
        "where file_name = 'g.csv' and year = 2011"
    )
    put_out(home, run_of(2), f"{CELLS}; {single}")

    assert correct("320500", GDP, "2011", "1.03", "10.3", "bulletin of 2011, page 3") == Exit.DONE
    assert rows(seed)[-1]["delivered_value"] == "1.02999997138977"
    with pytest.raises(NoCorrection, match=r"found 1\.0299$"):
        correct("320500", GDP, "2011", "1.0299", "10.3", "bulletin of 2011, page 3")
    assert correct("320500", GDP, "2011", "1.03", None, None, withdraw=True) == Exit.DONE


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"city": "Suzhou"}, "320500 苏州市.*341300 宿州市"),
        ({"city": "Atlantis"}, "which is none"),
        ({"city": "Suzou"}, r"near: 320500 苏州市 \(Suzhou \(Jiangsu\)\), 341300 宿州市"),
        ({"year": "11"}, "four digits"),
        ({"wrong": "98"}, r"99.0 亿元 in a/g.csv B2 .*1100000.0 万元 in b/h.xlsx S!C7"),
        ({"right": "nan"}, "right: expected a number"),
        ({"evidence": " "}, "evidence: expected"),
        ({"evidence": "b/h.xlsx C7", "right": "111"}, "found C7 110"),
        ({"evidence": "b/h.xlsx C8"}, "none of the cells that it names: C8"),
    ],
)
def test_what_is_no_correction_is_refused_and_nothing_written(seed, changed, said):
    before = seed.read_bytes()
    given = {
        "city": "320500",
        "indicator": GDP,
        "year": "2011",
        "wrong": "99",
        "right": "110",
        "evidence": "b/h.xlsx C7",
    } | changed

    with pytest.raises(NoCorrection, match=said):
        correct(**given)
    assert seed.read_bytes() == before


def _called(home, city):
    with opened(Home(home)) as publication, publication.connect() as con:
        return find_city(con, city)


@pytest.mark.parametrize("city", ["淮阴", "淮陰市", "huai an", "Huai'an", "320800"])
def test_a_former_name_or_another_spelling_is_the_city(home, city):
    renamed = "insert into marts.dim_city values (320800, '淮安市', 'Huai''an')"
    put_out(home, run_of(2), f"{CELLS}; {renamed}")
    assert _called(home, city) == 320800


def test_a_wrong_name_names_the_near_cities_of_the_publication(home):
    with pytest.raises(NoCorrection, match=r"which is none: .*near: 320500 苏州市"):
        _called(home, "苏洲")
    # Hangzhou is no city of this publication
    with pytest.raises(NoCorrection, match="which is none") as refused:
        _called(home, "杭州")
    assert "330100" not in str(refused.value)
