"""The state of one refresh, or of one run of the UI, which is handed from stage to stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchestration.dbt_runner import Dbt
from orchestration.home import Home
from orchestration.reuse.plan import forget_record
from orchestration.stage_lines import StageLines
from warehouse.ingest.workers.pool import Pool

if TYPE_CHECKING:
    from orchestration.resources import RunSettings


@dataclass
class Run:
    """What a stage is given, and what it leaves for later ones.

    Attributes
    ----------
    home : Home
        Where the run reads and writes.
    settings : RunSettings
        What it computes.
    code : mapping of str to str
        What `note_code` returned when the run began: hash and time of change of each file of the
        checkout.
    dbt : Dbt
        dbt on the project of this checkout.
    stage_lines : StageLines
        Prints the line that each stage ends with.
    files : mapping of str to str
        Hash of each file of the landing by its path (`stages.landing.files_of`).
    started_at : datetime
        The clock of the run: its id in the publication follows from it.
    readers : Pool
        Processes that read delivered files.
    counterfactual : Future, optional
        The warehouse without the effect, while it is built in the background.
    is_without_loss : bool
        Whether the run was compared with the last publication and found to lose nothing.
    """

    home: Home
    settings: RunSettings
    code: Mapping[str, str]
    dbt: Dbt
    stage_lines: StageLines
    files: Mapping[str, str]
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    readers: Pool = field(default_factory=Pool)
    counterfactual: Future | None = None
    is_without_loss: bool = False


@contextmanager
def open_run(
    home: Home,
    settings: RunSettings,
    *,
    code: Mapping[str, str],
    files: Mapping[str, str] | None = None,
    stage_lines: StageLines | None = None,
) -> Iterator[Run]:
    """Begin a run; the caller holds the lock of the home. When the run ends, wait for what is still
    built in the background.

    Parameters
    ----------
    home, settings, code : as in `Run`
    files, stage_lines : as in `Run`, where the caller has them already
    """
    forget_record(home)
    run = Run(
        home,
        settings,
        code=code,
        dbt=Dbt(home),
        stage_lines=stage_lines or StageLines(),
        files=files or {},
    )
    try:
        yield run
    finally:
        run.readers.close()
        if run.counterfactual is not None:
            wait([run.counterfactual])
