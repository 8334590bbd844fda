"""`citysync verify --landing path`: read the delivered files again and compare them with what was
published.

No cache is used: files are read anew, and the models up to accepted values run on them. It takes
as long as reading the landing and ten seconds more.
"""

from __future__ import annotations

import os
from pathlib import Path

from orchestration.dbt_runner import Dbt, raise_on_failure
from orchestration.home import Home, set_tool_environment
from orchestration.settings import RECORDED_SETTINGS, check_recorded
from orchestration.terminal import say
from warehouse.ingest.errors import LandingError
from warehouse.ingest.landing import find_files, read_landing
from warehouse.ingest.layouts import layouts_of
from warehouse.publication.compare_with_landing import input_faults, value_faults
from warehouse.publication.untrusted import open_publication
from warehouse.whole_files import remove_any

#: Seeds and models that the compared tables come from.
MODELS = ("+int_observations_corrected", "+rejected_value", "+stg_policy__clauses")
NO_TESTS = ("--exclude-resource-type", "unit_test", "test")


def faults_of_landing(home: Home, publication: Path, landing: Path) -> list[str]:
    """Compare a publication with the files it was made from; the caller holds the lock of the home.

    Returns
    -------
    list of str
        One line per file that changed or is missing, and per kind of row that differs; empty where
        all is as delivered.

    Raises
    ------
    LandingError
        The landing is missing, no folder, or a file of it cannot be read.
    PublishError
        The manifest or a table of the publication cannot be used.
    """
    found = open_publication(publication)
    manifest = found.manifest
    settings = check_recorded(manifest.get("settings", {}))
    layouts = layouts_of(landing)
    present = {file.path: file.location for file in find_files(landing, layouts)}
    new = set(present) - {entry["path"] for entry in manifest["inputs"]}
    changed = input_faults(manifest["inputs"], landing, present)
    faults = list(changed.values())
    if new:
        say(
            f"landing: {len(new):,} files came after run {manifest['run_id']} and are left out, "
            f"first {sorted(new)[0]!r}"
        )
    scratch = home.root / "verified"
    remove_any(scratch)
    try:
        # editions are left out as they were; the process ends with this command
        os.environ.update({**dict.fromkeys(RECORDED_SETTINGS, ""), **settings})
        set_tool_environment(home)
        read_landing(landing, scratch / "raw", scratch / "build", layouts=layouts)
        dbt = Dbt(home)
        raise_on_failure(dbt.run("build", MODELS, build=scratch / "build", options=NO_TESTS))
        differences, n_rows = value_faults(found.database, scratch / "build", [*changed, *new])
    except LandingError as error:
        # a file that changed or came later may be one that cannot be read, and the values of the
        # others are not compared then
        if not (faults or new):
            raise
        return [*faults, f"the values were not compared: {error}"]
    finally:
        remove_any(scratch)
    say(
        f"landing: {len(manifest['inputs']) - len(changed):,} files have their hashes, {n_rows:,} "
        "published rows were compared with them"
    )
    return [*faults, *differences]
