"""The simulated landing: its economy and what the effect touches, its cities, bytes that repeat,
that the shipped layouts take every figure of its files, and the tools of its texts.
"""

import filecmp
from collections import Counter
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from estimation.classify import classify_clauses
from warehouse.ingest.landing import read_landing
from warehouse.ingest.layouts import load_layouts
from warehouse.ingest.place_names import SEEDS
from warehouse.ingest.policy.documents import build_policy_document
from warehouse.ingest.raw_table import FileOrigin
from warehouse.ingest.simulation.cities import choose_cities, first_treated_years
from warehouse.ingest.simulation.economy import (
    PERSISTENCE,
    PlantedEffect,
    SimulatedEconomy,
    _autoregressive,
    national_cycle_pct,
    simulate_economies,
)
from warehouse.ingest.simulation.landing import write_simulated_landing
from warehouse.ingest.simulation.policy_texts import (
    EFFECTIVE_TOOLS,
    SENTENCES,
    draw_policy_tools,
    effective_intensity,
    write_simulated_policy_texts,
)

YEARS = np.arange(2003, 2024)


@pytest.fixture(scope="module")
def seeds() -> tuple[pd.DataFrame, pd.DataFrame]:
    return pd.read_csv(SEEDS / "city_roster.csv"), pd.read_csv(SEEDS / "pilot_zones.csv")


@pytest.fixture(scope="module")
def lasting(seeds) -> pd.DataFrame:
    roster = seeds[0]
    return roster[(roster.valid_from_year <= 2003) & roster.valid_to_year.isna()].reset_index(
        drop=True
    )


@pytest.mark.parametrize(
    (
        "city_id",
        "year",
        # December 2019 counts from 2020; Yiwu does not treat Jinhua, admitted in January 2022;
        # Beijing July 2018; Baoding came in 2025, Xingtai never
    ),
    [
        (330100, 2015),
        (310000, 2016),
        (110000, 2019),
        (320300, 2020),
        (330700, 2022),
        (441900, 2019),
        (222400, 0),
        (130600, 2025),
        (130500, 0),
    ],
)
def test_a_city_is_first_treated_by_the_rule_of_the_second_half(seeds, city_id, year):
    assert first_treated_years(np.array([city_id]), seeds[1]).tolist() == [year]


@pytest.mark.parametrize("n_cities", [40, 120])
def test_small_choice_keeps_pilots_and_provinces(seeds, n_cities):
    cities = choose_cities(*seeds, n_cities, 2003, 2023)
    treated = first_treated_years(cities.city_id.to_numpy(), seeds[1])
    assert len(cities) == n_cities == cities.city_id.nunique()
    assert cities.province_id.nunique() >= 20
    assert ((treated > 0) & (treated <= 2019)).sum() >= 12
    with pytest.raises(ValueError, match="n_cities must lie between 2 and"):
        choose_cities(*seeds, 1000, 2003, 2023)


