"""Publish the build. How a publication is written is in `warehouse/publication`."""

from __future__ import annotations

from typing import Any

from orchestration.dbt_docs import DBT_DOCS, read_contracts, write_dbt_docs
from orchestration.reuse.fingerprint import require_same_code
from orchestration.run import Run
from orchestration.settings import number
from orchestration.stages.losses import require_no_loss
from orchestration.stages.meta import manifest_of
from warehouse.database import open_build
from warehouse.publication.publish import publish as write_publication


def publish(run: Run) -> dict[str, Any]:
    """Publish the build under the run id that its report names, and return the manifest.

    Raises
    ------
    PublicationLoses
        If much of what the current publication holds would be lost.
    CodeChanged
        If files of the checkout changed since the run began.
    """
    home = run.home
    with open_build(home.build, read_only=True) as con:
        run_id, started_at = con.execute("select run_id, started_at from meta.run").fetchone()
    manifest = manifest_of(run, run_id, started_at)
    require_no_loss(run)
    require_same_code(run.code)
    write_dbt_docs(run.dbt, home.build / DBT_DOCS)
    folders = {name: home.build / name for name in ("report", "data_docs", DBT_DOCS)}
    tables = write_publication(
        home.database,
        home.published,
        manifest=manifest,
        kept=number("KEEP"),
        folders=folders,
        contracts=read_contracts(folders[DBT_DOCS]),
    )
    run.stage_lines.done("publication", f"{len(tables)} tables as {run_id}")
    return {**manifest, "tables": tables}
