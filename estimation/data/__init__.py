"""Data sets that come with the library: country pairs and the euro, from the Penn World Table 9.1
(CC BY 4.0), and the cities of the primary test (see README.md beside).
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, overload

if TYPE_CHECKING:
    import pandas as pd

COUNTRIES = "euro_countries.csv"
ZONES = "zones.csv"
FIRST_YEAR, LAST_YEAR = 1980, 2017


@overload
def euro_countries(backend: Literal["", "pandas"] = ...) -> pd.DataFrame: ...
@overload
def euro_countries(backend: str) -> Any: ...
def euro_countries(backend: str = "") -> Any:
    """Countries of the European Union and the OECD in a year, 1970 to 2017.

    Parameters
    ----------
    backend : str
        ``pandas``, ``polars`` or ``pyarrow``; empty: pandas.

    Returns
    -------
    frame
        iso, country, region (United Nations' sub-region), euro_year (first year with the euro;
        blank = not before 2018), year, gdp_real_usd_million (constant national prices of 2011),
        population_million, growth (of real GDP, log points times 100; blank in a country's first
        year).

    Notes
    -----
    Penn World Table 9.1, CC BY 4.0: Feenstra, Inklaar and Timmer 2015, American Economic Review
    105(10):3150-3182.

    Examples
    --------
    >>> cs.data.euro_countries()["iso"].nunique()
    41
    """
    from .pairs import read_countries

    return _as_frame(read_countries(files(__package__) / COUNTRIES), backend)


@overload
def euro(
    backend: Literal["", "pandas"] = ..., *, first_year: int = ..., last_year: int = ...
) -> pd.DataFrame: ...
@overload
def euro(backend: str, *, first_year: int = ..., last_year: int = ...) -> Any: ...
def euro(backend: str = "", *, first_year: int = FIRST_YEAR, last_year: int = LAST_YEAR) -> Any:
    """Return pairs of these countries in a year, with two measures of the synchronization of their
    growth.

    Parameters
    ----------
    backend : str
        As `euro_countries`.
    first_year, last_year : int
        Window, within 1971 to 2017; countries without growth in all its years are left out. From
        1991 on all 41 are in.

    Returns
    -------
    frame
        iso_a, iso_b (iso_a < iso_b), year, euro_a, euro_b (first year with the euro of each, blank
        = not before 2018), region_a, region_b; cm (mean over the window = correlation of the two
        countries' growth; Cerqueira and Martins 2009) and neg_abs_gap (minus the absolute
        difference of growth; Kalemli-Ozcan, Papaioannou and Peydro 2013).

    Raises
    ------
    PanelError
        If the window lies outside 1971 to 2017 or has under three years.

    Examples
    --------
    >>> cs.data.euro().columns.tolist()
    ['iso_a', 'iso_b', 'year', 'euro_a', 'euro_b', 'region_a', 'region_b', 'cm', 'neg_abs_gap']
    """
    from .pairs import build_pairs, read_countries

    countries = read_countries(files(__package__) / COUNTRIES)
    return _as_frame(build_pairs(countries, first_year, last_year), backend)


def zones(backend: str = "") -> Any:
    """Return what suffices of the growth of China's cities, with their pilot zones, for the
    estimate, interval and p of this project's primary test, and gives away no growth.

    Parameters
    ----------
    backend : str
        As `euro_countries`.

    Returns
    -------
    frame
        A row for each stand-in and period between first treated years of its province: stand_in
        (there are as many as cities), block_id (province), cohort_year (first treated year in the
        window; blank = none), year (the period's first), n_years (its length), synchronization
        (what the test uses of y of docs/methods, section 18.1, of growth; three decimals).

    Notes
    -----
    The stand-ins of a province and first treated year have the mean of its cities, so a city that
    is alone there is itself. How others differ from the mean is drawn.

    ``cs.primary(cs.data.zones(), "synchronization", unit="stand_in", length="n_years")`` prints the
    change, its interval and its p. The p of both series and what could have been found need the
    cycle, too, and are in the publication. The file's first line names the run that it is from.
    What it gives away of growth was attacked: docs/data-licences.md.

    Examples
    --------
    >>> zones = cs.data.zones()
    >>> cs.primary(zones, "synchronization", unit="stand_in", length="n_years").result.n_cities
    296
    """
    import pandas as pd

    rows = pd.read_csv(files(__package__) / ZONES, dtype={"cohort_year": "Int64"}, comment="#")
    return _as_frame(rows, backend)


def _as_frame(frame: Any, backend: str) -> Any:
    from ..panel.columns import as_frame

    return as_frame(frame.astype(object).where(frame.notna(), None).to_dict("list"), backend)
