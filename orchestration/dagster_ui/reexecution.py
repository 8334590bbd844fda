"""The UI's button "Re-execute from failure" for runs that the command line made."""

from __future__ import annotations

import dagster as dg
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)

# Where the UI finds the job: the module that `make ui` loads, and the name Dagster gives to a
# module's only repository.
UI_LOCATION, UI_REPOSITORY = "orchestration.definitions", "__repository__"


def let_ui_resume(instance: dg.DagsterInstance, run_id: str, job_name: str) -> None:
    """Note in a run of the command line where the UI finds its job, so that its button "Re-execute
    from failure" works.

    `execute_in_process` leaves no such note, and the UI answers the button with an error of its
    own. There is no public way in dagster 1.13.27 to make or write the note: the three origin
    classes are private, and the public call that writes one (`dagster run migrate-repository`) only
    takes runs that have one already. This does what that command does inside. On an upgrade of
    dagster `tests/orchestration/dagster_ui/test_reexecution.py` shows whether it still holds.
    """
    run = instance.get_run_by_id(run_id)
    if run is not None and run.remote_job_origin is None:
        origin = RemoteJobOrigin(
            RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(UI_LOCATION), UI_REPOSITORY),
            job_name,
        )
        instance.run_storage.replace_job_origin(run, origin)
