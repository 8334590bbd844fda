"""What the marts must hold, by literal loops over plain Python numbers: no SQL, no array
library.
"""

import math

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

    def _deflated(self, city: int) -> dict[int, float]:
        nominal = self.values["gdp_nominal_cny_100m"][city]
        prices = self.values["cpi_prev_year_100"][city // 10000 * 10000]
        return {
            y: 100 * (math.log(v / nominal[y - 1]) - math.log(prices[y] / 100))
            for y, v in nominal.items()
            if y - 1 in nominal and y in prices
        }

    def tie_means(self, city: int) -> dict[str, float | None]:
        """Means over the years before any zone, of at least three."""
        nominal = self.values["gdp_nominal_cny_100m"][city]
        people = self.values["population_resident_10k"].get(city)
        if people is None:
            people = self.values["population_registered_10k"][city]
        per_head = {y: math.log(v / people[y] * 10000) for y, v in nominal.items() if y in people}
        return {
            "population_10k": mean_over(people, TIE_YEARS),
            "gdp_nominal_cny_100m": mean_over(nominal, TIE_YEARS),
            "area_km2": mean_over(self.values["area_km2"][city], TIE_YEARS),
            "ln_gdp_per_capita": mean_over(per_head, TIE_YEARS),
        }
