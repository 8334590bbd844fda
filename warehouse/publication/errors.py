"""Errors that refuse to write, read or switch to a publication."""

from __future__ import annotations

from warehouse.errors import Refused


class PublishError(Refused):
    """A publication cannot be written or read, or would replace one that must stay."""


class PublicationLoses(Exception):
    """A build lost much of what the last publication holds, and nobody confirmed the loss."""
