"""The facts in the seeds: counts and distances known from elsewhere, keys that join, aliases that
name one place.
"""

from fnmatch import fnmatch

import pandas as pd
import pytest

from tests.warehouse.reference import haversine
from warehouse.ingest.place_names import SEEDS

SUB_PROVINCIAL = "沈阳 大连 长春 哈尔滨 南京 杭州 宁波 厦门 济南 青岛 武汉 广州 深圳 成都 西安"
#: Cities whose government moved, or whose coordinates in the file compared with are not the seat.
SEAT_DIFFERS = {530800}


def seed(name: str) -> pd.DataFrame:
    return pd.read_csv(SEEDS / f"{name}.csv")


@pytest.fixture(scope="module")
def roster() -> pd.DataFrame:
    return seed("city_roster")


@pytest.mark.parametrize(
    ("year", "municipalities", "prefectures"),
    [  # year-end counts of prefecture-level units, Ministry of Civil Affairs statistical bulletins
        (2000, 4, 333),
        (2003, 4, 333),
        (2010, 4, 333),
        (2012, 4, 333),
        (2017, 4, 334),
        (2019, 4, 333),
        (2024, 4, 333),
    ],
)
def test_number_of_units_at_a_year_end(roster, year, municipalities, prefectures):
    alive = roster[(roster.valid_from_year <= year) & (roster.valid_to_year.fillna(9999) >= year)]
    assert (alive.admin_rank == 4).sum() == municipalities
    assert (alive.admin_rank != 4).sum() == prefectures


def test_ranks_and_regions(roster):
    ranked = roster.set_index("city_name_zh").admin_rank
    assert sorted(ranked.index[ranked == 3]) == sorted(f"{n}市" for n in SUB_PROVINCIAL.split())
    # 27 capitals of provinces and regions, ten of them sub-provincial
    assert (ranked == 2).sum() == 27 - 10
    regions = seed("province_roster").region.value_counts().to_dict()
    assert regions == {"east": 10, "central": 6, "west": 12, "northeast": 3}


@pytest.mark.parametrize(
    (
        "city_a",
        "city_b",
        "km",
    ),  # great-circle distances, rounded; from city-centre coordinates published elsewhere
    [
        (110000, 310000, 1068),
        (110000, 120000, 114),
        (440100, 440300, 105),
        (650100, 110000, 2413),
    ],
)
def test_distances(roster, city_a, city_b, km):
    at = roster.set_index("city_id")[["lon_deg", "lat_deg"]].T
    assert haversine(*at[city_a], *at[city_b]) == pytest.approx(km, abs=max(5, 0.005 * km))


def test_every_code_change_and_alias_leads_to_a_city(roster):
    ids = set(roster.city_id)
    changes, aliases = seed("city_code_changes"), seed("city_aliases")
    moved = changes[changes.old_code != changes.city_id]
    existing = set(roster.city_id[roster.valid_to_year.isna()])
    assert not set(moved.old_code) & existing, "a former code is still somebody's code"
    assert set(aliases.city_id) == ids
    assert (aliases.alias == aliases.alias.str.lower().str.replace(r"\s", "", regex=True)).all()


ALIASES = {
    "延边": 222400,
    "延边州": 222400,
    "延边朝鲜族自治州": 222400,
    "襄樊市": 420600,
    "思茅": 530800,
    "普洱": 530800,
    "喀什": 653100,
    "锡林郭勒": 152500,
    "锡林郭勒盟": 152500,
    "吉林": 220200,
    "巢湖": 341400,
    "莱芜市": 371200,
    "那曲地区": 540600,
    "xi'an": 610100,
    "xian": 610100,
    "urumqi": 650100,
    "wulumuqi": 650100,
    "harbin": 230100,
    "hohhotcity": 150100,
    "lvliang": 141100,
    "suzhou(jiangsu)": 320500,
    "suzhou(anhui)": 341300,
    "海南州": 632500,
    "伊犁哈萨克自治州": 654000,
    # these could be two places, or are none
    **dict.fromkeys(
        ["海南", "hainan", "suzhou", "yichun", "taizhou", "fuzhou", "yulin", "中国", "江苏"]
    ),
}


