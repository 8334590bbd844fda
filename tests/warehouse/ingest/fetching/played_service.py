"""A server on 127.0.0.1 that plays the statistics bureau's and the World Bank's services, with
their faults.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from warehouse.ingest.place_names import read_seed


def cities() -> list[tuple[str, str]]:
    """Thirty-six cities that exist today, the largest first: code of twelve digits and name."""
    rows = [row for row in read_seed("city_roster") if not row["valid_to_year"]]
    rows.sort(key=lambda row: int(row["admin_rank"]) < 2)
    return [(row["city_id"] + "000000", row["city_name_zh"]) for row in rows[:36]]


def provinces() -> list[tuple[str, str]]:
    """Thirty-one provinces."""
    return [
        (row["province_id"] + "000000", row["province_name_zh"])
        for row in read_seed("province_roster")
    ]


class Played:
    """What the server holds, and which faults it has.

    Attributes
    ----------
    faults : list of (status, body, content type)
        Answers given before any other, one a request.
    log : list of (time, path)
    """

    def __init__(self) -> None:
        self.faults: list[tuple[int, bytes]] = []
        self.log: list[str] = []
        self.bodies: list[dict] = []
        self.after: dict[int, tuple[int, bytes]] = {}
        self.cities, self.provinces = cities(), provinces()
        self.unit, self.gdp_name = "亿元", "地区生产总值(亿元)"
        self.reply_state = 20000

    def tree(self, parent: str, code: str) -> list[dict]:
        """One level of the categories."""
        levels = {
            ("", "8"): [("root8", "主要城市年度数据", False)],
            ("root8", "8"): [("c1", "国民经济核算", False), ("c2", "城市建设", False)],
            ("c1", "8"): [("leaf_gdp", "地区生产总值", True), ("leaf_index", "物价", True)],
            ("c2", "8"): [("leaf_roads", "道路", True)],
            ("", "6"): [("root6", "分省年度数据", False), ("other6", "港澳台", False)],
            ("root6", "6"): [("p1", "价格指数", False)],
            ("p1", "6"): [("leaf_cpi", "居民消费价格指数", True)],
        }
        return [
            {"_id": key, "name": name, "isLeaf": is_leaf}
            for key, name, is_leaf in levels.get((parent, code), [])
        ]

    def indicators(self, leaf: str) -> list[dict]:
        """Indicators of a leaf."""
        held = {
            "leaf_gdp": [("i1", self.gdp_name, self.unit), ("i2", "第一产业增加值(亿元)", "亿元")],
            "leaf_cpi": [("i3", "居民消费价格指数(上年=100)", "")],
            "leaf_roads": [("i4", "道路面积(万平方米)", "万平方米")],
        }
        return [
            {"_id": key, "i_showname": name, "du_name": unit}
            for key, name, unit in held.get(leaf, [])
        ]

    def answer(self, path: str, params: dict[str, str], body: dict | None) -> object:
        """The reply to a request."""
        call = path.rpartition("/")[2]
        if call == "queryIndexTreeAsync":
            return {"state": 20000, "data": self.tree(params.get("pid", ""), params["code"])}
        if call == "queryIndicatorsByCid":
            return {"state": 20000, "data": {"list": self.indicators(params["cid"])}}
        if call == "getDaCatalogTreeByIndicatorCid":
            return {
                "state": 20000,
                "data": [
                    {"_id": "few"},
                    {"_id": "places_p" if params["indicatorCid"] == "leaf_cpi" else "places_c"},
                ],
            }
        if call == "getDasByDaCatalogId":
            places = {"places_c": self.cities, "places_p": self.provinces}.get(params["daCid"], [])
            return {
                "state": 20000,
                "data": [{"name_value": code, "show_name": name} for code, name in places],
            }
        if call == "esData":
            return self.values(body)
        return self.world_bank(path, params)

    def values(self, body: dict) -> dict:
        """Values of two years; the second one of the first place is empty, and a third year holds
        nothing.
        """
        self.bodies.append(body)
        periods = []
        for year in (2022, 2023):
            cells = [
                self.cell(
                    indicator,
                    place,
                    "" if (index, year) == (0, 2023) else f"{index + year / 10:.1f}",
                )
                for indicator in body["indicatorIds"]
                for index, place in enumerate(body["das"])
            ]
            periods.append({"code": f"{year}YY", "name": f"{year}年", "values": cells})
        return {
            "state": self.reply_state,
            "data": [*periods, {"code": "1995YY", "name": "1995年", "values": []}],
        }

    def cell(self, indicator: str, place: dict[str, str], text: str) -> dict[str, str]:
        """One value as the service states it."""
        unit = {"i1": self.unit, "i2": "亿元"}.get(indicator, "")
        return {
            "_id": indicator,
            "i_showname": "x",
            "value": text,
            "du_name": unit,
            "da": place["value"],
            "da_name": place["text"],
        }

    def world_bank(self, path: str, params: dict[str, str]) -> object:
        """Two pages of a series, latest year first."""
        page = int(params["page"])
        series = path.rpartition("/")[2]
        years = {1: [("2024", None), ("2023", 7.083998)], 2: [("2022", 6.737158)]}[page]
        of = {
            "indicator": {"id": series, "value": "x"},
            "country": {"id": "CN", "value": "China"},
            "countryiso3code": "CHN",
        }
        entries = [of | {"date": year, "value": value} for year, value in years]
        return [{"page": page, "pages": 2, "per_page": 2, "total": 3}, entries]


@contextmanager
def serving(played: Played) -> Iterator[str]:
    """The address of a server that answers as `played` does."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))

        def _answer(self, body: dict | None) -> None:
            url = urlsplit(self.path)
            played.log.append(self.path)
            fault = played.after.get(len(played.log)) or (
                played.faults.pop(0) if played.faults else None
            )
            if fault is None:
                params = {
                    name: values[0]
                    for name, values in parse_qs(url.query, keep_blank_values=True).items()
                }
                fault = (
                    200,
                    json.dumps(played.answer(url.path, params, body), ensure_ascii=False).encode(),
                )
            if fault[0] == 0:
                self.connection.close()
                return
            self.send_response(fault[0])
            self.send_header("content-length", str(len(fault[1])))
            self.end_headers()
            self.wfile.write(fault[1])

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/external/"
    finally:
        server.shutdown()
        server.server_close()
