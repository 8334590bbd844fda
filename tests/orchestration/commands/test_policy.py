"""`citysync policy` and `citysync register` as a person starts them, on a simulated publication."""

import csv
import json
import re
import subprocess
import sys

import citysync as cs
import duckdb
import pandas as pd
import pytest

from estimation.analyses.primary import DECLARED, PRIMARY
from estimation.sample.marts import read_marts
from estimation.study.policies import registered_rows, written_rule
from orchestration.commands.policy import policy, register
from orchestration.registered_lists import read_registered, write_registered
from tests.orchestration.conftest import end_of

(SPEC,) = [spec for spec in DECLARED if spec.spec_id == PRIMARY]
CITIES = """
select city_id, city_name_zh, province_id from marts.dim_city
where valid_to_year is null and city_id in (
    select city_id from marts.fct_city_year
    where year between 2009 and 2023 and growth_official_pct is not null
    group by city_id having count(*) = 15
)
order by city_id
"""
DATES = ("2014-03-01", "2016-09-15", "2018-02-01")


@pytest.fixture
def published(simulated, home, tmp_path, monkeypatch):
    """A home of its own whose publication is the simulated one; the list's folder is the current
    one.
    """
    home.mkdir(exist_ok=True)
    (home / "published").symlink_to((simulated.home / "published").resolve())
    monkeypatch.chdir(tmp_path)
    with duckdb.connect(home / "published" / "citysync.duckdb", read_only=True) as con:
        yield con


def _write(path, rows, head=("city", "date")):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return path


def _list(con, tmp_path):
    """Cities with all figures by their Chinese names, dates in turn inside each province: of a
    province with three or more all but one, of a smaller one all.
    """
    cities = con.execute(CITIES).df()
    of_province = cities.groupby("province_id")["city_id"]
    size, place = of_province.transform("count"), of_province.cumcount()
    chosen = cities[(size < 3) | (place < size - 1)]
    dates = [DATES[k % len(DATES)] for k in place[chosen.index]]
    rows = list(zip(chosen["city_name_zh"], dates, strict=True))
    return _write(tmp_path / "mine.csv", rows), rows


