"""`citysync public OUT`: the current publication as a folder for any static host, without what may
not be passed on.

It contains single values where `warehouse/seeds/source_licences.csv` lets their source be passed
on; `left_out.csv` lists what is missing and why. A publication of simulated data goes whole.
"""

from __future__ import annotations

import csv
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from estimation.csv_files import guard
from orchestration.home import Home
from orchestration.publication_folders import opened
from orchestration.settings import setting
from orchestration.templates import fill
from orchestration.terminal import Exit, end_command, say
from warehouse.database import open_build, open_memory
from warehouse.errors import Refused
from warehouse.publication.datapackage import NAME as PACKAGE
from warehouse.publication.manifest import MANIFEST
from warehouse.publication.redistribution import (
    PUBLISHED,
    copy_for_pages,
    copy_tables,
    describe_copy,
    free_sources,
    require_as_published,
    require_no_recovery,
)
from warehouse.publication.untrusted import Publication, attach_untrusted
from warehouse.whole_files import move_whole

# what tells an earlier public copy, which is replaced, from a folder of somebody's own
OURS = (MANIFEST, "left_out.csv", "llms.txt")


def public(out: str | None, run_id: str | None = None, unmeasured: bool = False) -> int:
    """Write the public folder.

    Parameters
    ----------
    out : folder, made or made again
    run_id : run id of a publication that is kept; None for the current one
    unmeasured : whether a copy of too few cities to measure what it gives away is written, too

    Returns
    -------
    int
        0.

    Raises
    ------
    Refused
        If no folder is named, or it holds something else.
    """
    if not out:
        raise Refused("expected the folder to write; found none; name it: citysync public FOLDER")
    folder = Path(out).resolve()
    is_copy = all((folder / name).exists() for name in OURS)
    if folder.exists() and any(folder.iterdir()) and not is_copy:
        raise Refused(
            f"{folder}: expected no folder, an empty one or an earlier public copy, found other "
            "files; name another folder"
        )
    with opened(Home.from_environment(), run_id) as publication:
        left_out = write_public(publication, folder, unmeasured=unmeasured)
    return end_command(Exit.DONE, f"{folder}; {left_out} tables or parts left out (left_out.csv)")


def write_public(publication: Publication, folder: Path, *, unmeasured: bool = False) -> int:
    """Write the public copy of a publication and return how many tables lack something.

    Raises
    ------
    PublishError
        As `require_as_published` and `require_no_recovery`.
    """
    require_as_published(publication)
    # not beside the folder, which a server may show to others: this one goes with the command
    with tempfile.TemporaryDirectory() as scratch:
        draft = Path(scratch, "public")
        draft.mkdir()
        left_out = _write_draft(publication, draft)
        rows = [("table", "rows left out", "why"), *left_out]
        if not publication.manifest["is_simulated"]:
            n_values, sentence = require_no_recovery(
                publication, draft, folder, unmeasured=unmeasured
            )
            say(sentence)
            rows.append(("", n_values, sentence))
        with open(draft / "left_out.csv", "w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
        move_whole(draft, folder)
    return len(left_out)


def _write_draft(publication: Publication, draft: Path) -> list[tuple[str, int, str]]:
    """Write everything of the public copy but what it lacks, which is returned."""
    folder, manifest, free = publication.folder, publication.manifest, free_sources()
    with open_build(draft) as con:
        attach_untrusted(con, {PUBLISHED: publication.database}, draft)
        left_out = copy_tables(con, draft, None if manifest["is_simulated"] else free)
        left_out += [
            (name, entry["rows"], "one file a year, which is not copied")
            for name, entry in manifest["tables"].items()
            if entry.get("parquet")
        ]
    if manifest["is_simulated"]:
        shutil.copytree(folder / "report", draft / "report", copy_function=shutil.copyfile)
        shutil.copytree(folder / "data_docs", draft / "data_docs")
    else:
        _write_report(publication.database, draft / "report", free)
    shutil.copyfile(folder / MANIFEST, draft / MANIFEST)
    package = describe_copy(folder, draft)
    (draft / PACKAGE).write_text(json.dumps(package, ensure_ascii=False, indent=1), "utf-8")
    _write_texts(draft, package, manifest, left_out)
    return left_out


def _write_report(database: Path, folder: Path, free: set[str]) -> None:
    """Write the pages once more, without the single values that may not be passed on."""
    from estimation.report.data import read_report_data
    from estimation.report.exhibits import write_exhibits
    from estimation.report.site import write_report

    # in memory: no file below the web folder holds what is not passed on, however this ends
    with open_memory() as con:
        attach_untrusted(con, {PUBLISHED: database})
        copy_for_pages(con, free)
        con.execute(f"detach {PUBLISHED}")
        data = read_report_data(con)
        write_exhibits(data, folder)
        write_report(
            con,
            folder,
            data=data,
            is_public=True,
            repository=setting("CITYSYNC_REPOSITORY"),
            address=setting("CITYSYNC_ADDRESS"),
        )


def _name_in_sql(resource: dict[str, Any]) -> str:
    """Return schema and table of a resource, whose own name has no underscore."""
    path = Path(resource["path"])
    return f"{path.parent.name}.{path.stem}"


def _write_texts(
    draft: Path, package: dict[str, Any], manifest: dict[str, Any], left_out: list[Any]
) -> None:
    tables = [
        (_name_in_sql(resource), guard(" ".join(resource.get("description", "").split())))
        for resource in package["resources"]
    ]
    for name in ("README.md", "llms.txt", "index.html"):
        text = fill(
            Path(__file__).with_name(f"public_{name}.j2"),
            tables=tables,
            left_out=left_out,
            **{key: manifest[key] for key in ("run_id", "git_commit", "is_simulated")},
        )
        (draft / name).write_text(text, encoding="utf-8")
