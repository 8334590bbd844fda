"""The statistics bureau's open data service: 36 major cities and 31 provinces, yearly.

The tree of categories is walked by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, Field

from warehouse.ingest.errors import IngestError
from warehouse.ingest.fetching.editions import Request
from warehouse.ingest.fetching.service import Service
from warehouse.ingest.fetching.tidy_file import FetchedValue

NAME = "nbs"
BASE = "https://data.stats.gov.cn/dg/website/publicrelease/web/external/"
BY_HAND = (
    "open https://data.stats.gov.cn in a browser, choose the yearly data of the major cities, "
    "save each table as a workbook (.xls), put "
    "the files into <landing>/nbs_major_cities/ and refresh; its layout reads them"
)
FIRST_YEAR = 1995
_PLACES_A_CALL, _DEEPEST = 12, 6
_GOOD = 20000


@dataclass(frozen=True)
class Target:
    """One indicator: its name in the service (a pattern for the name without its unit) and the
    words of the branches that may hold it.
    """

    indicator_id: str
    name: str
    branch: str
    is_required: bool = False


@dataclass(frozen=True)
class Database:
    """One data base of the service: its number, the name of its root, how many places it has, and
    what is wanted.
    """

    code: int
    root: str
    n_places: int
    targets: tuple[Target, ...]


_ACCOUNTS, _PEOPLE = "核算|生产总值|综合", "人口|综合|就业|工资"
_TRADE = "贸易|零售|消费|收入|生活"
CITIES = Database(
    8,
    "主要城市",
    36,
    (
        Target("gdp_nominal_cny_100m", "地区生产总值|国内生产总值", _ACCOUNTS, is_required=True),
        Target("value_added_primary_cny_100m", "第一产业增加值", _ACCOUNTS),
        Target("value_added_secondary_cny_100m", "第二产业增加值", _ACCOUNTS),
        Target("value_added_tertiary_cny_100m", "第三产业增加值", _ACCOUNTS),
        Target("population_registered_10k", "年末户籍人口|年末户籍总人口", _PEOPLE),
        Target("wage_avg_cny", "(城镇非私营单位)?在岗职工平均工资", _PEOPLE),
        Target(
            "fiscal_revenue_cny_100m", "地方(财政)?一般公共预算收入|地方财政一般预算内?收入", "财政"
        ),
        Target(
            "fiscal_expenditure_cny_100m",
            "地方(财政)?一般公共预算支出|地方财政一般预算内?支出",
            "财政",
        ),
        Target("retail_sales_cny_100m", "社会(消费品|商品)零售总额", _TRADE),
        Target("disposable_income_cny", "(全体)?居民人均可支配收入", _TRADE),
        Target("disposable_income_urban_cny", "城镇(常住)?居民人均可支配收入", _TRADE),
        Target("disposable_income_rural_cny", "农村(常住)?居民人均可支配收入", _TRADE),
        Target("parcels_10k", "快递(业务)?量", "邮电|邮政|运输"),
        Target("students_college_10k", "普通高等学校在校学生数|普通本专科在校学生数", "教育"),
    ),
)
PROVINCES = Database(
    6,
    "分省|省",
    31,
    (Target("cpi_prev_year_100", r"居民消费价格指数(\(上年=100\))?", "价格", is_required=True),),
)


Data = TypeVar("Data")


class Reply(BaseModel, Generic[Data]):
    """A reply that holds what was asked for alone."""

    data: Data


class Identified(BaseModel):
    """Something that is asked for by its id, such as a catalog of places."""

    id: str = Field(alias="_id", min_length=1)


class Node(Identified):
    """A category."""

    name: str
    is_leaf: bool = Field(alias="isLeaf", default=False)


class Listed(Identified):
    """An indicator of a leaf."""

    name: str = Field(alias="i_showname")
    unit: str | None = Field(alias="du_name", default=None)


class _Listing(BaseModel):
    list: list[Listed]


class Place(BaseModel):
    """A place: twelve digits and a name."""

    code: str = Field(alias="name_value", pattern="^[0-9]{12}$")
    name: str = Field(alias="show_name", min_length=1)


class Cell(BaseModel):
    """A value; the place is `da` where several indicators were asked for."""

    id: str = Field(alias="_id")
    value: str | float | int | None = None
    unit: str | None = Field(alias="du_name", default=None)
    place: str = Field(alias="da")
    place_name: str = Field(alias="da_name")


class Period(BaseModel):
    """A year and its values."""

    code: str = Field(pattern="^[0-9]{4}YY$")
    values: list[Cell]


class Values(BaseModel):
    """The reply with values."""

    state: int
    data: list[Period]


#: An indicator of a leaf, and what is wanted of it.
_Found = tuple[Listed, Target]


def fetch(service: Service, last_year: int) -> Iterator[FetchedValue]:
    """All wanted values of cities and provinces.

    Raises
    ------
    IngestError
        The service refuses, or a required indicator is not found under any name.
    """
    for database in (CITIES, PROVINCES):
        yield from _fetch_database(service, database, last_year)


def _fetch_database(service: Service, database: Database, last_year: int) -> Iterator[FetchedValue]:
    root = _root(service, database)
    for leaf_id, wanted in _find_targets(service, database, root).items():
        catalog, places = _places(service, leaf_id, database)
        for first in range(0, len(places), _PLACES_A_CALL):
            some = places[first : first + _PLACES_A_CALL]
            yield from _values(service, root, leaf_id, catalog, wanted, some, last_year)


def _children(service: Service, parent: str, database: Database) -> list[Node]:
    request = Request("GET", "new/queryIndexTreeAsync", {"pid": parent, "code": str(database.code)})
    return service.ask(request, Reply[list[Node]]).data


def _root(service: Service, database: Database) -> Node:
    roots = _children(service, "", database)
    named = [node for node in roots if re.search(database.root, node.name)]
    if len(named) == 1 or len(roots) == 1:
        return (named or roots)[0]
    shown = ", ".join(node.name for node in roots) or "none"
    raise IngestError(
        f"database {database.code}: expected one root called {database.root}; found {shown}; the "
        f"tree has changed: {BY_HAND}"
    )


def _find_targets(service: Service, database: Database, root: Node) -> dict[str, list[_Found]]:
    """Return every wanted indicator by the id of its leaf, in the branches whose names speak
    of it.
    """
    left = list(database.targets)
    found: dict[str, list[_Found]] = {}
    branches = [
        node
        for node in _children(service, root.id, database)
        if any(re.search(target.branch, node.name) for target in left)
    ]
    for leaf in _leaves(service, database, branches):
        for listed, target in _wanted(service, leaf, left):
            found.setdefault(leaf.id, []).append((listed, target))
            left.remove(target)
        if not left:
            return found
    missing = [target.name for target in left if target.is_required]
    if missing:
        raise IngestError(
            f"{root.name}: expected the indicator {', '.join(missing)}; found it under no "
            f"category; {BY_HAND}"
        )
    names = ", ".join(target.indicator_id for target in left)
    service.say(f"{root.name}: not found by name, left out: {names}")
    return found


def _leaves(
    service: Service, database: Database, nodes: Sequence[Node], depth: int = 0
) -> Iterator[Node]:
    for node in nodes:
        if node.is_leaf:
            yield node
        elif depth < _DEEPEST:
            below = _children(service, node.id, database)
            yield from _leaves(service, database, below, depth + 1)


def _wanted(service: Service, leaf: Node, targets: Sequence[Target]) -> list[_Found]:
    """Wanted indicators of a leaf; an indicator whose name fits two of them is a fault of ours and
    taken by the first.
    """
    request = Request("GET", "new/queryIndicatorsByCid", {"cid": leaf.id, "dt": "", "name": ""})
    listed = service.ask(request, Reply[_Listing]).data.list
    found, taken = [], set()
    for one in listed:
        name, _ = split_name(one.name)
        target = next(
            (
                target
                for target in targets
                if target.indicator_id not in taken and re.fullmatch(target.name, name)
            ),
            None,
        )
        if target is not None:
            taken.add(target.indicator_id)
            found.append((one, target))
    return found


def split_name(text: str) -> tuple[str, str | None]:
    """Return the name and unit of ``地区生产总值(亿元)``; a bracket with a sign of equality,
    such as ``(上年=100)``, is of the name.
    """
    plain = text.replace("（", "(").replace("）", ")").replace(" ", "")
    match = re.fullmatch(r"(.+)\(([^()=]+)\)", plain)
    return (match.group(1), match.group(2)) if match else (plain, None)


def _places(service: Service, leaf_id: str, database: Database) -> tuple[str, list[Place]]:
    catalogs = service.ask(
        Request("GET", "getDaCatalogTreeByIndicatorCid", {"indicatorCid": leaf_id}),
        Reply[list[Identified]],
    ).data
    for catalog in catalogs:
        places = service.ask(
            Request("GET", "getDasByDaCatalogId", {"daCid": catalog.id}), Reply[list[Place]]
        ).data
        if len(places) >= database.n_places:
            return catalog.id, sorted(places, key=lambda place: place.code)
    raise IngestError(
        f"{leaf_id}: expected a catalog of {database.n_places} places; found {len(catalogs)} "
        f"catalogs, none so long; {BY_HAND}"
    )


def _values(
    service: Service,
    root: Node,
    leaf_id: str,
    catalog: str,
    wanted: Sequence[_Found],
    places: Sequence[Place],
    last_year: int,
) -> Iterator[FetchedValue]:
    body = {
        "cid": leaf_id,
        "indicatorIds": [listed.id for listed, _ in wanted],
        "daCatalogId": catalog,
        "das": [{"text": place.name, "value": place.code} for place in places],
        "showType": "1",
        "dts": [f"{FIRST_YEAR}YY-{last_year}YY"],
        "rootId": root.id,
    }
    reply = service.ask(Request("POST", "stream/esData", {}, body), Values)
    if reply.state != _GOOD:
        raise IngestError(
            f"{service.base}stream/esData: expected state {_GOOD}; found {reply.state}; the "
            f"service refuses: {BY_HAND}"
        )
    targets = {listed.id: (listed, target) for listed, target in wanted}
    asked = {place.code for place in places}
    for period in reply.data:
        for cell in period.values:
            if cell.place not in asked or cell.id not in targets:
                raise IngestError(
                    f"{leaf_id}: expected the places and indicators asked for; found "
                    f"{cell.place_name} and {cell.id}; {BY_HAND}"
                )
            listed, target = targets[cell.id]
            unit = cell.unit or listed.unit or split_name(listed.name)[1] or ""
            text = "" if cell.value is None else str(cell.value)
            yield FetchedValue(
                cell.place,
                cell.place_name,
                period.code[:4],
                target.indicator_id,
                text,
                _unit(unit),
            )


def _unit(text: str) -> str:
    """Return the unit as the seeds spell it; an index has none."""
    return "" if re.fullmatch(r"(上年=100|%|指数)?", text) else text
