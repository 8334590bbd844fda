"""What the marts must hold, by literal loops over plain Python numbers: no SQL, no array
library.
"""

import itertools
import math
from datetime import date
from statistics import median

from warehouse.ingest.place_names import read_seed

WINDOW = range(2010, 2020)
TIE_YEARS = range(2010, 2015)
EARTH_RADIUS_KM = 6371.0088


def haversine(lon_1: float, lat_1: float, lon_2: float, lat_2: float) -> float:
    """Great-circle distance by the spherical law of cosines: another formula than the
    models use.
    """
    a, b = math.radians(lat_1), math.radians(lat_2)
    cosine = math.sin(a) * math.sin(b) + math.cos(a) * math.cos(b) * math.cos(
        math.radians(lon_2 - lon_1)
    )
    return EARTH_RADIUS_KM * math.acos(min(1.0, cosine))


def standardise(values: list[float]) -> list[float]:
    mean = sum(values) / len(values)
    sd = math.sqrt(sum((v - mean) ** 2 for v in values) / len(values))
    return [(v - mean) / sd for v in values]


def pearson(x: list[float], y: list[float]) -> float:
    return sum(a * b for a, b in zip(standardise(x), standardise(y), strict=True)) / len(x)


def pair_measures(d_i: list[float], d_j: list[float]) -> list[dict[str, float]]:
    """The definitions of docs/methods, section 3, one number at a time, for each year."""
    n_years, found = len(d_i), []
    for own, other, a, b in zip(d_i, d_j, standardise(d_i), standardise(d_j), strict=True):
        cm = 1 - (a - b) ** 2 / 2
        clipped = min(max(cm, 3 - 2 * n_years + 1e-6), 1 - 1e-6)
        found.append(
            {
                "cm": cm,
                "comove": a * b,
                "dispersion": 1 - (a**2 + b**2) / 2,
                "cm_bounded": 0.5 * math.log((1 + clipped / (2 * n_years - 3)) / (1 - clipped)),
                "neg_abs_gap": -abs(own - other),
                "neg_abs_residual": -abs((own - sum(d_i) / n_years) - (other - sum(d_j) / n_years)),
            }
        )
    return found


def mean_over(values: dict[int, float], years) -> float | None:
    delivered = [values[year] for year in years if year in values]
    return sum(delivered) / len(delivered) if len(delivered) >= 3 else None


def treated_years(rule: str) -> dict[int, int]:
    years: dict[int, int] = {}
    for zone in read_seed("pilot_zones"):
        if zone["is_whole_prefecture"] != "true":
            continue
        approved = date.fromisoformat(zone["approval_date"])
        year = approved.year + (1 if rule == "second_half_next_year" and approved.month >= 7 else 0)
        city = int(zone["city_id"])
        years[city] = min(year, years.get(city, year))
    return {city: year for city, year in years.items() if year <= max(WINDOW)}


class Reference:
    """The study on raw rows in which every source agrees on what is current:

    `values[indicator][city][year]`.
    """

    def __init__(self, values: dict[str, dict[int, dict[int, float]]]):
        self.values = values
        rates = values["gdp_growth_official_pct"]
        self.growth = {
            c: {y: 100 * math.log(1 + v / 100) for y, v in years.items()}
            for c, years in rates.items()
        }
        self.deflated = {c: self._deflated(c) for c in values["gdp_nominal_cny_100m"]}
        self.cities = sorted(values["gdp_nominal_cny_100m"])
        self.places = {int(c["city_id"]): c for c in read_seed("city_roster")}

    def _deflated(self, city: int) -> dict[int, float]:
        nominal = self.values["gdp_nominal_cny_100m"][city]
        prices = self.values["cpi_prev_year_100"][city // 10000 * 10000]
        return {
            y: 100 * (math.log(v / nominal[y - 1]) - math.log(prices[y] / 100))
            for y, v in nominal.items()
            if y - 1 in nominal and y in prices
        }

    def is_complete(self, city: int, series: dict[int, dict[int, float]]) -> bool:
        return all(y in series.get(city, {}) for y in WINDOW)

    def measures(
        self, i: int, j: int, series: dict[int, dict[int, float]]
    ) -> dict[int, dict[str, float]]:
        """Measures of a pair of complete cities, by year."""
        d_i, d_j = ([series[c][y] for y in WINDOW] for c in (i, j))
        return dict(zip(WINDOW, pair_measures(d_i, d_j), strict=True))

    def rolling(self, i: int, j: int, year: int) -> float:
        five = range(year - 4, year + 1)
        return pearson([self.growth[i][y] for y in five], [self.growth[j][y] for y in five])

    def tie_means(self, city: int) -> tuple[float | None, float | None, float | None]:
        resident = mean_over(self.values["population_resident_10k"].get(city, {}), TIE_YEARS)
        registered = mean_over(self.values["population_registered_10k"].get(city, {}), TIE_YEARS)
        nominal = mean_over(self.values["gdp_nominal_cny_100m"][city], TIE_YEARS)
        area = mean_over(self.values["area_km2"].get(city, {}), TIE_YEARS)
        return (registered if resident is None else resident), nominal, area

    def distance(self, i: int, j: int) -> float:
        a, b = self.places[i], self.places[j]
        return haversine(
            float(a["lon_deg"]), float(a["lat_deg"]), float(b["lon_deg"]), float(b["lat_deg"])
        )

    def tie(self, i: int, j: int) -> float | None:
        (p_i, g_i, _), (p_j, g_j, _) = self.tie_means(i), self.tie_means(j)
        if None in (p_i, g_i, p_j, g_j):
            return None
        base = math.sqrt(p_i * g_i * p_j * g_j) / self.distance(i, j) ** 2
        return base * (g_i / (g_i + g_j)) + base * (g_j / (g_i + g_j))

    def four_factor(self, i: int, j: int) -> float | None:
        product = 1.0
        for city in (i, j):
            factors = (*self.tie_means(city), float(self.places[city]["admin_rank"]))
            if None in factors:
                return None
            product *= math.prod(factors) ** 0.25
        return product / self.distance(i, j) ** 2

    def pairs(self, rule: str) -> dict[tuple[int, int], dict[str, object]]:
        """Exposure, cohort and tie of every pair, with the median taken over one and none pairs of
        complete cities.
        """
        years = treated_years(rule)
        found = {}
        for i, j in itertools.combinations(self.cities, 2):
            pilots = [years[c] for c in (i, j) if c in years]
            found[i, j] = {
                "exposure": ("none", "one", "both")[len(pilots)],
                "cohort_year": pilots[0] if len(pilots) == 1 else None,
                "tie": self.tie(i, j),
                "balanced": self.is_complete(i, self.growth) and self.is_complete(j, self.growth),
            }
        compared = [
            p["tie"]
            for p in found.values()
            if p["balanced"] and p["exposure"] != "both" and p["tie"] is not None
        ]
        for pair in found.values():
            is_comparable = pair["exposure"] != "both" and pair["tie"] is not None
            pair["strong"] = pair["tie"] > median(compared) if is_comparable else None
        return found
