"""The clean landings: simulated as it is, delivered files after everything that the rules block was
taken out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.quality.plan import Target
from benchmarks.quality.views import Cities, View, build_view
from benchmarks.quality.warehouse import Bench, cell_keys, read_graded, with_columns
from orchestration.home import REPO
from warehouse.ingest.landing import read_landing
from warehouse.ingest.layouts import load_layouts
from warehouse.ingest.simulation.landing import write_simulated_landing

SEEDS = REPO / "warehouse" / "seeds"
GDP, POPULATION, GROWTH = (
    "gdp_nominal_cny_100m",
    "population_registered_10k",
    "gdp_growth_official_pct",
)
INDEX = "gdp_index_prev_year_100"
# Indicators of each kind that have no threshold of their own.
BY_KIND = (
    "patents_granted",
    "fiscal_revenue_cny_100m",
    "employed_education_10k",
    "gdp_share_tertiary_pct",
)
# What a value without a defect may be called in error.
FLAGS = ("blocked", "quarantined", "warned")
FAMILY = {GDP: "level", POPULATION: "level", GROWTH: "growth"} | dict.fromkeys(BY_KIND, "kind")


@dataclass(frozen=True)
class Setting:
    """What takes part.

    Attributes
    ----------
    sources : by indicator, the sources that speak of it; the first alone where there is one source.
    partners : by indicator and source, whose column stands beside it in a row.
    parts : by indicator, what a statistical office restates with it, in proportion (1) or inversely
    (-1).
    left_out : sources that the runs with defects do without, because they say nothing of these
    indicators.
    """

    sources: Mapping[str, Sequence[str]]
    partners: Mapping[tuple[str, str], str]
    parts: Mapping[str, Mapping[str, int]]
    left_out: Sequence[str] = ()


SECTORS = dict.fromkeys(
    (f"value_added_{sector}_cny_100m" for sector in ("primary", "secondary", "tertiary")), 1
)
PARTS = {
    GDP: SECTORS | {"gdp_per_capita_cny": 1, "financial_development_delivered_ratio": -1},
    POPULATION: {"gdp_per_capita_cny": -1, "population_density_per_km2": 1},
}
# Beginnings of the indicators that the runs with defects keep, since rules hold them against the
# disturbed ones: parts, ratios, sizes; and total employment, whose copied errors tell which sources
# are related.
CONTEXT = (
    *("gdp", "value_added", "population", "area", "cpi", "loans", "deposits"),
    *("financial_development", "employed_10k", "wage", "employees", "patents", "fiscal"),
)
SETTINGS = {
    "simulated": Setting(
        {
            GDP: ("sim_wide_panel", "sim_indicator_sheets"),
            POPULATION: ("sim_wide_panel", "sim_indicator_sheets"),
            GROWTH: ("sim_wide_panel",),
            "employed_education_10k": ("tidy",),
        },
        {
            (GDP, "sim_wide_panel"): "value_added_tertiary_cny_100m",
            (POPULATION, "sim_wide_panel"): "fdi_usd_1m",
            (GROWTH, "sim_wide_panel"): GDP,
        },
        PARTS,
    ),
    "real": Setting(
        {
            GDP: ("csmar_region", "finance_loans"),
            POPULATION: ("csmar_region", "yearbook_merged"),
            GROWTH: ("csmar_region",),
            "patents_granted": ("patents",),
            "fiscal_revenue_cny_100m": ("urban_investment",),
            "employed_education_10k": ("industry_employment",),
            "gdp_share_tertiary_pct": ("csmar_region",),
        },
        {
            (GDP, "csmar_region"): "value_added_tertiary_cny_100m",
            (GDP, "finance_loans"): "loans_cny_100m",
            (POPULATION, "csmar_region"): "employed_10k",
            (GROWTH, "csmar_region"): GDP,
        },
        PARTS,
        (
            "industry_structure",
            "road_area",
            "fdi",
            "exchange_rate",
            "yearbook_cnki",
            "nbs_major_cities",
        ),
    ),
}


@dataclass(frozen=True)
class Landing:
    """A landing that no rule objects to: its raw lines, its list of files, and the shares of flags
    before and after the cleaning.
    """

    name: str
    raw: pa.Table
    input_file: Path
    shares: dict[str, dict[str, float]]


def load_roster() -> Cities:
    """The cities of the seed."""
    return Cities.from_roster(pd.read_csv(SEEDS / "city_roster.csv"))


def read_clean_landing(bench: Bench, name: str, landing: Path | None) -> Landing:
    """Read a landing and take out what the rules block: the simulated one should lose nothing,
    delivered files their known defects.
    """
    raw, input_file = read_raw(name, landing, bench.home.root)
    graded = read_graded(bench.build("clean", raw, input_file))
    shares = {"as delivered": flag_shares(graded)}
    if name == "real":
        blocked = graded.loc[graded["quality_flag"] == "blocked", "key"]
        raw = raw.filter(pa.array(~pd.Series(cell_keys(raw)).isin(set(blocked)).to_numpy()))
        shares["blocked values taken out"] = flag_shares(
            read_graded(bench.build("clean", raw, input_file))
        )
    else:
        newest = pc.max(raw.column("edition_year")).as_py()
        raw = raw.filter(pc.fill_null(pc.greater_equal(raw.column("edition_year"), newest), True))
        raw = pa.concat_tables([raw, second_population(raw)])
    return Landing(name, raw, input_file, shares)


def read_raw(name: str, landing: Path | None, scratch: Path) -> tuple[pa.Table, Path]:
    """Raw lines of the simulated landing or of delivered files, and the list of files
    beside them.
    """
    if name == "simulated":
        roster, zones = (
            pd.read_csv(SEEDS / "city_roster.csv"),
            pd.read_csv(SEEDS / "pilot_zones.csv"),
        )
        write_simulated_landing(scratch / "simulated", roster=roster, pilot_zones=zones)
        landing = scratch / "simulated" / "with_effect"
    build = scratch / f"read_{name}"
    read_landing(landing, scratch / f"raw_{name}", build, layouts=load_layouts())
    files = sorted((build / "raw").glob("*.parquet"))
    return pa.concat_tables(
        [pq.read_table(path, partitioning=None) for path in files]
    ), build / "input_file.parquet"


def second_population(raw: pa.Table) -> pa.Table:
    """A second source of registered population for the simulated landing: first releases, off by up
    to 0.3 per cent in a fifth of cells.
    """
    copy = raw.filter(
        pc.and_(pc.equal(raw.column("indicator_id"), POPULATION), pc.is_null(raw.column("reason")))
    )
    rng = np.random.default_rng(20150307)
    revised = np.where(
        rng.random(copy.num_rows) < 0.2, rng.uniform(-0.003, 0.003, copy.num_rows), 0.0
    )
    value = (copy.column("value").to_numpy() * (1 + revised)).round(1)
    new = {
        "source_id": ["sim_indicator_sheets"] * copy.num_rows,
        "edition_year": [None] * copy.num_rows,
        "file_name": ["户籍人口.xlsx"] * copy.num_rows,
        "value": value.tolist(),
        "raw_text": [repr(float(v)) for v in value],
    }
    return with_columns(copy, new)


def restrict(raw: pa.Table, setting: Setting, n_sources: str) -> pa.Table:
    """Leave only the setting's sources of each indicator; the index of real growth counts as a
    second source of growth.
    """
    indicator, source = raw.column("indicator_id").to_pandas(), raw.column("source_id").to_pandas()
    kept = ~source.isin(setting.left_out) & (
        indicator.isna()
        | indicator.isin(setting.sources)
        | indicator.str.startswith(CONTEXT, na=False)
    )
    for indicator_id, sources in setting.sources.items():
        chosen = sources if n_sources == "two" else sources[:1]
        kept &= (indicator != indicator_id) | source.isin(chosen)
    if n_sources == "one":
        kept &= indicator != INDEX
    return raw.filter(pa.array(kept.to_numpy()))


def flag_shares(graded: pd.DataFrame) -> dict[str, float]:
    """Number of values about cities, and shares blocked, quarantined and warned."""
    flags = graded.loc[graded["place_level"] == "city", "quality_flag"]
    shares = {flag: float((flags == flag).mean()) for flag in FLAGS}
    return {"values": len(flags), **shares}


def list_places(about: pd.DataFrame, cities: Cities, raw: pa.Table) -> pd.DataFrame:
    """Each line about a city of the roster, with the texts by which its file names the city."""
    line = about["line"].to_numpy()
    row = np.searchsorted(cities.city_id, about["city_id"].to_numpy())
    texts = (
        raw.select(["file_name", "place_code_text", "place_text"]).take(pa.array(line)).to_pandas()
    )
    return texts.assign(line=line, row=row, source_id=about["source_id"].to_numpy())


def build_targets(
    setting: Setting, n_sources: str, graded: pd.DataFrame, keys: np.ndarray, raw: pa.Table
) -> list[Target]:
    """Views of the indicators on values that no rule objects to."""
    cities = load_roster()
    lines = pd.Series(np.arange(len(keys)), index=keys)
    about = graded[graded["place_level"] == "city"]
    about = about.assign(line=lines[~lines.index.duplicated()].reindex(about["key"]).to_numpy())
    places = list_places(about, cities, raw)
    sound = about[~about["quality_flag"].isin(["blocked", "quarantined"])]

    def view(source_id: str, indicator_id: str) -> View:
        chosen = sound[(sound["source_id"] == source_id) & (sound["indicator_id"] == indicator_id)]
        return build_view(source_id, chosen, cities)

    targets = []
    for indicator_id, sources in setting.sources.items():
        chosen = sources if n_sources == "two" else sources[:1]
        partners = {
            source: view(source, other)
            for (indicator, source), other in setting.partners.items()
            if indicator == indicator_id
        }
        powers = setting.parts.get(indicator_id, {})
        parts = {}
        for source in chosen:
            parts[source] = [(view(source, part), power) for part, power in powers.items()]
        views = [view(source, indicator_id) for source in chosen]
        targets.append(Target(indicator_id, FAMILY[indicator_id], views, partners, parts, places))
    return targets