def test_an_alias_names_one_place():
    known = seed("city_aliases").set_index("alias").city_id
    assert {alias: known.get(alias) for alias in ALIASES} == ALIASES


def test_pilot_zones(roster):
    zones = seed("pilot_zones")
    assert zones.batch.value_counts().sort_index().tolist() == [1, 12, 22, 24, 46, 27, 33, 16]
    assert (~zones.is_whole_prefecture).sum() == 9
    # all of Hainan is one zone
    assert set(zones.city_id) - set(roster.city_id[roster.valid_to_year.isna()]) == {460000}
    early = set(zones[(zones.batch <= 6) & zones.is_whole_prefecture].city_id)
    complete = roster[
        roster.province_id.isin([320000, 330000, 440000]) & roster.valid_to_year.isna()
    ]
    assert len(complete) == 13 + 11 + 21
    assert set(complete.city_id) <= early
    names = zones.merge(roster, on="city_id")
    whole = names[names.is_whole_prefecture]
    assert (whole.zone_name_zh == whole.city_name_zh).all()


def test_catalog_is_consistent():
    catalog = seed("indicator_catalog")
    assert set(catalog.canonical_unit) <= set(seed("unit_factors").canonical_unit)
    # without one, dim_indicator takes every rounding for a revision
    assert set(catalog.canonical_unit) <= set(seed("unit_tolerances").canonical_unit)
    assert (catalog.min_value < catalog.max_value).all()
    assert (catalog.min_value[catalog.must_be_positive] > 0).all()
    ranks = catalog.dropna(subset=["concept"])[["concept", "concept_rank"]]
    assert not ranks.duplicated().any()


@pytest.mark.parametrize(
    ("text", "canonical", "value", "expected"),
    [
        ("万元", "cny_100m", 230145900, 23014.59),
        ("亿元", "cny_100m", 24779.1, 24779.1),
        ("人", "10k", 21705000, 2170.5),
        ("千元", "cny_10k", 10, 1.0),
        ("fraction", "pct", 0.25, 25.0),
        ("万美元", "usd_1m", 1234, 12.34),
        ("％", "pct", 6.9, 6.9),
        ("100millionyuan", "cny_100m", 3.5, 3.5),
        ("公顷", "km2", 250, 2.5),
        ("cny_100m", "cny_100m", 7, 7),
    ],
)
def test_units(text, canonical, value, expected):
    factor = seed("unit_factors").set_index(["unit_text", "canonical_unit"]).loc[(text, canonical)]
    assert value * factor.multiply_by / factor.divide_by == expected


@pytest.mark.shared
def test_coordinates_agree_with_another_file(roster, shared_dir):
    other = pd.read_csv(shared_dir / "reference" / "roster" / "malin84_cityinfo.csv")
    other["city_id"] = other.dzcode * 100
    both = roster[~roster.city_id.isin(SEAT_DIFFERS)].merge(other, on="city_id")
    assert len(both) >= 270
    places = both[["lon_deg", "lat_deg", "coord_long", "coord_lat"]].to_numpy()
    apart = [haversine(*place) for place in places]
    assert both.city_name_zh[[km > 60 for km in apart]].tolist() == []


@pytest.mark.shared
def test_zones_agree_with_the_compiled_list(shared_dir):
    lists = shared_dir / "reference" / "policy_lists"
    early, late = (
        pd.read_csv(lists / f"cbec_cpa_{name}.csv") for name in ("batches_165", "batch_8")
    )
    theirs = pd.concat([early.assign(change="founded"), late])
    # the zone of a province lies in no prefecture; the number of the last reply is not known
    theirs["city_id"] = theirs.prefecture_code_gb2260.fillna(460000).astype(int)
    theirs["document_no"] = theirs.document.where(theirs.batch < 8, "")
    mine = seed("pilot_zones").fillna({"document_no": ""})
    columns = ["batch", "city_id", "document_no"]
    founded, ended = (theirs[theirs.change == change] for change in ("founded", "revoked"))
    for ours, others, day in (
        (mine, founded, "approval_date"),
        (mine.dropna(subset="revoked_date"), ended, "revoked_date"),
    ):
        keys = columns if day == "approval_date" else []
        assert set(ours[[*keys, "zone_name_zh", day]].itertuples(index=False, name=None)) == set(
            others[[*keys, "name_zh", "document_date"]].itertuples(index=False, name=None)
        )


