"""`citysync public OUT`: the current publication as a folder for any static host, without what may
not be passed on.

Single values stand in it where `warehouse/seeds/source_licences.csv` lets their source be passed
on; `left_out.csv` lists what is missing and why. A publication of simulated data goes whole.
"""

from __future__ import annotations

import csv
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import jinja2

from estimation.csv_files import guard
from orchestration.commands.publications import publication_folder
from orchestration.home import REPO, Home
from orchestration.terminal import Exit, end_command
from warehouse.errors import Refused
from warehouse.hashing import hash_file
from warehouse.publication.datapackage import NAME as PACKAGE
from warehouse.publication.foreign import DATABASE
from warehouse.publication.manifest import MANIFEST, read_manifest
from warehouse.publication.table_comments import comment_tables
from warehouse.whole_files import remove_any

LICENCES = REPO / "warehouse/seeds/source_licences.csv"
# results, facts of the seeds and counts: no single value of a source. A table that is not named
# here or below is left out.
WHOLE = {
    "marts": (
        "dim_city",
        "dim_indicator",
        "dim_literature",
        "dim_other_policy",
        "dim_pilot_zone",
        "dim_study_claim",
        "fct_coverage",
        "fct_pair_synchronization",
        "fct_policy_overlap",
    ),
    "meta": ("estimate_change", "input_file", "publication_change", "run", "source"),
    "quality": ("expectation_result",),
}
# every row names the sources of its values
BY_SOURCE = {
    "marts.fct_indicator_conflict": ("chosen_source_id", "other_source_id"),
    "marts.fct_indicator_observation": ("source_id",),
    "marts.fct_indicator_revision": ("source_id",),
    "quality.rejected_value": ("source_id",),
}
# tables of single values that pages show row by row
EMPTIED = (
    "marts.dim_codebook",
    "marts.fct_series_passage",
    "meta.current_change",
    "meta.flag_change",
    "quality.expectation_row",
)
_NAMES = "select schema_name || '.' || table_name from duckdb_tables()"
POLICY = ("dim_policy_document", "fct_policy_clause", "fct_policy_tool", "fct_policy_zone")
# the gap of two growth rates is a single value in another dress
WITHOUT = ("neg_abs_gap_", "neg_abs_residual_")
NOT_WHOLE = "repeats values of sources that may not be passed on"


def public(out: str, run_id: str | None = None) -> int:
    """Write the public folder.

    Parameters
    ----------
    out : folder, made or made again
    run_id : run id of a publication that is kept; None for the current one

    Returns
    -------
    int
        0.

    Raises
    ------
    Refused
        If the folder holds something else.
    """
    folder = Path(out).resolve()
    if folder.exists() and any(folder.iterdir()) and not (folder / "llms.txt").exists():
        raise Refused(
            f"{folder}: expected no folder, an empty one or an earlier public copy, found other "
            "files; name another folder"
        )
    publication = publication_folder(Home.from_environment(), run_id)
    left_out = write_public(publication, folder)
    return end_command(Exit.DONE, f"{folder}; {left_out} tables or parts left out (left_out.csv)")


def write_public(publication: Path, folder: Path) -> int:
    """Write the public copy of a publication and return how many tables lack something."""
    manifest = read_manifest(publication)
    free = {
        row["source_id"]
        for row in csv.DictReader(LICENCES.read_text(encoding="utf-8").splitlines())
        if row["may_be_passed_on"] == "true"
    }
    draft = folder.with_name(f".{folder.name}.new")
    remove_any(draft)
    draft.mkdir(parents=True)
    with duckdb.connect(draft / DATABASE) as con:
        con.execute("attach ? as published (read_only)", [str(publication / DATABASE)])
        left_out = _write_tables(con, draft, None if manifest["is_simulated"] else free)
        con.execute("detach published")
        comment_tables(con)
    if manifest["is_simulated"]:
        shutil.copytree(publication / "report", draft / "report", copy_function=shutil.copyfile)
        shutil.copytree(publication / "data_docs", draft / "data_docs")
    else:
        _write_report(publication, draft, free)
    shutil.copyfile(publication / MANIFEST, draft / MANIFEST)
    package = _package(publication, draft)
    (draft / PACKAGE).write_text(json.dumps(package, ensure_ascii=False, indent=1), "utf-8")
    with open(draft / "left_out.csv", "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerows([("table", "rows left out", "why"), *left_out])
    _write_texts(draft, package, manifest, left_out)
    remove_any(folder)
    draft.rename(folder)
    return len(left_out)


def _write_tables(
    con: duckdb.DuckDBPyConnection, draft: Path, free: set[str] | None
) -> list[tuple[str, int, str]]:
    """Tables as far as they may be passed on (all where `free` is None), in the database and as
    Parquet; those that lack something.
    """
    left_out = []
    names = con.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'published' "
        "order by all"
    ).fetchall()
    for schema, table in names:
        rows, columns, why = _part(con, schema, table, free)
        source = f'published."{schema}"."{table}"'
        count = con.execute(f"select count(*) filter (where not ({rows})) from {source}")
        n_left = count.fetchone()[0]
        if why and (n_left or columns != "*"):
            left_out.append((f"{schema}.{table}", n_left, why))
        if rows == "false":
            continue
        con.execute(f'create schema if not exists "{schema}"')
        con.execute(
            f'create table "{schema}"."{table}" as select {columns} from {source} where {rows}'
        )
        (draft / "parquet" / schema).mkdir(parents=True, exist_ok=True)
        path = draft / "parquet" / schema / f"{table}.parquet"
        con.execute(f'copy "{schema}"."{table}" to \'{path}\' (format parquet, compression zstd)')
    return left_out


