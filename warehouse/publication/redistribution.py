"""What of a publication may be redistributed: single values where the terms of their source let
them, results and facts of the seeds whole.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import duckdb

from warehouse.database import open_build
from warehouse.hashing import hash_file
from warehouse.publication.datapackage import NAME as PACKAGE
from warehouse.publication.datapackage import drop_dangling_keys
from warehouse.publication.errors import PublishError
from warehouse.publication.losses import WINDOW
from warehouse.publication.manifest import REMEDY
from warehouse.publication.reconstruction.recovery import TooFew, best_recovery
from warehouse.publication.tables import ON_REQUEST, copy_comments, to_publish
from warehouse.publication.untrusted import Publication
from warehouse.publication.verification import verify_publication
from warehouse.sql_text import literal, quote

SEEDS = Path(__file__).resolve().parents[1] / "seeds"
LICENCES, THRESHOLDS = SEEDS / "source_licences.csv", SEEDS / "licence_thresholds.csv"
# results, facts of the seeds and counts: no single value of a source. A table that is not named
# here or below is left out.
WHOLE = {
    "marts": (
        "dim_boundary_event",
        "dim_city",
        "dim_indicator",
        "dim_literature",
        "dim_other_policy",
        "dim_pilot_zone",
        "dim_study_claim",
        "fct_coverage",
        "fct_policy_overlap",
    ),
    "meta": (
        "estimate_change",
        "input_file",
        "movement",
        "place_change",
        "publication_change",
        "run",
        "source",
    ),
    "quality": ("expectation_result",),
}
VALUES = "marts.fct_indicator_observation"
# every row names the sources of its values
BY_SOURCE = {
    "marts.fct_erratum": ("source_id", "witness_source_id"),
    "marts.fct_indicator_conflict": ("chosen_source_id", "other_source_id"),
    VALUES: ("source_id",),
    "marts.fct_indicator_revision": ("source_id",),
    "quality.rejected_value": ("source_id",),
}
# A year of a pair is a formula of two growth rates, and the pairs of a year are enough equations to
# solve for the rates of all cities.
PAIRS = "marts.fct_pair_synchronization"
SOLVABLE = "yearly values of pairs, from which withheld growth of single cities can be computed"
OF_ONE_CITY = "coefficients by year of one city, from which its withheld growth can be computed"
# tables of single values that pages show row by row
EMPTIED = (
    "marts.dim_codebook",
    "marts.fct_series_passage",
    "meta.current_change",
    "meta.flag_change",
    "meta.value_change",
    "quality.expectation_row",
)
POLICY = ("dim_policy_document", "fct_policy_clause", "fct_policy_tool", "fct_policy_zone")
NOT_WHOLE = "repeats values of sources that may not be passed on"
MOST_COLUMNS = 5
WITHHELD = """
select city_id, "year", growth_official_pct as growth from marts.fct_city_year
where growth_official_pct is not null and not list_contains($1, growth_official_source_id)
    and "year" between $2::int and $3::int
