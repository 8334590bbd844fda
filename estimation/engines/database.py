"""Sums of pair statistics by DuckDB, for pair-years beyond memory.

One scan turns pair-years into a table of pairs with a column for each year, which may spill to the
disk; a sum over its rows in their order gives the same bytes for any number of threads. Python
holds each pair's units and admission, never its outcomes.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from ..panel.pair_columns import ResolvedColumns, named
from ..panel.pair_panel import PairPanel, number_cohorts, number_provinces
from ..panel.panel_error import PanelError, need
from ..panel.sources import quote
from .arrays import Layout, PairStatistics, projection_coefficients
from .interface import SampleSums, SummedSample, Units, sum_parts

MAX_YEARS = 62


class PairTable:
    """Pair-years of a DuckDB relation or a Parquet file as a table of pairs, in a database of its
    own that goes with it.
    """

    def __init__(self, panel: Any, columns: ResolvedColumns) -> None:
        try:
            import duckdb
        except ImportError as error:
            raise need("duckdb", "sums by a database") from error
        self.columns, self._open = columns, ExitStack()
        folder = self._open.enter_context(tempfile.TemporaryDirectory(prefix="citysync-"))
        self.con = duckdb.connect(config={"temp_directory": folder})
        self._open.callback(self.con.close)
        if isinstance(panel, str | Path):
            panel = self.con.read_parquet(str(panel))
            self.years = self._read_years(panel)
            self._write_pairs(panel)
        else:
            self.years = self._read_years(panel)
            chosen = ", ".join(map(quote, dict.fromkeys(columns.needed)))
            batches = panel.project(chosen).to_arrow_reader()
            self._write_pairs(self.con.from_arrow(batches))

    def close(self) -> None:
        """Remove the database."""
        self._open.close()

    def _read_years(self, relation: Any) -> np.ndarray:
        time = quote(self.columns.time)
        found = relation.query("panel", f"select distinct {time} from panel order by 1").fetchall()
        years = [row[0] for row in found]
        are_whole = all(isinstance(year, Real) and int(year) == year for year in years)
        if not 2 <= len(years) <= MAX_YEARS or not are_whole:
            raise PanelError(
                "database",
                None,
                self.columns.time,
                f"2 to {MAX_YEARS} whole years or periods",
                f"{len(years)} values from {', '.join(map(str, years[:1]))}",
                "choose the rows before, number dates 1, 2, 3, ..., or use engine='arrays'",
            )
        return np.array(years, dtype=np.int64)

    def _write_pairs(self, relation: Any) -> None:
        """Pairs in the order of their units, one row each: first and second unit, what is said of
        either, and the outcome of each year.
        """
        one, two = map(quote, self.columns.unit)
        y, time = quote(self.columns.outcome), quote(self.columns.time)
        said = [*named(self.columns.cohort), *named(self.columns.block)]
        said += [*(self.columns.pilots or ())]
        kept = [f"max({quote(name)}) as {quote(name)}" for name in said]
        twice = [f"count(distinct {quote(name)}) > 1" for name in said] or ["false"]
        of_years = [
            f"max(cast({y} as double)) filter (where {time} = {year}) as y{t}"
            for t, year in enumerate(self.years.tolist())
        ]
        relation.query(
            "panel",
            f"with turned as (select * replace ({self._smaller_first()}) from panel) "
            f"select {one}, {two}, {', '.join([*kept, *of_years])}, count({y}) as n, "
            f"count({y}) <> count(distinct {time}) filter (where {y} is not null) or "
            f"{' or '.join(twice)} as is_wrong, {one} = {two} as is_one "
            "from turned group by 1, 2 order by 1, 2",
        ).create("pairs")
        wrong, alone = self.con.execute(
            "select count(*) filter (is_wrong), count(*) filter (is_one) from pairs"
        ).fetchall()[0]
        if wrong or alone:
            raise PanelError(
                "database",
                None,
                f"{', '.join(self.columns.unit)}, {self.columns.time}",
                "one row for a pair of two units in a year, and one cohort and block",
                f"{wrong} pairs with a year, cohort or block twice, {alone} of a unit with itself",
                "correct them; engine='arrays' names the row",
            )

    def _smaller_first(self) -> str:
        """Columns of both sides, with those of the smaller id first."""
        one, two = map(quote, self.columns.unit)
        said = (self.columns.unit, self.columns.cohort, self.columns.block, self.columns.pilots)
        sides = [tuple(map(quote, named(names))) for names in said if len(named(names)) == 2]
        columns = []
        for first, second in sides:
            columns.append(f"if({one} > {two}, {second}, {first}) as {first}")
            columns.append(f"if({one} > {two}, {first}, {second}) as {second}")
        return ", ".join(columns)

    def first_and_last(self) -> Any:
        """Two rows for each pair, of the panel's first and last year and without any outcome: what
        a reader needs to know of units and admissions.
        """
        time, y = quote(self.columns.time), quote(self.columns.outcome)
        left_out = ", ".join([*(f"y{t}" for t in range(len(self.years))), "n", "is_wrong"])
        return self.con.sql(
            f"select * exclude ({left_out}, is_one, e), e as {time}, "
            f"cast(e as double) as {y} from pairs, (values "
            f"({int(self.years[0])}), ({int(self.years[-1])})) as ends(e) where n > 0"
        ).to_arrow_table()


def sum_database(table: PairTable, panel: PairPanel) -> SummedSample:
    """The sample of a table's pairs.

    Parameters
    ----------
    table : PairTable
    panel : PairPanel
        Units and admissions, as a reader found them in `first_and_last`.
    """
    group_years, group = number_cohorts(panel.city_cohort)
    province = number_provinces(panel.province, panel.n_cities)
    units = {"id": panel.city_ids, "at": np.arange(panel.n_cities), "g": group, "r": province}
    _write(table, "units", units)
    n_years, names = len(table.years), range(len(table.years))
    one, two = map(quote, table.columns.unit)
    mean = f"({' + '.join(f'coalesce(y{t}, 0)' for t in names)}) / n"
    within = ", ".join(f"coalesce(y{t} - {mean}, 0) as m{t}, y{t}" for t in names)
    bits = " + ".join(f"if(y{t} is null, 0, {1 << t})" for t in names)
    table.con.execute(
        "create temp table summed as select a.at as i, b.at as j, a.r as ri, b.r as rj, "
        f"greatest(a.g, b.g) as g, {bits} as bits, {within} from pairs "
        f"inner join units as a on pairs.{one} = a.id inner join units as b on pairs.{two} = b.id "
        "where n > 1 and (a.g = 0 or b.g = 0) order by 1, 2"
    )
    # rows are added up in their order
    table.con.execute("set threads = 1")
    sums = ", ".join(f"sum(m{t}), sum(y{t})" for t in names)
    found = table.con.execute(
        f"select i, g, rj, bits, count(*), {sums} from summed group by all union all "
        f"select j, g, ri, bits, count(*), {sums} from summed group by all order by 1, 2, 3, 4"
    ).fetchall()
    # a null becomes NaN
    rows = np.array([row[5:] for row in found], dtype=float)
    keys = np.array([row[:5] for row in found], dtype=np.int64)
    patterns, which = np.unique(keys[:, 3], return_inverse=True)
    seen = (patterns[:, None] >> np.arange(n_years) & 1).astype(bool)
    coefficients, basis = projection_coefficients(seen, np.bincount(which, keys[:, 4]))
    values = np.concatenate([keys[:, 4:5] * coefficients[which], rows[:, 0::2]], axis=1)
    statistics = PairStatistics(
        np.zeros((0, values.shape[1])), basis, Layout(len(basis), 0, n_years, 1), np.zeros(0)
    )
    # rows of the same partners, by pattern of years, follow one another
    n_groups, row_of = len(group_years) + 1, keys[:, 0] * (len(group_years) + 1) + keys[:, 1]
    first = np.unique(row_of * (int(province.max()) + 1) + keys[:, 2], return_index=True)[1]
    parts = np.add.reduceat(values, first, axis=0)
    cities = sum_parts(row_of[first], keys[first, 2], parts, province, (n_groups, len(basis)))
    is_never = (keys[:, 1] == 0) | (group[keys[:, 0]] > 0)
    raw, count = np.zeros((2, panel.n_cities, n_years))
    np.add.at(raw, keys[is_never, 0], np.nan_to_num(rows[is_never, 1::2]))
    np.add.at(count, keys[is_never, 0], (keys[:, 4:5] * seen[which])[is_never])
    single, always = _counts(table, panel)
    largest = ", ".join(f"max(abs(y{t}))" for t in names)
    (size,) = table.con.execute(f"select greatest({largest}) from summed").fetchall()[0]

    return SummedSample(
        "database",
        Units(panel.city_ids, table.years, panel.city_cohort, panel.province),
        statistics,
        SampleSums.of(cities, (1, n_groups)),
        group_years,
        group,
        lambda weights: _squares(table, weights, patterns, coefficients),
        np.where(count > 0, raw / np.maximum(count, 1), np.nan),
        single,
        always,
        size=min(1.0, size),
    )


def _write(table: PairTable, name: str, columns: dict[str, np.ndarray]) -> None:
    table.con.register("incoming", columns)
    table.con.execute(f"create or replace temp table {name} as select * from incoming")
    table.con.unregister("incoming")


def _counts(table: PairTable, panel: PairPanel) -> tuple[int, int]:
    """Pairs of at most one pilot with a single observed year, and those treated in every year."""
    one, two = map(quote, table.columns.unit)
    single = table.con.execute(
        f"select count(*) from pairs inner join units as a on pairs.{one} = a.id "
        f"inner join units as b on pairs.{two} = b.id where n = 1 and (a.g = 0 or b.g = 0)"
    ).fetchall()[0][0]
    before = [
        int(((table.years < cohort) << np.arange(len(table.years))).sum())
        for cohort in np.unique(panel.city_cohort[panel.city_cohort > 0])
    ]
    found = table.con.execute(
        "select count(*) from summed where g > 0 and bits & cast(? as bigint[])[g] = 0", [before]
    ).fetchall()[0]
    return int(single), int(found[0])


def _squares(
    table: PairTable, weights: np.ndarray, patterns: np.ndarray, coefficients: np.ndarray
) -> np.ndarray:
    """Sums (R,) of the squared influence of the pairs, from weights (G, n_basis + T, R)."""
    n_groups, n_values, n_terms = weights.shape
    n_basis = coefficients.shape[1]
    level = np.einsum("pk,gkr->gpr", coefficients, weights[:, :n_basis])
    columns: dict[str, np.ndarray] = {
        "g": np.repeat(np.arange(n_groups), len(patterns)),
        "bits": np.tile(patterns, n_groups),
    }
    sums: list[str] = []
    for r in range(n_terms):
        columns[f"c{r}"] = np.ascontiguousarray(level[:, :, r]).ravel()
        terms = [f"c{r}"]
        for t in range(n_values - n_basis):
            columns[f"w{r}_{t}"] = np.repeat(weights[:, n_basis + t, r], len(patterns))
            terms.append(f"w{r}_{t} * m{t}")
        sums.append(f"sum(({' + '.join(terms)}) ** 2)")
    _write(table, "weights", columns)
    found = table.con.execute(
        f"select {', '.join(sums)} from (select * from summed inner join weights using (g, bits) "
        "order by i, j)"
    ).fetchall()[0]
    return np.array(found, dtype=float)
