"""The job of a worker: turn one delivered file into its raw Parquet file.

The parsers are loaded inside the worker only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from warehouse.ingest.layout_model import Table
from warehouse.ingest.raw_table import FileOrigin


@dataclass(frozen=True)
class RawJob:
    """A delivered file to a Parquet file.

    Attributes
    ----------
    location : str
        Its path.
    origin : FileOrigin
    tables : list of Table or None
        Tables of the layout that fit the file; none for a tidy file, None for a policy text.
    target : str
        Where to write.
    """

    location: str
    origin: FileOrigin
    tables: list[Table] | None
    target: str

    def run(self, _: None) -> list[tuple[str | None, int]]:
        """Return rows by reason; of a policy text the number of clauses, as rows without a
        reason.
        """
        location = Path(self.location)
        target = Path(self.target)
        if self.tables is None:
            from warehouse.ingest.policy.documents import write_policy_text

            counts = write_policy_text(location, self.origin, target)
        else:
            from warehouse.ingest.raw_files import write_raw

            counts = write_raw(location, self.origin, self.tables, target)
        return list(counts.items())
