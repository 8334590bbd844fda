"""The error of a publication that cannot be made or switched to."""

from __future__ import annotations


class PublishError(Exception):
    """A publication cannot be written or would replace one that it must not."""
