"""The World Bank's open data: the official exchange rate, yuan per US dollar, annual average."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, Field

from warehouse.ingest.errors import IngestError
from warehouse.ingest.fetching.editions import Request
from warehouse.ingest.fetching.service import Service
from warehouse.ingest.fetching.tidy_file import FetchedValue
from warehouse.ingest.place_names import read_seed

NAME = "world_bank"
BASE = "https://api.worldbank.org/v2/"
BY_HAND = (
    "open https://data.worldbank.org/indicator/PA.NUS.FCRF?locations=CN, download the CSV, and "
    "write its row for China into a file of the "
    "source tidy (city_id 100000, year, indicator_id exchange_rate_cny_per_usd, value)"
)
SERIES, INDICATOR = "PA.NUS.FCRF", "exchange_rate_cny_per_usd"
_A_PAGE = 500


class Page(BaseModel):
    """How many pages there are."""

    pages: int


class Series(BaseModel):
    """What a value is of."""

    id: str


class Entry(BaseModel):
    """A value of a year."""

    indicator: Series
    country: str = Field(alias="countryiso3code")
    date: str = Field(pattern="^[0-9]{4}$")
    value: float | None


Reply = tuple[Page, list[Entry]]


def fetch(service: Service, last_year: int) -> Iterator[FetchedValue]:
    """The exchange rate of China.

    Raises
    ------
    IngestError
        The service refuses; another country or series comes than was asked for; or a rate that is
        none.
    """
    (row,) = [row for row in read_seed("indicator_catalog") if row["indicator_id"] == INDICATOR]
    lowest, highest = float(row["min_value"]), float(row["max_value"])
    years: set[str] = set()
    number = n_pages = 1
    while number <= n_pages:
        params = {
            "format": "json",
            "per_page": str(_A_PAGE),
            "page": str(number),
            "date": f"1980:{last_year}",
        }
        page, entries = service.ask(
            Request("GET", f"country/CHN/indicator/{SERIES}", params), Reply
        )
        for entry in entries:
            if entry.country != "CHN" or entry.indicator.id != SERIES:
                raise IngestError(
                    f"{SERIES}: expected China's series; found {entry.indicator.id} of "
                    f"{entry.country}; {BY_HAND}"
                )
            if entry.value is None:
                continue
            if not lowest <= entry.value <= highest or entry.date in years:
                raise IngestError(
                    f"{SERIES}: expected one rate a year from {lowest:g} to {highest:g}; found "
                    f"{entry.value!r} of {entry.date}; {BY_HAND}"
                )
            years.add(entry.date)
            text = repr(entry.value)
            yield FetchedValue("100000", "中国", entry.date, INDICATOR, text, "")
        number, n_pages = number + 1, page.pages
