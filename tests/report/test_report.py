"""The page on fabricated tables: self-contained, true to the numbers given, safe against delivered text, the same bytes twice."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import duckdb
import pandas as pd
import pytest

from estimation.report.data import QUERIES, read_report_data
from estimation.report.figures import event_study_svg
from estimation.report.findings import answer
from estimation.report.site import write_report

HOSTILE = "<script>alert('x')</script>{{ 7*7 }}&\"'"
LINES = ("conventional", "dyadic", "city", "province_jackknife", "permutation")
PRIMARY = "baseline.cm_growth_official.headline"


def estimate_rows(spec_id: str, value: float, p_default: float, p_permutation: float, event_time: int | None = None) -> list[dict]:
    analysis, outcome, _ = spec_id.split(".")
    rows = []
    for line in LINES:
        p = {"conventional": 0.0001, "permutation": p_permutation}.get(line, p_default)
        error = None if line == "permutation" else 0.0123
        rows.append(
            {
                "spec_id": spec_id,
                "analysis": analysis,
                "estimator": "twfe" if event_time is None else "event_study",
                "outcome": outcome,
                "term": "treated" if event_time is None else "event",
                "cohort_year": None,
                "event_time": event_time,
                "vcov": line,
                "is_default": line == "province_jackknife",
                "estimate": value,
                "std_error": error,
                "ci_low": value - 0.0246,
                "ci_high": value + 0.0246,
                "p_value": p,
                "n_obs": 153_230,
                "n_pairs": 15_323,
                "n_cities": 254,
                "n_pilots": 55 if event_time != 2 else 1,
            }
        )
    return rows


def tables(
    *, comove_p: float = 0.01, default_p: float = 0.01, is_simulated: bool = False, whole: float = 0.0712
) -> dict[str, pd.DataFrame]:
    """A small publication as frames by `schema.table`."""
    cities = pd.DataFrame(
        {
            "city_id": [110000, 440100, 330100],
            "city_name_en": ["Beijing", "Guangzhou", HOSTILE],
            "city_name_zh": ["北京市", "广州市", "杭州市"],
            "province_id": [110000, 440000, 330000],
            "province_name_en": ["Beijing", "Guangdong", "Zhejiang"],
            "province_name_zh": ["北京市", "广东省", "浙江省"],
            "lon_deg": [116.4, 113.3, 120.2],
            "lat_deg": [39.9, 23.1, 30.3],
        }
    )
    zones = pd.DataFrame({"zone_name_zh": ["杭州市"], "city_id": [330100], "batch": [1], "approval_date": pd.to_datetime(["2015-03-07"])})
    zones = zones.assign(document_no="国函〔2015〕44号", is_whole_prefecture=True)
    years = range(2010, 2020)
    panel = pd.DataFrame({"city_i_id": 110000, "city_j_id": [440100] * 10 + [330100] * 10, "year": [*years, *years]})
    panel["cohort_year"] = pd.array([None] * 10 + [2015] * 10, dtype="Int64")
    for name in ("cm_growth_official", "comove_growth_official", "dispersion_growth_official", "cm_growth_deflated"):
        panel[name] = [0.1 * k for k in range(20)]
    rows = estimate_rows(PRIMARY, whole, default_p, 0.02)
    rows += estimate_rows("baseline.comove_growth_official.headline", 0.0934, comove_p, 0.015)
    rows += estimate_rows("baseline.dispersion_growth_official.headline", -0.0222, 0.5, 0.6)
    for event_time in (-2, 0, 1, 2):
        rows += estimate_rows("dynamics.cm_growth_official.headline", 0.01 * event_time, 0.3, 0.4, event_time)
    truth = pd.DataFrame(
        {"spec_id": [PRIMARY], "term": ["treated"], "cohort_year": pd.array([None], "Int64"), "event_time": pd.array([None], "Int64")}
    )
    diagnostic = {
        "most_influential_province": 440000,
        "estimate_without_province": -0.0137,
        "province_max_share": 0.74,
        "most_influential_city": 330100,
    }
    observed = {"city_id": [110000], "year": [2015], "indicator_id": ["gdp_nominal_cny_100m"], "source_id": ["tidy"]}
    rejected = {
        "source_id": ["tidy"],
        "file_name": [HOSTILE],
        "sheet_name": [None],
        "cell_ref": ["B7"],
        "raw_text": [HOSTILE],
        "reason": ["not_a_number"],
    }
    files = {"path": [HOSTILE], "source_id": ["tidy"], "edition_year": [2021], "sha256": ["ab" * 32], "bytes": [1000], "status": ["taken"]}
    run = {"run_id": ["20261124T000000Z"], "git_commit": ["abc"], "started_at": ["2026-11-24"], "is_simulated": [is_simulated]}
    return {
        "marts.dim_city": cities,
        "marts.fct_city_year": cities[["city_id"]].assign(year=2015),
        "marts.dim_pilot_zone": zones,
        "marts.panel_pair_year": panel,
        "marts.fct_pair_synchronization": panel.drop(columns="cohort_year"),
        "marts.fct_indicator_observation": pd.DataFrame(observed).assign(is_current=True, quality_flag="warned", quality_rule="sign"),
        "estimates.estimate": pd.DataFrame(rows).astype({"event_time": "Int64", "cohort_year": "Int64"}),
        "estimates.diagnostic": pd.DataFrame(
            {"spec_id": PRIMARY, "diagnostic": list(diagnostic), "term": "treated", "value": list(diagnostic.values())}
        ),
        "estimates.not_run": pd.DataFrame(
            {"spec_id": ["baseline.a.b"], "analysis": ["baseline"], "reason": ["needs population_resident_10k"]}
        ),
        "estimates.warning": pd.DataFrame({"spec_id": [PRIMARY], "warning": [f"treated: only one pilot {HOSTILE}"]}),
        "estimates.truth": truth.assign(truth=0.0567) if is_simulated else truth.iloc[:0].assign(truth=0.0),
        "quality.rejected_value": pd.DataFrame(rejected),
        "quality.expectation_result": pd.DataFrame(
            {
                "stage": ["marts"],
                "dataset": ["d"],
                "expectation": ["e"],
                "column_name": [HOSTILE],
                "success": [False],
                "severity": ["warn"],
                "observed": ["3"],
            }
        ),
        "meta.run": pd.DataFrame(run),
        "meta.input_file": pd.DataFrame(files).assign(note=HOSTILE, n_observations=1, n_rejected=1),
    }


def page_of(frames, tmp_path, name: str = "report") -> str:
    write_report(frames, tmp_path / name)
    assert [path.name for path in (tmp_path / name).iterdir()] == ["index.html"]
    return (tmp_path / name / "index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> str:
    """The page of delivered files whose co-movement carries the rise."""
    return page_of(tables(), tmp_path_factory.mktemp("page"))


class Tags(HTMLParser):
    """Start tags with their attributes, and the text a reader sees."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_page_loads_nothing_and_is_small(tmp_path) -> None:
    page = page_of(tables(is_simulated=True), tmp_path)
    assert len(page.encode()) < 1_500_000
    assert not re.search(r"https?://|//[a-z]", re.sub(r"data:[^\"')]*", "", page))
    for tag, attributes in Tags(page).tags:
        assert tag not in {"script", "link", "iframe", "object", "embed", "base", "form"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in {"src", "href", "srcset", "poster", "action"}:
                assert value.startswith(("#", "data:image/"))


@pytest.mark.parametrize(
    "number", ["+0.071", "0.047 to 0.096", "0.012", "153,230", "254", "+0.093", "−0.022", "74%", "−0.014", "Guangdong 广东省", "55 pilots"]
)
def test_page_holds_the_numbers_given(page, number: str) -> None:
    assert number in Tags(page).text


@pytest.mark.parametrize(
    ("change", "said", "unsaid"),
    [
        ({}, "Synchronization rose, and co-movement carries it", "no evidence"),
        ({"comove_p": 0.2}, "The measure rose, but we do not say that synchronization rose", "Synchronization rose, and"),
        (
            {"default_p": 0.2},
            "This is no evidence that synchronization changed: the province jackknife does not reject",
            "Synchronization rose, and",
        ),
        ({"whole": -0.0712}, "The measure fell, but we do not say that synchronization fell", "Synchronization fell, and"),
    ],
)
def test_rise_is_claimed_only_where_co_movement_carries_it(page, change: dict, said: str, unsaid: str) -> None:
    """And only where the default line and the permutation both reject."""
    text = " ".join(answer(read_report_data(tables(**change))))
    assert said in text
    assert unsaid not in text
    assert "had been looked at before this specification was fixed" in Tags(page).text


def test_simulated_is_said_and_the_truth_shown(page, tmp_path) -> None:
    simulated, real = page_of(tables(is_simulated=True), tmp_path), page
    assert "the truth of this coefficient is 0.057, and the default interval covers it" in Tags(simulated).text
    assert simulated.count("simulated 模拟") > 8
    assert simulated.count("SIMULATED") >= simulated.count("<figure>") > 3
    assert "imulated" not in Tags(real).text
    assert "truth" not in Tags(real).text


def test_delivered_text_stays_text(page) -> None:
    assert "<script" not in page.lower()
    assert HOSTILE in Tags(page).text
    assert "49" not in re.findall(r"alert\(.x.\)</script>(\d*)", Tags(page).text)


def test_same_input_gives_the_same_bytes(tmp_path) -> None:
    """Also when rows come in another order, and from a file instead of frames."""
    frames = tables(is_simulated=True)
    first = page_of(frames, tmp_path, "first")
    assert page_of({name: frame.iloc[::-1] for name, frame in frames.items()}, tmp_path, "second") == first
    with duckdb.connect(str(tmp_path / "p.duckdb")) as con:
        for name, frame in frames.items():
            con.register("incoming", frame)
            con.execute(f"create schema if not exists {name.split('.')[0]}")
            con.execute(f"create table {name} as select * from incoming")
    assert page_of(tmp_path / "p.duckdb", tmp_path, "third") == first


@pytest.mark.parametrize("missing", ["rows", "tables"])
def test_page_of_a_landing_that_gave_almost_nothing(tmp_path, missing: str) -> None:
    """Six cities of a bare level: no sample, no estimates; the page says so."""
    frames = tables()
    empty = {
        "marts.panel_pair_year",
        "estimates.estimate",
        "estimates.diagnostic",
        "estimates.warning",
        "marts.dim_pilot_zone",
        "quality.expectation_result",
    }
    frames["estimates.not_run"] = frames["estimates.not_run"].assign(spec_id=PRIMARY)
    thin = {name: frame.iloc[:0] if name in empty else frame for name, frame in frames.items() if missing == "rows" or name not in empty}
    text = Tags(page_of(thin, tmp_path)).text
    assert "The primary specification was not run: needs population_resident_10k." in text
    assert "No headline was estimated" in text
    assert "means over all pairs of its cities" in text
    assert "all pairs (2 pairs)" in text
    nothing = Tags(page_of({}, tmp_path, "nothing")).text
    assert "This landing gives no answer to the question." in nothing


def test_event_study_picture_stands_alone() -> None:
    """Orchestration shows it by itself; a spec without events has none."""
    estimates = tables()["estimates.estimate"]
    svg = event_study_svg(estimates, "dynamics.cm_growth_official.headline")
    assert svg.startswith("<svg")
    assert 'xmlns="http://www.w3.org/2000/svg"' in svg
    assert event_study_svg(estimates, PRIMARY) is None


def test_every_query_names_columns_that_exist(tmp_path) -> None:
    """The empty answer of a missing table has the columns of the real one."""
    with duckdb.connect() as con:
        for name, frame in tables().items():
            con.register("incoming", frame)
            con.execute(f"create schema if not exists {name.split('.')[0]}")
            con.execute(f"create table {name} as select * from incoming")
        for query in QUERIES.values():
            assert [column[0] for column in con.execute(query.sql).description] == query.columns.split(", ")
