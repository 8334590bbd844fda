"""How much memory and time the reading of one file may take."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1_000_000
#: What a parser may add to the address space of its process: with the process itself and the
#: refresh it stays under 2 GB.
MEMORY_BYTES = 1_400 * MEGABYTE
#: Seconds of processor time for any file; the delivered landing needs one second for all its files.
SECONDS = 20
#: A large file gets more, as honest tables of a gigabyte exist: so many seconds for each megabyte
#: above `FREE_BYTES`.
SECONDS_PER_MEGABYTE = 1.0
FREE_BYTES = 20 * MEGABYTE


@dataclass(frozen=True)
class Limits:
    """Bytes that a parser may add, and its seconds of processor time."""

    memory_bytes: int
    cpu_seconds: int


def limits_for(size: int) -> Limits:
    """Limits for a file of so many bytes."""
    seconds = round(SECONDS + SECONDS_PER_MEGABYTE * max(0, size - FREE_BYTES) / MEGABYTE)
    return Limits(MEMORY_BYTES, seconds)
