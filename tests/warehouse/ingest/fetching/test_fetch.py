"""`citysync fetch` against played services, with their faults: what is written, kept, resumed,
checked, and said where the service refuses.
"""

import csv
import json
from pathlib import Path
from unittest import mock

import httpx
import pytest

from orchestration.commands.fetch import fetch
from orchestration.supervision import exit_code_of
from orchestration.terminal import Exit
from warehouse.hashing import hash_file
from warehouse.ingest.fetching import service
from warehouse.ingest.landing import read_landing
from warehouse.ingest.place_names import read_seed

STANDING = [row for row in read_seed("city_roster") if not row["valid_to_year"]]
STANDING.sort(key=lambda row: int(row["admin_rank"]) < 2)
#: Code of twelve digits and name of thirty-six cities that exist today, the largest first, and of
#: thirty-one provinces.
CITIES = [(row["city_id"] + "000000", row["city_name_zh"]) for row in STANDING[:36]]
PROVINCES = [
    (row["province_id"] + "000000", row["province_name_zh"]) for row in read_seed("province_roster")
]
#: Categories below a category of a kind: id, name, whether it is a leaf.
CATEGORIES = {
    ("", "8"): [("root8", "主要城市年度数据", False)],
    ("root8", "8"): [("c1", "国民经济核算", False), ("c2", "城市建设", False)],
    ("c1", "8"): [("leaf_gdp", "地区生产总值", True), ("leaf_index", "物价", True)],
    ("c2", "8"): [("leaf_roads", "道路", True)],
    ("", "6"): [("root6", "分省年度数据", False), ("other6", "港澳台", False)],
    ("root6", "6"): [("p1", "价格指数", False)],
    ("p1", "6"): [("leaf_cpi", "居民消费价格指数", True)],
}


class Played:
    """What a service holds, and which faults it has.

    Attributes
    ----------
    faults : dict of int to (status, body)
        Answers to the first request, the second, and so on; status 0 closes the connection.
    log : list of str
        Paths that were asked for.
    """

    def __init__(self, faults: dict[int, tuple[int, bytes]] | None = None, **held: object) -> None:
        self.faults, self.log, self.bodies = faults or {}, [], []
        # a unit that the service does not give is that of the name
        self.cities, self.gdp_name, self.unit = CITIES, "地区生产总值 (亿元)", ""
        self.reply_state = 20000
        self.years = {1: [("2024", None), ("2023", 7.083998)], 2: [("2022", 6.737158)]}
        vars(self).update(held)

    def respond(self, request: httpx.Request) -> httpx.Response:
        """The fault that was planned, or what is held."""
        self.log.append(request.url.raw_path.decode())
        status, content = self.faults.get(len(self.log), (200, None))
        if status == 0:
            raise httpx.ReadError("the connection was closed")
        if content is None:
            body = json.loads(request.content or "null")
            reply = self.answer(request.url.path, dict(request.url.params), body)
            content = json.dumps(reply, ensure_ascii=False).encode()
        return httpx.Response(status, content=content)

    def answer(self, path: str, params: dict[str, str], body: dict | None) -> object:
        """The reply to a request."""
        indicators = {
            "leaf_gdp": [("i1", self.gdp_name, self.unit), ("i2", "第一产业增加值(亿元)", "亿元")],
            "leaf_cpi": [("i3", "居民消费价格指数（上年=100）", "")],
            "leaf_roads": [("i4", "道路面积(万平方米)", "万平方米")],
        }
        places = {"places_c": self.cities, "places_p": PROVINCES}
        of_leaf = "places_p" if params.get("indicatorCid") == "leaf_cpi" else "places_c"
        held = {
            "queryIndexTreeAsync": [
                {"_id": key, "name": name, "isLeaf": is_leaf}
                for key, name, is_leaf in CATEGORIES.get(
                    (params.get("pid", ""), params.get("code")), []
                )
            ],
            "queryIndicatorsByCid": {
                "list": [
                    {"_id": key, "i_showname": name, "du_name": unit}
                    for key, name, unit in indicators.get(params.get("cid"), [])
                ]
            },
            "getDaCatalogTreeByIndicatorCid": [{"_id": "few"}, {"_id": of_leaf}],
            "getDasByDaCatalogId": [
                {"name_value": code, "show_name": name}
                for code, name in places.get(params.get("daCid"), [])
            ],
        }
        call = path.rpartition("/")[2]
        if call in held:
            return {"state": 20000, "data": held[call]}
        return self.values(body) if call == "esData" else self.world_bank(path, params)

    def values(self, body: dict) -> dict:
        """Values of two years; the second one of the first place is empty, and a third year holds
        nothing.
        """
        self.bodies.append(body)
        units = {"i1": self.unit, "i2": "亿元"}
        periods = [
            {
                "code": f"{year}YY",
                "name": f"{year}年",
                "values": [
                    {
                        "_id": indicator,
                        "i_showname": "x",
                        "value": "" if (k, year) == (0, 2023) else f"{k + year / 10:.1f}",
                        "du_name": units.get(indicator, ""),
                        "da": place["value"],
                        "da_name": place["text"],
                    }
                    for indicator in body["indicatorIds"]
                    for k, place in enumerate(body["das"])
                ],
            }
            for year in (2022, 2023)
        ]
        return {
            "state": self.reply_state,
            "data": [*periods, {"code": "1995YY", "name": "1995年", "values": []}],
        }

    def world_bank(self, path: str, params: dict[str, str]) -> object:
        """Two pages of a series, latest year first."""
        page = int(params["page"])
        series = path.rpartition("/")[2]
        years = self.years[page]
        of = {
            "indicator": {"id": series, "value": "x"},
            "country": {"id": "CN", "value": "China"},
            "countryiso3code": "CHN",
        }
        entries = [of | {"date": year, "value": value} for year, value in years]
        return [{"page": page, "pages": 2, "per_page": 2, "total": 3}, entries]


