"""A whole refresh against its floor: merely loading the files, the bare SQL of the models, and one
closed-form fit for each spec.

A refresh of the default simulated landing runs as a person would start it, in a new home with the
loops compiled. The floor is measured after it on the same machine: the files of both landings by
the bare readers of `reading`, every model's SQL as dbt compiled it, in order of dependencies in a
new file of DuckDB, and for each spec the two-way coefficient of all pairs in closed form. What is
more than a query (the seeds, a model in Python, one that a macro fills in parts) is copied there
outside of the clock.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.measure import seconds_of, timed
from benchmarks.reading import load_barely
from benchmarks.simulation_study.all_pairs import fit_of, sample_of
from estimation.analyses.catalog import all_specs, curve_specs
from estimation.sample.cities import build_sample_cities
from estimation.sample.outcomes import build_series
from estimation.study.run import read_marts

REPO = Path(__file__).resolve().parent.parent


def bench_whole_refresh(home: Path) -> dict[str, Any]:
    """Seconds of a refresh in a new home, of the parts of its floor, and their ratio.

    Parameters
    ----------
    home : Path
        A folder that does not exist yet.
    """
    env = {
        **os.environ,
        "CITYSYNC_HOME": str(home),
        "NUMBA_CACHE_DIR": str(home / "cache" / "numba"),
        "FORCE": "1",
    }
    _start(env, "estimation", "compile")
    (seconds, processor), _ = timed(partial(_start, env, "orchestration", "refresh"))
    files = sorted(
        path for path in (home / "simulated").rglob("*") if path.suffix in (".xlsx", ".xls", ".csv")
    )
    with duckdb.connect(str(home / "build" / "citysync.duckdb"), read_only=True) as con:
        marts = read_marts(con)
    floor = {
        "loading": seconds_of(lambda: sum(load_barely(path) for path in files)),
        "sql": sum(bare_sql(home / "build", home / "cache" / "dbt", home / "floor")),
        "fits": closed_form_fits(marts),
    }
    total = sum(floor.values())
    return {
        "name": "whole_refresh",
        "n_cities": len(marts.cities),
        "rows": len(marts.synchronization),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(processor, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000, 1),
        "floor_seconds": {name: round(part, 2) for name, part in floor.items()},
        "ratio_to_floor": round(seconds / total, 2),
        "ratio_to_peer": None,
        "peer": None,
        "max_abs_difference": None,
    }


def _start(env: dict[str, str], *words: str) -> None:
    """Run a command of our own."""
    command = [sys.executable, "-m", *words]
    subprocess.run(command, cwd=REPO, env=env, check=True, stdout=subprocess.DEVNULL)


def bare_sql(build: Path, target: Path, scratch: Path) -> Iterator[float]:
    """Seconds of each model's own SQL, in order of dependencies.

    Parameters
    ----------
    build : Path
        What the refresh built.
    target : Path
        dbt's target folder, with the compiled SQL and the manifest of that refresh.
    scratch : Path
        A folder for another database of the same name, which the SQL names.
    """
    nodes = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    scratch.mkdir()
    with duckdb.connect(str(scratch / "citysync.duckdb")) as con:
        con.execute(
            f"set threads = {int(os.environ.get('CITYSYNC_THREADS') or os.cpu_count() or 1)}"
        )
        con.execute(
            f"attach '{str(build / 'citysync.duckdb').replace(chr(39), chr(39) * 2)}' as done "
            "(read_only)"
        )
        for node in _in_order(nodes):
            table = f'"{node["schema"]}"."{node["name"]}"'
            con.execute(f'create schema if not exists "{node["schema"]}"')
            compiled = target / "compiled" / node["package_name"] / node["original_file_path"]
            is_query = (
                node["resource_type"] == "model"
                and node["language"] == "sql"
                and not node["config"].get("pre-hook")
            )
            if is_query:
                sql = compiled.read_text(encoding="utf-8")
                yield seconds_of(
                    lambda table=table, sql=sql: con.execute(f"create table {table} as {sql}")
                )
            else:
                con.execute(f"create table {table} as from done.{table}")


def _in_order(nodes: dict[str, Any]) -> list[dict[str, Any]]:
    """Seeds and models, each after those that it reads."""
    wanted = {name for name, node in nodes.items() if node["resource_type"] in ("seed", "model")}
    done: list[dict[str, Any]] = []
    seen: set[str] = set()

    def visit(name: str) -> None:
        if name in seen:
            return
        seen.add(name)
        for other in nodes[name].get("depends_on", {}).get("nodes", ()):
            if other in wanted:
                visit(other)
        done.append(nodes[name])

    for name in sorted(wanted):
        visit(name)
    return done


def closed_form_fits(marts: Any) -> float:
    """Seconds of one two-way fit over all pairs of the headline's cities for each spec of the
    study.
    """
    (spec,) = [
        spec for spec in all_specs() if spec.spec_id == "baseline.cm_growth_official.headline"
    ]
    years = marts.synchronization["year"]
    series = build_series(marts.city_years, spec.series, (int(years.min()), int(years.max())))
    members = build_sample_cities(marts.cities, series.city_ids, spec, int(series.years[-1]))
    growth = series.d[[list(series.city_ids).index(city) for city in members["city_id"]]]
    units = (series.years, members["cohort"].to_numpy(), members["province_id"].to_numpy())
    n_specs = len(all_specs()) + len(curve_specs())
    return seconds_of(lambda: [fit_of(sample_of(growth, *units)) for _ in range(n_specs)])
