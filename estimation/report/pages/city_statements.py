"""What the page of a city states of its zones, of the main test and of its growth, made from the
tables in one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from ..cells import Row
from .context import Context


@dataclass(frozen=True)
class Statement:
    """A sentence in the language of the page.

    Attributes
    ----------
    kind : what it states, the same in every language
    text : the sentence
    """

    kind: str
    text: str


@dataclass(frozen=True)
class CityStatements:
    """What the page of one city states.

    Attributes
    ----------
    zones : of the zones that make it a treated city, then of those inside it; one at least
    test : whether the main test counts it, and as what, or why not; empty where no test was run
    growth : why no growth is shown; None where it is
    basis : in which years growth that is shown changes its basis; None where it never does
    admitted : year in which all of it first became a zone; None where it never did
    strip : each year of the main test with whether growth is known; empty where no year is missing
    """

    zones: list[Statement]
    test: list[Statement]
    growth: Statement | None
    basis: Statement | None
    admitted: int | None
    strip: list[tuple[int, bool]]


def city_statements(page: Context, city: Row) -> CityStatements:
    """Return what the page of a city states.

    Parameters
    ----------
    page : data and words
    city : a row of the query `cities`
    """
    zones = zones_of(page, city)
    whole = [int(zone["approval_date"][:4]) for zone in zones if zone["is_whole_prefecture"]]
    return CityStatements(
        zones=_zone_statements(page, city, zones),
        test=_test_statements(page, city, zones),
        growth=_growth_statement(page, city),
        basis=_basis_statement(page, city),
        admitted=min(whole, default=None),
        strip=_strip(page, city),
    )


def zones_of(page: Context, city: Row) -> list[Row]:
    """Return the zones of a city by date: its own, those inside it, those of its province."""
    codes = sorted({int(city["city_id"]), int(city["province_id"])})
    found = chain.from_iterable(page.some("zones", city_id=code) for code in codes)
    return sorted(found, key=lambda zone: (zone["approval_date"], zone["zone_name_zh"]))


def zone_kind(city: Row, zone: Row) -> str:
    """Return how a zone concerns a city: `whole`, `inside` or `province`, and `_ended` where it was
    revoked.
    """
    if not zone["is_whole_prefecture"]:
        kind = "inside"
    elif zone["city_id"] == city["city_id"]:
        kind = "whole"
    else:
        kind = "province"
    return kind if zone["revoked_date"] is None else f"{kind}_ended"


def zone_name(page: Context, zone: Row) -> str:
    """Return the name of a zone in the language of the page, else the Chinese one."""
    english = zone["zone_name_en"]
    if page.words.language == "en" and english:
        return str(english)
    return str(zone["zone_name_zh"])


def _zone_statements(page: Context, city: Row, zones: list[Row]) -> list[Statement]:
    if not zones:
        return [_statement(page, city, "no_zone")]
    whole = [zone for zone in zones if zone["is_whole_prefecture"]]
    inside = [zone for zone in zones if not zone["is_whole_prefecture"]]
    said = []
    if not whole:
        said.append(_statement(page, city, "no_zone_of_its_own"))
    for zone in whole + inside:
        said.append(
            _statement(
                page,
                city,
                f"zone_{zone_kind(city, zone)}",
                name=zone_name(page, zone),
                date=zone["approval_date"],
                ended=zone["revoked_date"],
            )
        )
    return said


def _test_statements(page: Context, city: Row, zones: list[Row]) -> list[Statement]:
    row = page.one("city_test", city_id=city["city_id"])
    if row is None:
        return []
    window = {"first": int(row["first_year"]), "last": int(row["last_year"])}
    if row["missing_years"]:
        missing = _spans(page, [int(year) for year in row["missing_years"].split()])
        return [_statement(page, city, "test_missing", missing=missing, **window)]
    treated = row["treated_year"]
    if treated is not None and treated <= row["last_year"]:
        said = [_statement(page, city, "test_with", year=int(treated), **window)]
    elif treated is not None:
        said = [_statement(page, city, "test_without_later", year=int(treated), **window)]
    elif zones:
        said = [_statement(page, city, "test_without_inside", **window)]
    else:
        said = [_statement(page, city, "test_without", **window)]
    if row["n_in_province"] == 1:
        said.append(_statement(page, city, "test_alone"))
    return said


def _strip(page: Context, city: Row) -> list[tuple[int, bool]]:
    row = page.one("city_test", city_id=city["city_id"])
    if row is None or not row["missing_years"]:
        return []
    missing = {int(year) for year in row["missing_years"].split()}
    window = range(int(row["first_year"]), int(row["last_year"]) + 1)
    return [(year, year not in missing) for year in window]


def _growth_statement(page: Context, city: Row) -> Statement | None:
    if page.one("grown", city_id=city["city_id"]) is None:
        return _statement(page, city, "growth_unknown")
    if page.is_public:
        return _statement(page, city, "growth_withheld")
    return None


def _basis_statement(page: Context, city: Row) -> Statement | None:
    rows = page.some("growth_basis", city_id=city["city_id"])
    if page.is_public or not rows:
        return None
    changes = []
    for row in rows:
        before = page.words.plain(f"city.basis_{row['basis_before']}")
        after = page.words.plain(f"city.basis_{row['basis']}")
        year = int(row["year"])
        changes.append(page.words.plain("city.basis_change", year=year, before=before, after=after))
    joined = page.words.plain("label.chinese_semicolon").join(changes)
    return _statement(page, city, "growth_basis_changes", changes=joined)


def _statement(page: Context, city: Row, kind: str, **values: object) -> Statement:
    names = {"city": page.words.place(city), "province": page.words.place(city, "province")}
    return Statement(kind, page.words.plain(f"city.{kind}", **names, **values))


def _spans(page: Context, years: list[int]) -> str:
    """Return ascending years as text, consecutive ones as a span: `2010–2012, 2015`."""
    spans: list[list[int]] = []
    for year in years:
        if spans and year == spans[-1][1] + 1:
            spans[-1][1] = year
        else:
            spans.append([year, year])
    texts = []
    for first, last in spans:
        if first == last:
            texts.append(str(first))
        else:
            texts.append(page.words.plain("city.years_between", first=first, last=last))
    return page.words.plain("city.comma").join(texts)
