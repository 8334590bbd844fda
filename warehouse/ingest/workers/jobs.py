"""What a worker is asked to do: turn one delivered file into its raw Parquet file.

The parsers are loaded inside the worker only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from warehouse.ingest.layouts import Table
from warehouse.ingest.raw_table import FileOrigin
from warehouse.ingest.snapshot import open_delivered


@dataclass(frozen=True)
class RawJob:
    """A file of statistics to a Parquet file.

    Attributes
    ----------
    location : str
        Where it lies.
    origin : FileOrigin
    tables : list of Table
        Tables of the layout that fit the file; none for a tidy file.
    target : str
        Where to write.
    """

    location: str
    origin: FileOrigin
    tables: list[Table]
    target: str

    def run(self, _: None) -> list[tuple[str | None, int]]:
        """Rows by reason."""
        from warehouse.ingest.raw_files import write_raw

        counts = write_raw(Path(self.location), self.origin, self.tables, Path(self.target))
        return list(counts.items())


@dataclass(frozen=True)
class PolicyJob:
    """A policy text to a Parquet file of one row."""

    location: str
    origin: FileOrigin
    target: str

    def run(self, _: None) -> list[tuple[None, int]]:
        """The number of clauses, as rows without a reason."""
        from warehouse.ingest.policy.documents import write_policy_text

        with open_delivered(Path(self.location)) as stream:
            counts = write_policy_text(stream.read(), self.origin, Path(self.target))
        return list(counts.items())
