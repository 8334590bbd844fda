"""Decide whether the values of a source are compared with a publication: not with nothing
published, and not if one of both is simulated.
"""

from __future__ import annotations

import re
from pathlib import Path

from warehouse.publication.manifest import is_simulated

#: What the names of all simulated files hold.
_SIMULATED = re.compile("simulated|模拟")


def why_not_compared(published: Path, folder: Path) -> str:
    """Return why the values of a publication are not compared with the files of a source; empty
    where they are.

    Parameters
    ----------
    published : Path
        A publication, or the link to the current one.
    folder : Path
        Folder of the source.

    Raises
    ------
    PublishError
        If the manifest cannot be read.
    """
    if not (published / "citysync.duckdb").is_file():
        return "nothing has been published in this home: values are not compared"
    if any(_SIMULATED.search(path.name) for path in folder.rglob("*")):
        return "these files are simulated: values are not compared"
    simulated = is_simulated(published)
    if simulated is None:
        return "the publication here does not say whether it is simulated: values are not compared"
    return "the publication here is simulated: values are not compared" if simulated else ""
