"""`citysync evidence [RUN]`: write the figures in README and docs/evidence from a publication of
delivered files.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from estimation.api.primary import primary
from estimation.data import zones
from estimation.report.data import read_report_data
from estimation.report.exhibits import answer_picture
from orchestration.evidence.pages import write_pages
from orchestration.home import REPO, Home
from orchestration.publication_folders import publication_folder
from orchestration.terminal import Exit, end_command
from warehouse.publication.errors import PublishError
from warehouse.publication.untrusted import open_publication

ZONES = REPO / "estimation" / "data" / "zones.csv"
CITY_PERIODS = """
select stand_in, province_id as block_id, cohort_year, first_year as year, n_years, synchronization
from estimates.city_period
order by stand_in, first_year
"""
PICTURES = {"en": "docs/images/answer.svg", "zh": "docs/images/answer_zh.svg"}
# the README shows what `cs.data.zones` prints between these
PRINTED = ('length="n_years"))\n```\n\n```text\n', "```\n")


def evidence(run: str | None, is_first_landing: bool = False, with_data_set: bool = False) -> int:
    """Write the figures of pages and two pictures from a publication, and on request the data set
    of `cs.data.zones`.

    Parameters
    ----------
    run : str or None
        Run id of a publication that is kept; default: the current one.
    is_first_landing : bool
        Whether the publication has the first of the two delivered landings alone. Then only the
        part "The first landing alone" of docs/evidence/landings.md is written, with its tables.
    with_data_set : bool
        Whether the data set is written, too. Two editions of it reveal more about a city's growth
        than one, so run the attack on both together before you commit a new one
        (docs/data-licences.md).

    Returns
    -------
    Exit
        0 where everything is written.

    Raises
    ------
    PublishError
        Where the publication is of simulated data or lacks tables of the study, or README lacks
        the line on `cs.data.zones`.
    """
    found = open_publication(publication_folder(Home.from_environment(), run))
    run_id = found.manifest["run_id"]
    if found.manifest["is_simulated"]:
        raise PublishError(
            f"run {run_id} is of simulated data: expected one of delivered statistics; refresh "
            "with --landing first"
        )
    with found.connect() as con:
        changed = write_pages(con, REPO, is_first_landing=is_first_landing)
        if not is_first_landing:
            write_pictures(con, REPO)
        if with_data_set:
            ZONES.write_text(zones_text(con, run_id), encoding="utf-8")
    written = ", ".join(changed) or "no page"
    if is_first_landing:
        return end_command(Exit.DONE, f"written from run {run_id}: {written}")
    write_printed(REPO / "README.md")
    return end_command(Exit.DONE, f"written from run {run_id}: pictures and {written}")


def zones_text(con: duckdb.DuckDBPyConnection, run_id: str) -> str:
    """Return ``estimates.city_period`` of an open publication as the text of `zones.csv`."""
    # whole numbers stay whole beside empty cells
    periods = con.execute(CITY_PERIODS).df().convert_dtypes()
    return f"# estimates.city_period of run {run_id}\n{periods.to_csv(index=False)}"


def write_pictures(con: duckdb.DuckDBPyConnection, root: Path) -> None:
    """Write the picture of the answer in both languages below a checkout."""
    data = read_report_data(con)
    for language, name in PICTURES.items():
        (root / name).write_text(answer_picture(data, language), encoding="utf-8", newline="\n")


def write_printed(readme: Path) -> None:
    """Write into the README what its line on `cs.data.zones` prints.

    Raises
    ------
    PublishError
        If the README has no such line.
    """
    begin, end = PRINTED
    before, found, rest = readme.read_text(encoding="utf-8").partition(begin)
    if not found:
        raise PublishError(
            f"{readme}: expected a line that ends with {begin.splitlines()[0]!r} and what it "
            "prints, found none; put it back, or change PRINTED in orchestration/commands/"
            "evidence.py"
        )
    behind = rest.partition(end)[2]
    printed = primary(zones(), "synchronization", unit="stand_in", length="n_years")
    readme.write_text(f"{before}{begin}{printed}\n{end}{behind}", encoding="utf-8")