def _part(
    con: duckdb.DuckDBPyConnection, schema: str, table: str, free: set[str] | None
) -> tuple[str, str, str]:
    """Which rows and columns of a table may be passed on, and why not all."""
    if free is None or schema == "estimates":
        return "true", "*", ""
    name = f"{schema}.{table}"
    if name in BY_SOURCE:
        listed = ", ".join(f"'{source}'" for source in sorted(free))
        rows = " and ".join(
            f"coalesce({column} in ({listed}), false)" for column in BY_SOURCE[name]
        )
        return rows, "*", "sources that may not be passed on"
    if table in POLICY and schema == "marts":
        return ("true" if "policy_texts" in free else "false"), "*", NOT_WHOLE
    if table not in WHOLE.get(schema, ()):
        return "false", "*", NOT_WHOLE
    found = con.execute(
        "select column_name from duckdb_columns() where database_name = 'published' and "
        "schema_name = ? and table_name = ?",
        [schema, table],
    ).fetchall()
    hidden = [column for (column,) in found if column.startswith(WITHOUT)]
    if not hidden:
        return "true", "*", ""
    return "true", f"* exclude ({', '.join(hidden)})", f"columns: {', '.join(hidden)}"


def _permitted(name: str, free: set[str]) -> str:
    """The rows of a table whose sources may all be passed on."""
    listed = ", ".join(f"'{source}'" for source in sorted(free))
    return " and ".join(f"coalesce({column} in ({listed}), false)" for column in BY_SOURCE[name])


def _write_report(publication: Path, draft: Path, free: set[str]) -> None:
    """The pages once more, from a copy without the single values that may not be passed on."""
    from estimation.report.exhibits import write_exhibits
    from estimation.report.site import write_report

    with tempfile.TemporaryDirectory(dir=draft) as folder:
        copy = Path(folder) / DATABASE
        shutil.copyfile(publication / DATABASE, copy)
        with duckdb.connect(copy) as con:
            present = {row[0] for row in con.execute(_NAMES).fetchall()}
            for name in present.intersection(BY_SOURCE):
                con.execute(f"delete from {name} where not ({_permitted(name, free)})")
            for name in present.intersection(EMPTIED):
                con.execute(f"delete from {name}")
            write_exhibits(con, draft / "report")
            write_report(con, draft / "report", is_public=True)


def _package(publication: Path, draft: Path) -> dict[str, Any]:
    """The publication's data package for the tables that are here, with terms and sources."""
    package = json.loads((publication / PACKAGE).read_text(encoding="utf-8"))
    kept = []
    for resource in package["resources"]:
        path = draft / resource["path"]
        if path.exists():
            here = set(duckdb.read_parquet(str(path)).columns)
            fields = [field for field in resource["schema"]["fields"] if field["name"] in here]
            resource["schema"]["fields"] = fields
            kept.append(resource | {"hash": f"sha256:{hash_file(path)}"})
    sources = duckdb.read_parquet(str(draft / "parquet/meta/source.parquet")).fetchall()
    named = [
        (title or producer or source, licence)
        for source, _, producer, title, licence, *_ in sources
    ]
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


def _write_texts(
    draft: Path, package: dict[str, Any], manifest: dict[str, Any], left_out: list[Any]
) -> None:
    environment = jinja2.Environment(  # noqa: S701 - no page
        loader=jinja2.FileSystemLoader(Path(__file__).parent), keep_trailing_newline=True
    )
    tables = [
        (resource["name"], guard(resource.get("description", "")))
        for resource in package["resources"]
    ]
    for name in ("README.md", "llms.txt"):
        text = environment.get_template(f"public_{name}.j2").render(
            tables=tables,
            left_out=left_out,
            **{key: manifest[key] for key in ("run_id", "git_commit", "is_simulated")},
        )
        (draft / name).write_text(text, encoding="utf-8")
