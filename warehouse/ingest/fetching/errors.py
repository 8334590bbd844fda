"""What ends a fetch, with what a person can do instead."""

from __future__ import annotations

from warehouse.ingest.errors import IngestError


class FetchError(IngestError):
    """A service refused, answered something unknown, or gave values that cannot be taken; the
    message says what to do by hand.
    """
