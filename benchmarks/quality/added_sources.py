"""Sources added to a delivered landing: copies, noise, shifted codes, other boundaries, families
that disagree. What they may not do is lift a block that three witnesses support, and move a
headline by more than the current values that they say they changed.

Delivered files have hardly a wrong value that three sources contradict. So that the first can fail,
errors are planted before anything is added, in the source that most of the added ones copy: at
values that three independent sources confirm.

`python -m benchmarks.quality.added_sources --landing path --docs docs/evidence/added-sources.md`
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from benchmarks.page import markdown, write_between
from benchmarks.quality.landings import GDP, GROWTH, POPULATION, read_raw
from benchmarks.quality.warehouse import KEY, Bench, cell_keys
from estimation.analyses.catalog import all_specs
from estimation.study.run import read_marts, run_study

MARK = "measured"
INDICATORS = (GDP, POPULATION, GROWTH, "loans_cny_100m", "deposits_cny_100m")
HEADLINES = ("baseline.cm_growth_official.headline", "baseline.cm_growth_deflated.headline")
MODELS = (
    "+fct_city_pair",
    "+fct_pair_synchronization",
    "+fct_city_year",
    "+dim_city",
    "+dim_pilot_zone",
    "+int_values_current",
)
SEED = 20161
# A value that so many independent sources deny must stay blocked, whoever comes.
WITNESSES = 3
# Errors planted before anything is added, one a city, and their factors: each leaves the trend by
# more than a revision does.
N_PLANTED, PLANTED_IN = 60, "csmar_region"
FACTORS = (0.55, 1.6, 2.0)

Frame = pd.DataFrame
Change = Callable[[Frame, np.random.Generator], Frame]


@dataclass(frozen=True)
class Attack:
    """Sources that come together: the name of each, the source whose lines it takes, and what it
    does to them.
    """

    name: str
    does: str
    sources: Mapping[str, tuple[str, Change]]


def as_it_is(lines: Frame, rng: np.random.Generator) -> Frame:
    """The lines themselves."""
    return lines


def with_noise(size: float) -> Change:
    """Every value moved by itself, in log points; zeros and signs stay."""
    return lambda lines, rng: lines.assign(
        value=lines["value"] * np.exp(rng.normal(0, size, len(lines)))
    )


def times(factor: float) -> Change:
    """Every value the same factor off."""
    return lambda lines, rng: lines.assign(value=lines["value"] * factor)


def shifted_by_a_row(lines: Frame, rng: np.random.Generator) -> Frame:
    """Code and name of the next city of the source, in all years."""
    cities = (
        lines[["place_code_text", "place_text"]]
        .drop_duplicates()
        .sort_values(["place_code_text", "place_text"], na_position="last")
    )
    following = cities.shift(-1).fillna(cities.iloc[[0]].iloc[0])
    renamed = dict(
        zip(
            cities.itertuples(index=False, name=None),
            following.itertuples(index=False, name=None),
            strict=True,
        )
    )
    new = [
        renamed[pair]
        for pair in lines[["place_code_text", "place_text"]].itertuples(index=False, name=None)
    ]
    return lines.assign(
        place_code_text=[code for code, _ in new], place_text=[name for _, name in new]
    )


def of_other_boundaries(lines: Frame, rng: np.random.Generator) -> Frame:
    """The city proper for a fifth of the cities in all years, and another fifth with a neighbour's
    county from 2014 on; not in rates.
    """
    city = lines["place_code_text"].fillna(lines["place_text"])
    fifth = city.map({name: k % 5 for k, name in enumerate(sorted(city.dropna().unique()))})
    factor = np.where(fifth == 0, 0.55, np.where((fifth == 1) & (lines["year"] >= 2014), 1.3, 1.0))
    return lines.assign(
        value=np.where(lines["indicator_id"] == GROWTH, lines["value"], lines["value"] * factor)
    )


ATTACKS = (
    Attack(
        "copy",
        "`csmar_region` once more, every error with it",
        {"added_copy": ("csmar_region", as_it_is)},
    ),
    Attack(
        "copy with noise",
        (
            "`csmar_region`, each value moved by 0.0006 log points, so that no figure repeats to "
            "the digit"
        ),
        {"added_copy": ("csmar_region", with_noise(0.0006))},
    ),
    Attack(
        "codes shifted by a row",
        "`finance_loans`, each city under its neighbour's code",
        {"added_shifted": ("finance_loans", shifted_by_a_row)},
    ),
    Attack(
        "another year's boundaries",
        "`deflator`, a fifth of the cities without, a fifth with more districts",
        {"added_boundaries": ("deflator", of_other_boundaries)},
    ),
    Attack(
        "wrong everywhere",
        "`csmar_region`, each value off by half a log point by itself",
        {"added_noise": ("csmar_region", with_noise(0.5))},
    ),
    Attack(
        "threefold",
        "`csmar_region`, every value three times itself",
        {"added_threefold": ("csmar_region", times(3))},
    ),
    Attack(
        "two families that disagree",
        "two copies of `csmar_region` against two of `deflator` at four fifths of its values",
        {
            "added_a1": ("csmar_region", as_it_is),
            "added_a2": ("csmar_region", with_noise(0.0003)),
            "added_b1": ("deflator", times(0.8)),
            "added_b2": ("deflator", times(0.8)),
        },
    ),
)


@dataclass(frozen=True)
class State:
    """What a landing with or without an added source publishes."""

    graded: Frame
    current: pd.Series
    growth: Frame
    headlines: Mapping[str, float]


@dataclass(frozen=True)
class Outcome:
    """What an attack changed; ``lifted`` by the number of witnesses that denied the value before
    (0, 1, 2, 3 and more).

    ``n_guarded`` are the values that were blocked and denied by three or more,
    ``n_planted_blocked`` the planted errors that are blocked beside the added source.
    """

    attack: str
    n_guarded: int
    n_planted_blocked: int
    n_values: int
    n_own_current: int
    n_own_blocked: int
    lifted: Sequence[int]
    n_newly_blocked: int
    n_current_changed: int
    n_current_in_window: int
    n_official_changed: int
    n_deflated_changed: int
    headlines: Mapping[str, float]
    before: Mapping[str, float]

    @property
    def holds(self) -> bool:
        """Whether no value that three witnesses deny came back."""
        return self.lifted[-1] == 0


def add_sources(raw: pa.Table, attack: Attack, rng: np.random.Generator) -> pa.Table:
    """The raw table with the lines of the attack behind it."""
    parts = [raw]
    for name, (source_id, change) in attack.sources.items():
        chosen = pa.compute.and_(
            pa.compute.and_(
                pa.compute.equal(raw.column("source_id"), source_id),
                pa.compute.is_null(raw.column("reason")),
            ),
            pa.compute.is_in(raw.column("indicator_id"), pa.array(INDICATORS)),
        )
        lines = raw.filter(chosen).to_pandas()
        changed = change(lines, rng)
        moved = changed["value"].to_numpy() != lines["value"].to_numpy()
        value = np.where(
            moved,
            changed["value"].astype(float).map(lambda v: float(f"{v:.10g}")),
            changed["value"],
        )
        changed = changed.assign(
            value=value,
            raw_text=np.where(moved, [repr(float(v)) for v in value], changed["raw_text"]),
            source_id=name,
            file_name=name + "/" + changed["file_name"].astype(str),
            edition_year=None,
        )
        parts.append(pa.Table.from_pandas(changed, schema=raw.schema, preserve_index=False))
    return pa.concat_tables(parts)


def read_state(build: Path) -> State:
    """Flags, current values, growth of cities and headlines of a build."""
    with duckdb.connect(str(build / "citysync.duckdb"), read_only=True) as con:
        graded = con.execute(
            f"select {KEY} as key, source_id, quality_flag, choice_rank = 1 and is_usable as "
            "is_current "
            "from intermediate.int_observations_graded order by key"
        ).df()
        current = con.execute(
            'select place_level, city_id, indicator_id, "year", "value" from '
            "intermediate.int_values_current order by all"
        ).df()
        growth = con.execute(
            "select city_id, year, growth_official_pct, growth_deflated_pct from "
            "marts.fct_city_year order by all"
        ).df()
        specs = [spec for spec in all_specs() if spec.spec_id in HEADLINES]
        result = run_study(read_marts(con, specs), specs, permutations=99, seed=SEED).estimate
    main = result[(result["term"] == "treated") & result["is_default"].fillna(False)]
    return State(
        graded.set_index("key"),
        current.set_index(["place_level", "city_id", "indicator_id", "year"])["value"],
        growth.set_index(["city_id", "year"]),
        dict(zip(main["spec_id"], main["estimate"].astype(float), strict=True)),
    )


def read_denials(build: Path) -> pd.Series:
    """Number of independent witnesses that deny a value, by its cell; whom a family repeats counts
    once.
    """
    query = f"""
        select {KEY.replace("source_id", "graded.source_id")} as key,
            count(distinct other_source_id) as n
        from intermediate.int_values_witnessed as witnessed
        inner join intermediate.int_observations_graded as graded on witnessed.observation_id =
            graded.observation_id
        where statement = 'denies' and weight > 0 group by key
    """
    with duckdb.connect(str(build / "citysync.duckdb"), read_only=True) as con:
        return con.execute(query).df().set_index("key")["n"]


def draw_errors(build: Path, rng: np.random.Generator) -> dict[str, float]:
    """Cells of the disturbed source that three independent sources or more confirm, one a city,
    with a factor for each.
    """
    query = f"""
        select {KEY.replace("source_id", "graded.source_id")} as key, graded.city_id
        from intermediate.int_values_witnessed as witnessed
        inner join intermediate.int_observations_graded as graded on witnessed.observation_id =
            graded.observation_id
        where graded.source_id = ? and graded.indicator_id = ?
            and graded.quality_flag in ('ok', 'warned') and weight > 0
            and statement = 'confirms' and abs(witnessed.gap) <= 0.02
        group by all having count(distinct other_source_id) >= ? order by key
    """
    with duckdb.connect(str(build / "citysync.duckdb"), read_only=True) as con:
        found = con.execute(query, [PLANTED_IN, GDP, WITNESSES]).df()
    one_a_city = found.iloc[rng.permutation(len(found))].drop_duplicates("city_id").head(N_PLANTED)
    return {key: FACTORS[number % len(FACTORS)] for number, key in enumerate(one_a_city["key"])}


def plant(raw: pa.Table, errors: Mapping[str, float]) -> pa.Table:
    """The raw table with the errors in it."""
    factor = pd.Series(cell_keys(raw)).map(errors).to_numpy(dtype=float)
    value, text = raw.column("value").to_pylist(), raw.column("raw_text").to_pylist()
    for line in np.flatnonzero(np.isfinite(factor)):
        value[line] = float(f"{value[line] * factor[line]:.10g}")
        text[line] = repr(value[line])
    for name, column in (("value", value), ("raw_text", text)):
        position = raw.schema.get_field_index(name)
        raw = raw.set_column(
            position, raw.schema.field(position), pa.array(column, raw.schema.field(position).type)
        )
    return raw


def compare(
    attack: Attack, before: State, denials: pd.Series, after: State, planted: Sequence[str] = ()
) -> Outcome:
    """What the added sources changed in what was there before; ``planted`` are the cells with
    errors put in.
    """
    old = after.graded.reindex(before.graded.index)
    was, now = before.graded["quality_flag"] == "blocked", old["quality_flag"] == "blocked"
    n_denials = denials.reindex(before.graded.index).fillna(0).clip(upper=WITNESSES).astype(int)
    guarded = was & (n_denials == WITNESSES)
    lifted = n_denials[was & ~now]
    added = after.graded[after.graded["source_id"].isin(list(attack.sources))]
    changed = differing(before.current, after.current.reindex(before.current.index))
    years = before.current.index.get_level_values("year")
    window = (before.growth.index.get_level_values("year") >= 2010) & (
        before.growth.index.get_level_values("year") <= 2019
    )
    grown = after.growth.reindex(before.growth.index)
    official, deflated = (
        int((differing(before.growth[name], grown[name]) & window).sum())
        for name in ("growth_official_pct", "growth_deflated_pct")
    )
    return Outcome(
        attack.name,
        int(guarded.sum()),
        int(now[list(planted)].sum()),
        len(added),
        int(added["is_current"].sum()),
        int((added["quality_flag"] == "blocked").sum()),
        [int((lifted == n).sum()) for n in range(WITNESSES + 1)],
        int((~was & now).sum()),
        int(changed.sum()),
        int((changed & (years >= 2010) & (years <= 2019)).sum()),
        official,
        deflated,
        after.headlines,
        before.headlines,
    )


def differing(old: pd.Series, new: pd.Series) -> pd.Series:
    """Where two series of one index differ by more than rounding; a value that came or went
    counts.
    """
    return (old.isna() != new.isna()) | ((old - new).abs() > 1e-9 * old.abs())


def measure(
    landing: Path,
    attacks: Sequence[Attack],
    scratch: Path,
    on_progress: Callable[[str], None] = lambda text: None,
) -> list[Outcome]:
    """Build the landing by itself and with each attack.

    Parameters
    ----------
    landing : Path
        Delivered files; those of the sources that the attacks take are needed.
    attacks : sequence of Attack
    scratch : Path
    on_progress : callable

    Returns
    -------
    list of Outcome
        One per attack.
    """
    bench = Bench(scratch)
    raw, input_file = read_raw("real", landing, scratch)
    errors = draw_errors(
        bench.build("delivered", raw, input_file, MODELS), np.random.default_rng(SEED)
    )
    raw = plant(raw, errors)
    build = bench.build("before", raw, input_file, MODELS)
    before, denials = read_state(build), read_denials(build)
    n_denied = (
        denials.reindex(before.graded.index[before.graded["quality_flag"] == "blocked"])
        .fillna(0)
        .clip(upper=WITNESSES)
    )
    n_found = int((before.graded["quality_flag"].reindex(list(errors)) == "blocked").sum())
    on_progress(
        f"before: {n_found} of {len(errors)} planted errors blocked; blocked by number of "
        "witnesses that deny them: "
        f"{n_denied.value_counts().sort_index().to_dict()}; {before.headlines}"
    )
    outcomes = []
    for number, attack in enumerate(attacks):
        started = time.monotonic()
        added = add_sources(raw, attack, np.random.default_rng([SEED, number]))
        outcomes.append(
            compare(
                attack,
                before,
                denials,
                read_state(bench.build("after", added, input_file, MODELS)),
                list(errors),
            )
        )
        on_progress(
            f"{attack.name}: {json.dumps(asdict(outcomes[-1]))}, {time.monotonic() - started:.0f} s"
        )
    return outcomes


def _table(outcomes: Sequence[Outcome]) -> str:
    before = ", ".join(f"`{name}` {value:+.5f}" for name, value in outcomes[0].before.items())
    columns = [
        "added",
        "its values; current; blocked",
        "blocks lifted, by witnesses that deny: 0, 1, 2, 3 or more",
        "planted errors blocked",
        "newly blocked",
        "old current values changed (2010-2019)",
        "headlines move by",
    ]
    does = {attack.name: attack.does for attack in ATTACKS}
    rows = [
        [
            f"{one.attack}: {does[one.attack]}",
            f"{one.n_values:,}; {one.n_own_current:,}; {one.n_own_blocked:,}",
            ", ".join(map(str, one.lifted)),
            str(one.n_planted_blocked),
            f"{one.n_newly_blocked:,}",
            f"{one.n_current_changed:,} ({one.n_current_in_window:,})",
            ", ".join(f"{one.headlines[name] - value:+.4f}" for name, value in one.before.items()),
        ]
        for one in outcomes
    ]
    head = f"Measured {datetime.now(UTC):%Y-%m-%d}. Headlines before: {before}."
    return f"{head}\n\n{markdown([columns, *rows])}"


def main() -> int:
    """Run the attacks; the exit code is 1 where a value came back that three witnesses deny."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality.added_sources", description=__doc__
    )
    parser.add_argument("--landing", type=Path, required=True, help="folder of delivered files")
    parser.add_argument("--only", nargs="*", choices=[attack.name for attack in ATTACKS])
    parser.add_argument("--docs", type=Path, help="document to write the table into")
    chosen = parser.parse_args()
    attacks = [attack for attack in ATTACKS if not chosen.only or attack.name in chosen.only]
    with tempfile.TemporaryDirectory() as scratch:
        outcomes = measure(
            chosen.landing, attacks, Path(scratch), lambda text: print(f"# {text}", flush=True)
        )
    for outcome in outcomes:
        print(json.dumps(asdict(outcome)), flush=True)
    if chosen.docs:
        write_between(chosen.docs, MARK, _table(outcomes))
    return 0 if all(outcome.holds for outcome in outcomes) else 1


if __name__ == "__main__":
    raise SystemExit(main())