def test_the_command_writes_a_folder_and_numbers_its_runs(published, home, tmp_path):
    path, rows = _list(published, tmp_path)
    command = [sys.executable, "-m", "orchestration", "policy", str(path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.strip().splitlines()[-1]
    assert last.startswith("citysync: exit 0: run 1 of 1 on these data, p ")
    folder = tmp_path / "mine"
    for name in ("index.html", "zh/index.html", "estimates.csv", "cities.csv", "rule.json"):
        assert (folder / name).stat().st_size > 0
    cities = pd.read_csv(folder / "cities.csv")
    assert len(cities) == len(rows) and set(cities["status"]) <= {
        *("taken", "unidentified", "left_out")
    }
    years = {"2014-03-01": 2014, "2016-09-15": 2017, "2018-02-01": 2018}
    assert cities["start"].tolist() == [years[date] for _, date in rows]
    rule = json.loads((folder / "rule.json").read_text(encoding="utf-8"))
    assert rule["outcome"] == "synchronization" and len(rule["sha256"]) == 64
    estimates = pd.read_csv(folder / "estimates.csv")
    assert estimates["policy"].eq("mine").all() and estimates["estimate"].notna().any()
    assert estimates["unit"].iloc[0] == "synchronization" and "p_single" not in estimates
    both = estimates[estimates["family"] == "growth_and_cycle"]
    assert both["p_value_family"].ge(both["p_value"]).all()
    assert not both["p_value_family"].equals(both["p_value"])
    net = estimates[estimates["comparison"] == "net_of_others"]
    assert net["p_value"].notna().all() and net["p_value_family"].isna().all()
    # another list is another run; the same one in a file of another name is not
    other = _write(tmp_path / "other.csv", rows[:-1])
    ended = end_of(policy, str(other), None, None)
    assert "run 2 of 2 on these data" in ended.reason and "corrected for all" in ended.reason
    again = path.rename(tmp_path / "renamed.csv")
    assert "run 1 of 2 on these data" in end_of(policy, str(again), None, None).reason
    # a city that is left out is not compared with, so that list is another one
    early = _write(tmp_path / "early.csv", [*rows, ("舟山市", "1990-01-01")])
    assert "run 3 of 3 on these data" in end_of(policy, str(early), None, None).reason


@pytest.mark.parametrize(
    ("rows", "head", "said"),
    [
        ([("北京市", "2016"), ("不存在市", "2016")], ("city", "year"), "'不存在市' in line 3"),
        ([("Hangzou", "2016")], ("city", "year"), "near: Hangzhou"),
        ([("330100", "soon")], ("city", "year"), "line 2, column year"),
        ([("浙江省", "2016")], ("city", "year"), "write province in its column scope"),
        ([("330000", "2016")], ("city", "year"), "found the province '330000'"),
        (
            [("330000", "2016", "province"), ("杭州市", "2016", "province")],
            ("city", "year", "scope"),
            "line 3, column city: expected a province beside the scope province, found the city",
        ),
        ([("330100", "2016", "gdp")], ("city", "year", "outcome"), "expected one of synchroniz"),
        ([("330100", "2016")], ("place", "when"), "expected a column city or unit"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_by_its_row(published, tmp_path, rows, head, said):
    path = _write(tmp_path / "bad.csv", rows, head)
    ended = end_of(policy, str(path), None, None)
    assert ended == 2 and said in ended.reason
    assert not (tmp_path / "bad").exists()


def test_the_library_names_the_query_that_makes_its_panel_of_a_publication(published, tmp_path):
    path, rows = _list(published, tmp_path)
    with pytest.raises(cs.PanelError, match="growth, block_id: expected it") as error:
        cs.policy(published.execute("select * from marts.fct_city_year").df(), path)
    assert len(str(error.value)) < 500
    (query,) = re.findall(r'citysync sql -q "(.*?)" --out growth.csv', str(error.value))
    codes = published.execute("select city_name_zh, city_id from marts.dim_city").fetchall()
    listed = {"city": [dict(codes)[city] for city, _ in rows], "date": [date for _, date in rows]}
    fit = cs.policy(published.execute(query).df(), listed, permutations=199)
    assert not fit.is_refused and fit.primary.result.n_pilots > 20


@pytest.mark.parametrize(
    ("years", "said"),
    [
        (lambda k: "1990", "no city of the list can be tested"),
        (lambda k: "2090", "no city of the list can be tested"),
        (lambda k: "2016" if k < 3 else "2090", "cities of the list can be compared"),
    ],
)
def test_a_list_that_the_rules_refuse_says_why_on_its_page(published, tmp_path, years, said):
    _, rows = _list(published, tmp_path)
    path = _write(tmp_path / "few.csv", [(city, years(k)) for k, (city, _) in enumerate(rows)])
    assert end_of(policy, str(path), None, None) == 0
    assert said in (tmp_path / "few" / "index.html").read_text(encoding="utf-8")


def test_names_codes_scopes_and_former_names_mean_one_city(published, tmp_path):
    _, rows = _list(published, tmp_path)
    more = [
        ("襄樊市", "2016", "city"),
        ("Xiangyang", "2017", "city"),
        ("420600", "2018", "area"),
        ("浙江省", "2016", "province"),
        ("义乌市", "2016", "city"),
    ]
    given = [(city, date, "city") for city, date in rows] + more[:4]
    path = _write(tmp_path / "names.csv", given, ("city", "date", "scope"))
    assert end_of(policy, str(path), None, None) == 0
    cities = pd.read_csv(tmp_path / "names" / "cities.csv")
    xiangyang = cities[cities["city_id"] == 420600]
    assert (xiangyang["status"] != "rejected").sum() == 1
    assert xiangyang["reason"].dropna().str.contains("already").any()
    zhejiang = cities[cities["city_id"] // 10000 == 33]
    assert zhejiang["city_id"].nunique() > 3


def test_another_outcome_is_declared_alone(published, tmp_path):
    path, rows = _list(published, tmp_path)
    assert end_of(policy, str(path), "growth", None) == 0
    estimates = pd.read_csv(tmp_path / "mine" / "estimates.csv")
    assert estimates["outcome"].tolist() == ["growth"]
    assert estimates["p_value_family"].equals(estimates["p_value"])
    named = [(city, date, "growth") for city, date in rows]
    declared = _write(tmp_path / "declared.csv", named, ("city", "date", "outcome"))
    assert end_of(policy, str(declared), "trade", None) == 2


def test_listed_cities_left_out_are_not_compared_with_in_own_outcomes(published, tmp_path):
    path, rows = _list(published, tmp_path)
    more = published.execute(CITIES).df()["city_name_zh"]
    more = more[~more.isin([city for city, _ in rows])].head(4)
    ended = [(city, date, "") for city, date in rows]
    path = _write(tmp_path / "ended.csv", ended, ("city", "date", "end"))
    assert end_of(policy, str(path), "growth", None) == 0
    before = pd.read_csv(tmp_path / "ended" / "estimates.csv").iloc[0]
    ended += [(city, "2014-03-01", "2019") for city in more]
    _write(path, ended, ("city", "date", "end"))
    assert end_of(policy, str(path), "growth", None) == 0
    after = pd.read_csv(tmp_path / "ended" / "estimates.csv").iloc[0]
    assert after["n_cities"] == before["n_cities"] - len(more)
    assert after["n_pilots"] == before["n_pilots"]


def test_an_outcome_that_cannot_be_tested_says_its_years(published, tmp_path, capsys):
    _, rows = _list(published, tmp_path)
    early = [(city, ("2013", "2014")[date < "2016"]) for city, date in rows]
    path = _write(tmp_path / "early.csv", early, ("city", "year"))
    assert end_of(policy, str(path), "night_lights", None) == 0
    said = capsys.readouterr().out
    assert "  night_lights, 20" in said and "no city is admitted inside the window.\n" in said
    assert end_of(policy, str(path), "trade", None) == 0
    assert "  trade: Not run: no source delivers" in capsys.readouterr().out


def test_a_registered_list_is_answered_once_its_window_opens(published, home, tmp_path):
    path, rows = _list(published, tmp_path)
    ended = end_of(register, str(path))
    assert ended == 0 and "registered for the window to" in ended.reason
    assert end_of(register, str(path)) == 2
    (entry,) = read_registered(home / "archive", is_simulated=True)
    assert read_registered(home / "archive", is_simulated=False) == []
    marts = read_marts(published, [SPEC])
    assert registered_rows(marts, SPEC, [entry]) == []
    last_year = entry["rule"]["last_year"]
    starts = dict(map(int, text.split()) for text in entry["rule"]["starts"])
    settings = {name: entry["rule"][name] for name in ("permutations", "seed")}
    earlier = {**entry, "rule": written_rule("mine", starts, last_year - 1, settings)}
    growth, cycle = registered_rows(marts, SPEC, [earlier])
    assert growth["spec_id"] == "policy.cm_growth_official.mine"
    assert growth["status"] == "as_written" and growth["estimate"] == growth["estimate_written"]
    assert growth["last_year"] == last_year - 1 and cycle["estimate"] != growth["estimate"]
    # the page knows it again, with a city that is left out
    path = _write(path, [*rows, ("舟山市", "1990-01-01")])
    assert end_of(register, str(path)) == 0
    entries = read_registered(home / "archive", is_simulated=True)
    (entry,) = (one for one in entries if "330900 1990" in one["rule"]["starts"])
    entry["rule"]["last_year"] -= 1
    assert write_registered(home / "archive", {**entry, "sha256": "0" * 64})
    assert end_of(policy, str(path), None, None) == 0
    page = (tmp_path / "mine" / "index.html").read_text(encoding="utf-8")
    assert "The list was registered before" in page
    changed = {**earlier, "rule": {**earlier["rule"], "statistic_version": 0}}
    growth, _ = registered_rows(marts, SPEC, [changed])
    assert growth["status"] == "changed" and growth["what_changed"] == "statistic_version: 0 -> 1"


def test_every_policy_of_the_seeds_stands_beside_the_zones(published):
    rows = published.execute("select * from estimates.policy").df()
    growth = rows[(rows["outcome"] == "cm_growth_official") & (rows["comparison"] == "plain")]
    assert set(growth["policy"]) == {
        *("pilot_zones", "free_trade_zone", "broadband_china", "low_carbon", "new_urbanisation")
    }
    zones = growth.set_index("policy").loc["pilot_zones"]
    primary = (
        published.execute("select * from estimates.primary where spec_id = ?", [PRIMARY])
        .df()
        .iloc[0]
    )
    for name in ("estimate", "ci_low", "ci_high", "p_value", "n_cities", "n_pilots"):
        assert zones[name] == primary[name]
    tested = growth[growth["p_value"].notna()]
    assert (tested["p_value_family"] >= tested["p_value"]).all()
    assert growth["reason"][growth["p_value"].isna()].str.startswith("Refused").all()
    overlaps = published.execute("select * from estimates.policy_overlap").df()
    assert overlaps["correlation"].abs().lt(1).all()
