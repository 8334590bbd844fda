"""The report: write what changed since the last publication and what the run was into `meta`, then
every page of the site from the tables.

Pages are in `estimation/report`.
"""

from __future__ import annotations

from orchestration.run import Run
from orchestration.settings import setting
from orchestration.stages.meta import manifest_of, write_check_changes, write_meta
from warehouse.database import open_build
from warehouse.publication.change_tables import write_changes
from warehouse.publication.publish import run_id_of
from warehouse.publication.tables import comment_tables


def write(run: Run) -> int:
    """Write the tables of `meta` and every page of the site into the build; return the number of
    pages in each language.
    """
    from estimation.report.data import read_report_data
    from estimation.report.exhibits import write_exhibits
    from estimation.report.replication_files import write_replication
    from estimation.report.site import write_report

    home = run.home
    compared = write_changes(home.published, home.build, run.settings.is_simulated)
    write_check_changes(run)
    started_at = run.started_at.isoformat(timespec="microseconds")
    write_meta(home, manifest_of(run, run_id_of(run.started_at), started_at), compared)
    with open_build(home.build) as con:
        comment_tables(con)
    with open_build(home.build, read_only=True) as con:
        data = read_report_data(con)
        exhibits = write_exhibits(data, home.build / "report")
        write_replication(con, home.build / "report" / "replication")
        # last: it links to the files written above
        write_report(
            con,
            home.build / "report",
            data=data,
            repository=setting("CITYSYNC_REPOSITORY"),
            address=setting("CITYSYNC_ADDRESS"),
        )
    # each page is in both languages, so those of one are counted
    n_pages = len(list((home.build / "report" / "zh").glob("*.html")))
    run.stage_lines.done(
        "report",
        f"{n_pages} pages in two languages; figures and tables in {len(exhibits)} files",
    )
    return n_pages
