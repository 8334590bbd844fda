"""Run SQL models of the warehouse on one connection without dbt, from the same text as a refresh;
each gives a table of the model's name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import duckdb
from jinja2 import Environment, StrictUndefined

from warehouse.errors import Refused
from warehouse.sql_text import literal
from warehouse.yaml_files import read_yaml

WAREHOUSE = Path(__file__).resolve().parents[1]
_MACRO = re.compile(r"\{%-?\s*macro\s+(\w+)\(.*?\{%-?\s*endmacro\s*-?%\}", re.DOTALL)
_REF = re.compile(r"ref\('(\w+)'\)")


class _Returned(Exception):
    """What a macro gives back where it is more than text, as dbt's `return` does."""

    def __init__(self, value: object) -> None:
        super().__init__()
        self.value = value


def _give_back(value: object) -> None:
    raise _Returned(value)


def _refuse(message: str) -> None:
    """End with what a macro says of a setting that it refuses."""
    raise Refused(message)


@cache
def _environment() -> Environment:
    """Jinja with every macro of the warehouse, each able to call every other."""
    options = {"undefined": StrictUndefined, "extensions": ["jinja2.ext.do"]}
    environment = Environment(autoescape=False, **options)  # noqa: S701 -- SQL of this code, no web page
    environment.globals |= {
        "return": _give_back,
        "ref": lambda name: f'"{name}"',
        "config": lambda **_: "",
        "source": lambda _, table: f'"{table}"',
        "target": SimpleNamespace(type="duckdb"),
        "env_var": lambda name, default="": os.environ.get(name, default),
        "exceptions": SimpleNamespace(raise_compiler_error=_refuse),
    }
    for path in sorted((WAREHOUSE / "macros").glob("*.sql")):
        for found in _MACRO.finditer(path.read_text(encoding="utf-8")):
            environment.globals[found[1]] = _macro(environment, found[1], found[0])
    return environment


def _macro(environment: Environment, name: str, text: str) -> Callable[..., object]:
    @cache
    def compiled() -> Callable[..., object]:
        return getattr(environment.from_string(text).module, name)

    def call(*arguments: object, **named: object) -> object:
        try:
            return compiled()(*arguments, **named)
        except _Returned as returned:
            return returned.value

    return call


@cache
def _paths() -> dict[str, Path]:
    """Return files of models and seeds by name."""
    files = [*(WAREHOUSE / "models").rglob("*.sql"), *(WAREHOUSE / "seeds").glob("*.csv")]
    return {path.stem: path for path in files}


@cache
def _seed_types() -> dict[str, dict[str, str]]:
    """Return types of the columns of each seed."""
    described = read_yaml(WAREHOUSE / "seeds" / "_seeds.yml")
    return {seed["name"]: seed["config"]["column_types"] for seed in described["seeds"]}


@cache
def sql_of_model(name: str) -> str:
    """Return the SQL of a model, without its references to dbt."""
    return _environment().from_string(_paths()[name].read_text(encoding="utf-8")).render()


def render_text(text: str, words: Mapping[str, object]) -> str:
    """Return a query with the macros of the warehouse, and the words given, expanded."""
    return _environment().from_string(text).render(words)


def make(
    con: duckdb.DuckDBPyConnection, name: str, made: set[str], *, kind: str = "temp table"
) -> None:
    """Make the table of a model or seed, and of all that it reads.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    name : str
    made : set of str
        Names that are there already; receives those that are made.
    kind : str
        `temp table`, which is found before any table of its name, or `table`.
    """
    if name in made:
        return
    path = _paths()[name]
    if path.suffix == ".csv":
        types = ", ".join(f"{literal(c)}: {literal(t)}" for c, t in _seed_types()[name].items())
        sql = f"from read_csv({literal(path)}, header = true, types = {{{types}}})"
    else:
        text = path.read_text(encoding="utf-8")
        for needed in sorted(_needed(text)):
            make(con, needed, made, kind=kind)
        sql = sql_of_model(name)
    con.execute(f'create or replace {kind} "{name}" as {sql}')
    made.add(name)


def _needed(text: str) -> set[str]:
    names = set(_REF.findall(text))
    for prefix, found in re.findall(r"ref\('(\w+)' ~ (\w+)\)", text):
        values = re.search(r"\{% set " + found + r"s = \[(.*?)\]", text, re.DOTALL)
        names |= {prefix + one for one in re.findall(r"'(\w+)'", values[1] if values else "")}
    return names


def query_of(name: str, cte: str, query: str) -> str:
    """Return SQL of a model with its last select replaced.

    Parameters
    ----------
    name : str
        A model.
    cte : str
        One of its common table expressions, which ``query`` reads; what follows it is left out.
    query : str
    """
    sql = sql_of_model(name)
    start = re.search(rf"^{cte} as \(|^with {cte} as \(", sql, re.MULTILINE)
    if start is None:
        raise KeyError(f"{name}: no {cte}")
    depth, at = 1, start.end()
    while depth:
        depth += {"(": 1, ")": -1}.get(sql[at], 0)
        at += 1
    return f"{sql[:at]}\n{query}"