GDP, BASE = "gdp_nominal_cny_100m", "http://127.0.0.1/external/"


def run(played: Played, source: str = "nbs", **more: object) -> Exit:
    client = httpx.Client(transport=httpx.MockTransport(played.respond))
    with mock.patch.object(httpx, "stream", client.stream):
        return exit_code_of(lambda: fetch(source, base=BASE, pause=0.0, wait=0.01, **more))


def written(home: Path, source: str = "nbs") -> list[dict[str, str]]:
    (path,) = (home / "fetched" / "landing" / "tidy").glob(f"*/{source}.csv")
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_cities_and_provinces_are_written_as_tidy_and_can_be_read(home, tmp_path):
    played = Played()
    assert run(played) == Exit.DONE
    rows = written(home)
    gdp = {(row["city_id"], row["year"]): row for row in rows if row["indicator_id"] == GDP}
    # 36 cities, two years, one of them empty in each of three calls
    assert len(gdp) == 36 * 2 - 3
    assert gdp["110000", "2022"] == {
        "city_id": "110000",
        "year": "2022",
        "indicator_id": GDP,
        "value": "202.2",
        "unit": "亿元",
    }
    assert len({row["city_id"] for row in rows if row["indicator_id"] == "cpi_prev_year_100"}) == 31
    report = read_landing(
        home / "fetched" / "landing", tmp_path / "raw", tmp_path / "build", layouts={}
    )
    assert report.files.n_observations.sum() == len(rows) and report.files.n_rejected.sum() == 0
    # the tree is walked by name, and other branches are left alone
    assert not any("pid=c2" in path or "leaf_roads" in path for path in played.log)
    assert {body["rootId"] for body in played.bodies} == {"root8", "root6"}
    assert all(len(body["das"]) <= 12 and len(body["indicatorIds"]) <= 50 for body in played.bodies)
    # replies are kept with request, hash and date
    (folder,) = (home / "fetched" / "nbs").iterdir()
    kept = (folder / "requests.jsonl").read_text(encoding="utf-8").splitlines()
    done = json.loads((folder / "done.json").read_text(encoding="utf-8"))
    assert len(kept) == done["replies"] > 10
    for entry in map(json.loads, kept):
        assert hash_file(folder / entry["file"]) == entry["sha256"]
        assert entry["url"].startswith("http://127.0.0.1")
        assert entry["fetched_at"][:4] == folder.name[:4]


@pytest.mark.parametrize("fault", [(500, b""), (503, b"busy"), (429, b"slowly"), (0, b"")])
def test_a_passing_fault_is_tried_again(home, fault):
    assert run(Played({1: fault, 2: fault, 3: fault})) == Exit.DONE