"""
# every publication of a refresh has them
NEEDED = (PACKAGE, "report/index.html", "data_docs/index.html")
# the database that is copied, attached by `untrusted`
PUBLISHED = "published"


def free_sources() -> set[str]:
    """Return sources whose values may be passed on, by the seed of licences."""
    return {
        row["source_id"]
        for row in csv.DictReader(LICENCES.read_text(encoding="utf-8").splitlines())
        if row["may_be_passed_on"] == "true"
    }


def require_no_recovery(
    publication: Publication, draft: Path, before: Path, *, unmeasured: bool = False
) -> tuple[int, str]:
    """Raise if withheld growth can be computed from a public copy and the one that it replaces.

    Parameters
    ----------
    publication : Publication
        Whole, of delivered statistics.
    draft : Path
        The copy.
    before : Path
        An earlier copy that it replaces, or a place where there is none.
    unmeasured : bool
        Whether the copy may be passed on where too few values are withheld to measure anything.

    Returns
    -------
    int, str
        How many values were tried, and the sentence on the best recovery.

    Raises
    ------
    PublishError
        If more comes back than the thresholds of the licences allow, or nothing could be measured.
        What the earlier copy alone reveals is public already, and is no reason to refuse.
    """
    rows = csv.DictReader(THRESHOLDS.read_text(encoding="utf-8").splitlines())
    limits = {row["threshold"].partition(".")[2]: float(row["value"]) for row in rows}
    # what a copy holds of cities and pairs is computed over the years of the study
    settings = WINDOW | publication.manifest.get("settings", {})
    first, last = (settings[name] for name in WINDOW)
    with publication.connect() as con:
        withheld = con.execute(WITHHELD, [sorted(free_sources()), first, last]).df()
    if withheld.empty:
        return 0, f"no growth of {first}-{last} is withheld, so none can be recovered"
    try:
        found = best_recovery(draft, withheld)
        if found.passes(**limits) and before.exists():
            both = best_recovery(draft, withheld, [before])
            if both.passes(**limits) or best_recovery(before, withheld).passes(**limits):
                found = both
    except TooFew as error:
        sentence = f"recovery of {len(withheld)} withheld values is not measured: {error}"
        if unmeasured:
            return len(withheld), sentence
        raise PublishError(
            f"{sentence}; look at the copy yourself, then say --unmeasured, or publish more cities"
        ) from None
    best = found.best
    columns = ", ".join(best["columns"][:MOST_COLUMNS]) or "no column"
    if len(best["columns"]) > MOST_COLUMNS:
        columns += f" and {len(best['columns']) - MOST_COLUMNS} more"
    sentence = (
        f"best recovery of a withheld value: {best.median_miss:.2f} points, from these columns: "
        f"{columns}; without the copy {best.median_miss_without:.2f}"
    )
    if not found.passes(**limits):
        raise PublishError(
            f"{sentence}; expected at least {limits['least_miss']:g} and hardly less than without "
            f"it ({THRESHOLDS.name}): leave these columns out (redistribution.py), then write it "
            "again"
        )
    return best.n_values, sentence


def require_as_published(publication: Publication) -> None:
    """Require that a publication which is copied to others is what its manifest says.

    Raises
    ------
    PublishError
        If its files or tables are not those of its manifest, or a file that a copy is made from is
        no part of it.
    """
    faults = verify_publication(publication.folder)
    for name in NEEDED:
        if name not in publication.manifest["files"]:
            faults.append(f"{publication.folder / name}: no part of the publication, expected it")
    if faults:
        raise PublishError(f"{faults[0]}; {REMEDY}")


def conditions_hiding_single_cities(catalog: str) -> dict[str, str]:
    """Return, by table of results, the SQL condition of rows that reveal no single city.

    A coefficient by year of one treated city is its own number, less those of cities whose mean
    is known. Where a cohort is one city, its coefficients also follow from those of all cohorts and
    of the other ones, so none by cohort is passed on; nor is one by year without some city, nor
    the estimates without each city in turn, which are one equation a city and outcome.

    Parameters
    ----------
    catalog : str
        Name under which the publication is attached.
    """
    carried = f"""
        select spec_id, concat('event[', event_time, ']') from {catalog}.estimates.estimate
        where cohort_year is null and event_time is not null and n_pilots = 1
    """
    return {
        "estimates.estimate": (
            "cohort_year is null and not coalesce(event_time is not null and n_pilots = 1, false)"
        ),
        "estimates.diagnostic": (
            "diagnostic <> 'leave_out_city' and "
            "not (starts_with(coalesce(term, ''), 'event[') and (starts_with(diagnostic, "
            f"'estimate_without_') or (spec_id, term) in ({carried})))"
        ),
    }


def holds_no_value(schema: str, table: str) -> bool:
    """Return whether a table may be passed on whole, whatever the terms of the sources are."""
    return schema == "estimates" or table in WHOLE.get(schema, ())


def copy_tables(
    con: duckdb.DuckDBPyConnection, draft: Path, free: set[str] | None
) -> list[tuple[str, int, str]]:
    """Copy the tables of the attached database `PUBLISHED` as far as they may be passed on.

    Parameters
    ----------
    con : DuckDBPyConnection
        Of the copy, to which `PUBLISHED` was attached by `attach_untrusted`.
    draft : Path
        Folder in which `parquet/<schema>/<table>.parquet` is written beside it.
    free : set of str or None
        Sources whose values may be passed on; None for all, as of simulated data.

    Returns
    -------
    list of (table, rows left out, why)
        Of the tables that lack something.
    """
    left_out = []
    for schema, table in to_publish(con, PUBLISHED, "table"):
        rows, why = _part(schema, table, free)
        count = f"select count(*) filter (where not ({rows})) from {_source(schema, table)}"
        [(n_left,)] = con.execute(count).fetchall()
        if n_left:
            left_out.append((f"{schema}.{table}", n_left, why))
        if rows == "false":
            continue
        _copy_rows(con, schema, table, rows)
        if f"{schema}.{table}" in ON_REQUEST:
            continue
        (draft / "parquet" / schema).mkdir(parents=True, exist_ok=True)
        path = draft / "parquet" / schema / f"{table}.parquet"
        con.execute(
            f"copy {quote(schema)}.{quote(table)} to {literal(path)} (format parquet, compression "
            "zstd)"
        )
    return left_out


def copy_for_pages(con: duckdb.DuckDBPyConnection, free: set[str]) -> None:
    """Copy the tables that pages are made from, without the single values that no page may show.

    Parameters
    ----------
    con : DuckDBPyConnection
        As of `copy_tables`. Pages take means and counts from tables that are not passed on, so this
        copy is not passed on itself.
    free : set of str
        Sources whose values may be passed on.
    """
    shown = conditions_hiding_single_cities(PUBLISHED) | dict.fromkeys(EMPTIED, "false")
    for name in BY_SOURCE:
        shown[name] = _permitted(name, free)
    for schema, table in to_publish(con, PUBLISHED, "table"):
        _copy_rows(con, schema, table, shown.get(f"{schema}.{table}", "true"))


def _source(schema: str, table: str) -> str:
    return f"{PUBLISHED}.{quote(schema)}.{quote(table)}"


def _copy_rows(con: duckdb.DuckDBPyConnection, schema: str, table: str, rows: str) -> None:
    """Create a table of the copy from some rows, with its comments."""
    con.execute(f"create schema if not exists {quote(schema)}")
    con.execute(
        f"create table {quote(schema)}.{quote(table)} as from {_source(schema, table)} where {rows}"
    )
    here = con.execute("select current_database()").fetchone()[0]
    copy_comments(con, (schema, table), PUBLISHED, here)


def _part(schema: str, table: str, free: set[str] | None) -> tuple[str, str]:
    """Return the condition on the rows of a table that may be passed on, and why not all may."""
    name = f"{schema}.{table}"
    if free is None:
        return "true", ""
    if holds_no_value(schema, table):
        return conditions_hiding_single_cities(PUBLISHED).get(name, "true"), OF_ONE_CITY
    if name in BY_SOURCE:
        return _permitted(name, free), "sources that may not be passed on"
    if name == PAIRS:
        withheld = f"from {PUBLISHED}.{VALUES} where is_current and not {_permitted(VALUES, free)}"
        return f"not exists ({withheld})", SOLVABLE
    if schema == "marts" and table in POLICY and "policy_texts" in free:
        return "true", ""
    return "false", NOT_WHOLE


def _permitted(name: str, free: set[str]) -> str:
    """Return the condition that the sources of a row may all be passed on."""
    listed = ", ".join(map(literal, sorted(free)))
    named = [f"coalesce({column} in ({listed}), false)" for column in BY_SOURCE[name]]
    return f"({' and '.join(named)})"


def describe_copy(publication: Path, draft: Path) -> dict[str, Any]:
    """Return the publication's data package for the tables that are here, with terms and sources.

    The package may have been written by anybody: what is used of it and is not as a refresh writes
    it raises TypeError, KeyError, AttributeError or ValueError.
    """
    package = json.loads((publication / PACKAGE).read_text(encoding="utf-8"))
    # a path of the package is only looked up: whoever made it may have written any
    copied = {path.relative_to(draft).as_posix(): path for path in draft.rglob("*.parquet")}
    kept = []
    for resource in package["resources"]:
        path = copied.get(str(resource["path"]))
        if path:
            kept.append(resource | {"hash": f"sha256:{hash_file(path)}"})
    drop_dangling_keys(kept)
    with open_build(draft, read_only=True) as con:
        named = con.execute(
            "select coalesce(nullif(title, ''), nullif(producer, ''), source_id), licence "
            "from meta.source"
        ).fetchall()
    return package | {
        "resources": kept,
        "licenses": [
            {"name": "MIT", "title": "MIT License", "path": "https://spdx.org/licenses/MIT"}
        ],
        "sources": [
            {"title": f"{title} ({licence or 'terms not stated'})"} for title, licence in named
        ],
        "contributors": [{"title": "citysync", "role": "author"}],
    }