@pytest.fixture(scope="module")
def landings(seeds, tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("simulated")
    for name in ("a", "b"):
        write_simulated_landing(folder / name, roster=seeds[0], pilot_zones=seeds[1], n_cities=30)
    return folder / "a", folder / "b"


def relative_files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_same_bytes_are_written_again(landings):
    first, second = landings
    names = relative_files(first)
    assert len([name for name in names if "policy_texts" not in name]) == 9
    assert filecmp.cmpfiles(first, second, names, shallow=False) == (names, [], [])


def test_what_answers_to_admission_is_what_the_docs_say(seeds, landings):
    tidy = [
        pd.read_csv(landings[0] / name / "tidy" / "observations_simulated.csv")
        for name in ("with_effect", "without_effect")
    ]
    keys = ["city_id", "year", "indicator_id"]
    both = tidy[0].merge(tidy[1], on=keys, suffixes=("", "_without"), validate="one_to_one")
    assert len(both) == len(tidy[0]) == len(tidy[1])
    first = first_treated_years(both.city_id.to_numpy(), seeds[1])
    admitted, differs = (first > 0) & (both.year >= first), both.value != both.value_without
    assert not (differs & ~admitted).any()
    assert set(both[differs].indicator_id) == {
        "fixed_investment_cny_100m",
        "patents_granted",
        "firms_new",
        "night_lights_nw_cm2_sr",
    }
    for indicator, rise in (("patents_granted", 0.2), ("firms_new", 0.15)):
        rows = both[admitted & (both.indicator_id == indicator)]
        assert np.log(rows.value / rows.value_without).median() == pytest.approx(rise, abs=0.01)


@pytest.fixture(scope="module")
def simulated(landings, tmp_path_factory) -> tuple[Path, pd.DataFrame]:
    """The landing, and its raw rows through the shipped layouts."""
    folder, landing = tmp_path_factory.mktemp("read"), landings[0] / "with_effect"
    read_landing(landing, folder / "raw", folder / "build", layouts=load_layouts(), strict=True)
    tables = [pq.read_table(file) for file in sorted((folder / "build" / "raw").glob("*.parquet"))]
    return landing, pa.concat_tables(tables).to_pandas()


def figures(path: Path, first_row: int, first_col: int) -> dict[tuple[str, str], float]:
    """Numbers of a workbook by sheet and cell, right of and below a corner, subtotal rows
    left out.
    """
    found = {}
    for sheet in openpyxl.load_workbook(path, data_only=True):
        for row in sheet.iter_rows(min_row=first_row):
            if any(isinstance(cell.value, str) and cell.value.endswith("合计") for cell in row):
                continue
            numbers = (cell for cell in row[first_col - 1 :] if isinstance(cell.value, int | float))
            found |= {(sheet.title, cell.coordinate): float(cell.value) for cell in numbers}
    return found


@pytest.mark.parametrize(
    ("path", "edition_year", "first_row", "first_col"),
    [
        ("sim_wide_panel/2023/城市统计面板_模拟.xlsx", 2023, 3, 4),
        ("sim_wide_panel/2024/城市统计面板_模拟.xlsx", 2024, 3, 4),
        ("sim_indicator_sheets/分指标数据_模拟.xlsx", None, 5, 2),
    ],
)
def test_every_figure_of_a_workbook_is_taken(simulated, path, edition_year, first_row, first_col):
    landing, raw = simulated
    source_id, _, file_name = path.partition("/")
    of_file = raw[raw["source_id"].eq(source_id) & raw["file_name"].eq(file_name)]
    taken = of_file[of_file["reason"].isna()]
    found = taken.set_index(["sheet_name", "cell_ref"])["value"].to_dict()
    assert found == figures(landing / path, first_row, first_col)
    assert set(taken["edition_year"].dropna()) == {edition_year} - {None}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("landing")
    tools = draw_policy_tools(pd.read_csv(SEEDS / "pilot_zones.csv"), seed=4, last_year=2019)
    write_simulated_policy_texts(folder, tools, seed=4)
    return folder, tools


def test_what_was_planted_is_read_back(written):
    folder, planted = written
    assert not draw_policy_tools(
        pd.read_csv(SEEDS / "pilot_zones.csv"), seed=5, last_year=2019
    ).equals(planted)
    files = sorted((folder / "policy_texts").iterdir())
    assert len(files) == len(planted) == 1 + 12 + 22 + 24
    clauses = []
    for nth, file in enumerate(files):
        truth = planted.iloc[nth]
        document = build_policy_document(
            file.read_bytes(), FileOrigin("policy_texts", None, file.name)
        ).to_pylist()[0]
        assert document["zone_texts"] == [truth.zone_name_zh.removesuffix("市")]
        assert document["issuer"] == f"{truth.zone_name_zh}人民政府"
        clauses += [
            (nth, clause["clause_text"])
            for clause in document["clauses"]
            if clause["clause_kind"] == "body" and clause["marker"]
        ]
    labels = classify_clauses([text for _, text in clauses])
    found = Counter((nth, tool) for (nth, _), (_, tool, _) in zip(clauses, labels, strict=True))
    assert {(nth, tool): found[nth, tool] for nth in range(len(files)) for tool in SENTENCES} == {
        (nth, tool): planted[tool].iloc[nth] for nth in range(len(files)) for tool in SENTENCES
    }


def test_intensity_follows_the_tools_that_work(written):
    planted = written[1]
    of_city = planted.drop_duplicates("city_id")
    intensity = effective_intensity([*of_city["city_id"], 999999], planted)
    tools = [*EFFECTIVE_TOOLS]
    mean = planted[tools].to_numpy().sum() / len(planted)
    assert intensity[-1] == 1.0
    assert intensity[:-1] == pytest.approx(of_city[tools].sum(axis=1).to_numpy() / mean)
    spread = of_city.assign(intensity=intensity[:-1]).groupby("issue_year")["intensity"].std()
    assert (spread.drop(2015) > 0.3).all()


def simulate(
    cities: pd.DataFrame,
    zones: pd.DataFrame,
    seed: int,
    effect: PlantedEffect | None = None,
    intensity: np.ndarray | None = None,
) -> SimulatedEconomy:
    """Growth with and without the effect, by default that of the default landing."""
    return simulate_economies(
        province=cities.province_id.to_numpy(),
        region=cities.region.to_numpy(dtype=object).astype(str),
        treated_year=first_treated_years(cities.city_id.to_numpy(), zones),
        years=YEARS,
        effect=effect or PlantedEffect(),
        rng=np.random.default_rng(seed),
        intensity=intensity,
    )


@pytest.mark.parametrize(("fall", "rise"), [(0.6, 0.0), (0.0, 0.4), (0.85, 0.2)])
def test_both_channels_have_the_size_that_was_planted(seeds, lasting, fall, rise):
    """By brute force from growth alone: growth with the effect on growth without it and the
    national cycle.

    On a treated year growth with = systematic + own * root(1 - fall) + rise * cycle, growth without
    = systematic + own: the difference is (root(1 - fall) - 1) * own + rise * cycle, and own shocks
    have mean zero over many city-years.
    """
    economies = [
        simulate(lasting, seeds[1], seed, PlantedEffect(fall, rise, tools_share=0.0))
        for seed in range(20)
    ]
    quiet = [
        simulate(lasting, seeds[1], seed, PlantedEffect(0.75, 0.0, tools_share=0.0))
        for seed in range(20)
    ]
    cycle = national_cycle_pct(YEARS)
    own_with, own_without, slopes = [], [], []
    for economy, halved in zip(economies, quiet, strict=True):
        treated, change = economy.is_treated, economy.growth_with_pct - economy.growth_without_pct
        assert ((change != 0) == treated).all() and treated.any()
        wave = np.broadcast_to(cycle, treated.shape)[treated]
        # variance less by three quarters halves the own shock: the difference is minus half of it
        own = 2.0 * (economy.growth_without_pct - halved.growth_with_pct)[treated]
        own_without.append(own)
        own_with.append(own + change[treated] - rise * wave)
        slopes.append((wave * change[treated]).sum() / (wave**2).sum())
    ratio = np.var(np.concatenate(own_with)) / np.var(np.concatenate(own_without))
    assert ratio - 1 == pytest.approx(-fall, abs=1e-9)
    assert np.mean(slopes) == pytest.approx(rise, abs=0.06 if fall else 1e-9)


def test_simulated_cycles_have_one_variance_in_every_year():
    series = _autoregressive(np.random.default_rng(1), 20_000, 12)
    assert series.std(axis=0) == pytest.approx(1, abs=0.03)
    assert (series[:, 1:] * series[:, :-1]).mean() == pytest.approx(PERSISTENCE, abs=0.02)


def test_the_fall_grows_with_the_tools(seeds, lasting):
    """Half of the fall comes with the tools: twice the mean intensity gives the root of (1 - fall)
    cubed, none the root of 1 - fall.
    """
    for tools, power in ((0.0, 0.5), (1.0, 1.0), (2.0, 1.5)):
        economy = simulate(
            lasting, seeds[1], 1, PlantedEffect(0.84, 0.0), intensity=np.full(len(lasting), tools)
        )
        assert economy.own_variance_ratio[economy.is_treated] == pytest.approx(0.16**power)
        assert (economy.own_variance_ratio[~economy.is_treated] == 1).all()