WHAT_TO_DO = ("exit 2: ", "<landing>/nbs_major_cities/")
#: A service with its faults, what is said of it in the last line, and what it refused with.
REFUSED = {
    said: ("nbs", Played({1: (status, content)}), (*WHAT_TO_DO, said), content)
    for status, content, said in (
        (403, b'{"reason": "UrlACL"}', "found status 403"),
        (200, b"<!DOCTYPE html><html>please wait</html>", "found a web page"),
        (200, b"nonsense", "found no JSON"),
        (200, b"[" * 100_000, "found no JSON"),
        (200, b'{"data": [{"_id": "\\ud800", "name": "x"}]}', "found no JSON in Unicode"),
        (200, b'{"data": ["' + b"x" * 20_000_000 + b'"]}', "found more than 20,000,000 bytes"),
        (200, b'{"state": 20000, "rows": []}', "found another shape (data: Field required)"),
        (200, b'{"data": [{"_id": "", "name": "x"}]}', "found another shape (data.0._id"),
    )
} | {
    said: ("nbs", Played(**change), (said,), None)
    for change, said in (
        (
            {"faults": dict.fromkeys(range(1, 5), (503, b""))},
            "found status 503, 4 times; try again later",
        ),
        (
            {"unit": "亿斤"},
            "unit '亿斤' of gdp_nominal_cny_100m, which does not convert to cny_100m",
        ),
        (
            {"cities": [("110000000000", "天津市"), *CITIES[1:]]},
            "code '110000000000' with the name '天津市', which is no city",
        ),
        ({"cities": CITIES[:20]}, "expected a catalog of 36 places"),
        (
            {"gdp_name": "生产总值指数"},
            "expected the indicator 地区生产总值|国内生产总值; found it under no category",
        ),
        ({"reply_state": 40000}, "expected state 20000; found 40000"),
    )
}
RATES = {
    "a rate of nothing": [("2024", 0.0)],
    "a rate below nothing": [("2024", -7.1)],
    "a rate of fen": [("2024", 708.4)],
    "no number": [("2024", float("nan"))],
    "two rates of a year": [("2024", 7.1), ("2024", 7.2)],
}
for of_fault, years in RATES.items():
    said = (f"expected one rate a year from 1 to 10; found {years[-1][1]!r} of 2024",)
    REFUSED[of_fault] = "world_bank", Played(years={1: years, 2: []}), said, None
UNKNOWN = ("expected the name of a service, nbs or world_bank; found 'eurostat'",)
REFUSED["unknown"] = "eurostat", Played(), UNKNOWN, None


@pytest.mark.parametrize(("source", "played", "said", "content"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_is_said_with_what_to_do_and_nothing_is_written(
    home, capsys, source, played, said, content
):
    assert run(played, source) == Exit.BAD_INPUT
    last = capsys.readouterr().out.splitlines()[-1]
    assert [words for words in said if words not in last] == []
    assert not (home / "fetched" / "landing").exists()
    kept = [path.read_bytes() for path in (home / "fetched").glob("*/*/refused.txt")]
    assert content is None or kept == [content[:1_000_000]]


class Endless(httpx.SyncByteStream):
    """A reply that sends a byte from time to time, for ever."""

    def __iter__(self):
        while True:
            yield b" "


@pytest.mark.parametrize(
    ("bound", "said"), [("MOST_SECONDS", "no end after"), ("MOST_REQUESTS", "more than 0 pages")]
)
def test_a_service_without_end_is_left(home, capsys, monkeypatch, bound, said):
    monkeypatch.setattr(service, bound, 0)
    client = httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, stream=Endless()))
    )
    with mock.patch.object(httpx, "stream", client.stream):
        assert exit_code_of(lambda: fetch("nbs", base=BASE, pause=0.0)) == Exit.BAD_INPUT
    assert said in capsys.readouterr().out


def test_an_interrupted_fetch_goes_on_where_it_ended(home):
    """Also on another day; a kept reply that was changed is asked for again."""
    played = Played({9: (403, b"no")})
    assert run(played) == Exit.BAD_INPUT
    (folder,) = (home / "fetched" / "nbs").iterdir()
    folder.rename(folder.with_name("2026-01-01"))
    kept = (folder.with_name("2026-01-01") / "requests.jsonl").read_text(encoding="utf-8")
    first = json.loads(kept.splitlines()[0])
    (folder.with_name("2026-01-01") / first["file"]).write_bytes(b"[]")
    again = Played()
    assert run(again) == Exit.DONE
    assert set(again.log) & set(played.log[:8]) == {played.log[0]}
    whole = Played()
    assert run(whole) == Exit.DONE, "a second fetch of a whole edition asks again"
    assert len(whole.log) > len(again.log)


def test_the_same_frame_serves_the_world_bank(home, tmp_path):
    assert run(Played(), "world_bank") == Exit.DONE
    assert [(row["city_id"], row["year"], row["value"]) for row in written(home, "world_bank")] == [
        ("100000", "2022", "6.737158"),
        ("100000", "2023", "7.083998"),
    ]
