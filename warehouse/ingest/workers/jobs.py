"""What a worker is asked to do: turn one delivered file into its raw Parquet file.

The parsers are loaded inside the worker only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from warehouse.ingest.raw_table import FileOrigin


@dataclass(frozen=True)
class RawJob:
    """A file of statistics, as bytes or (`data` None) as an open file, to a Parquet file.

    Attributes
    ----------
    data : bytes or None
    origin : FileOrigin
    tables : list of SimpleNamespace
        Tables of the layout that fit the file (`plain`); none for a tidy file.
    target : str
        Where to write.
    """

    data: bytes | None
    origin: FileOrigin
    tables: list[SimpleNamespace]
    target: str

    def run(self, descriptor: int | None) -> dict[str, object]:
        """Rows by reason and the sha256 of the Parquet file."""
        from warehouse.ingest.raw_files import write_raw

        return write_raw(self.data, descriptor, self.origin, self.tables, Path(self.target))


@dataclass(frozen=True)
class PolicyJob:
    """A policy text to a Parquet file of one row."""

    data: bytes
    origin: FileOrigin
    target: str

    def run(self, descriptor: int | None) -> dict[str, object]:
        """The number of clauses, as rows without a reason, and the sha256 of the Parquet file."""
        from warehouse.ingest.policy.documents import write_policy_text

        return write_policy_text(self.data, self.origin, Path(self.target))


def plain(value: object) -> object:
    """A layout's model as a bag of its values: a worker that gets it needs neither pydantic nor the
    layout model.
    """
    fields = getattr(type(value), "model_fields", None)
    if fields is not None:
        names = (
            [*fields, "columns"]
            if isinstance(getattr(type(value), "columns", None), property)
            else fields
        )
        return SimpleNamespace(**{name: plain(getattr(value, name)) for name in names})
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value
