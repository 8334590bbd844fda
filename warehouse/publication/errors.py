"""The errors of a publication that cannot or must not be made or switched to."""

from __future__ import annotations

from warehouse.errors import Refused


class PublishError(Refused):
    """A publication cannot be written or would replace one that it must not."""


class PublicationShrinks(Exception):
    """A publication would lose much of what the one before holds, and nobody confirmed that."""