@pytest.mark.parametrize(
    ("policy", "batch", "scope", "count"),
    # as the lists count themselves: a group of cities once, what lies under no prefecture of the
    # roster added by hand
    [
        ("broadband_china", 1, ("city", "county"), 39 - 1),  # Alar
        ("broadband_china", 2, ("city", "county"), 39),
        ("broadband_china", 3, ("city", "county"), 39),
        ("low_carbon", 1, ("city",), 8),
        ("low_carbon", 2, ("city", "province"), 29 - 1),  # Jiyuan
        ("low_carbon", 3, ("city", "county"), 45 - 2),  # Qiongzhong, Alar
        ("free_trade_zone", 5, ("area",), 19),
    ],
)
def test_lists_of_other_policies_are_complete(policy, batch, scope, count):
    table = seed("other_policies")
    found = table[
        (table["policy"] == policy) & (table["batch"] == batch) & table["scope"].isin(scope)
    ]
    assert found["unit_zh"].nunique() == count


@pytest.mark.shared
def test_other_policies_cover_what_compiled_lists_name(shared_dir, roster):
    """Lists of other hands: free trade zones open within two months of their document."""
    lists = shared_dir / "reference" / "policy_lists"
    covering = seed("other_policies").query("scope != 'county'")
    names = covering["city_id"].map(roster.set_index("city_id")["city_name_zh"])
    zones = pd.read_csv(lists / "free_trade_zones_UNVERIFIED.csv", parse_dates=["date"])
    ours = covering[covering["policy"] == "free_trade_zone"].merge(
        zones, left_on="city_id", right_on="prefecture_code_gb2260"
    )
    assert set(ours["city_id"]) == set(zones["prefecture_code_gb2260"])
    assert (ours["date"] - pd.to_datetime(ours["document_date"])).dt.days.between(0, 60).all()
    carbon = pd.read_excel(lists / "low_carbon_pilot_cities.xlsx", engine="calamine")["city_name"]
    assert set(carbon) <= set(names[covering["policy"] == "low_carbon"])


def test_a_change_of_borders_is_between_cities_of_the_roster(roster):
    events = seed("boundary_events")
    parts = events.event_id.str.split("-", expand=True).astype(int)
    assert (parts[0] == pd.to_datetime(events.in_force).dt.year).all()
    assert (parts[1] == events.from_city_id.fillna(0)).all()
    assert (parts[2] == events.to_city_id.fillna(0)).all()
    assert (events.from_city_id.notna() | events.to_city_id.notna()).all()
    whole = events[events.is_whole]
    assert (whole[["share_population", "share_gdp"]] == 1).all(axis=None)
    given = events.groupby(["in_force", "from_city_id"])["share_population"].sum()
    assert given.max() <= 1.005


def test_every_city_that_begins_or_ends_has_its_event(roster):
    events = seed("boundary_events")
    events["year"] = pd.to_datetime(events.in_force).dt.year
    for city in roster[roster.valid_to_year.notna()].itertuples():
        years = events.year[events.from_city_id == city.city_id]
        assert (years - city.valid_to_year).isin([0, 1]).any(), city.city_name_en
    for city in roster[roster.valid_from_year > 1990].itertuples():
        assert city.valid_from_year in set(events.year[events.to_city_id == city.city_id]), (
            city.city_name_en
        )


def test_a_revision_concerns_indicators_of_the_catalog():
    ids = seed("indicator_catalog").indicator_id
    for patterns in seed("statistical_revisions").indicators:
        for pattern in patterns.split():
            assert any(fnmatch(name, pattern) for name in ids), pattern
