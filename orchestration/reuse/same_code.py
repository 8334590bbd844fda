"""A publication is made by one version of the code: a run whose files changed while it worked
publishes nothing.

Models are read when the run starts and modules when they are first needed, so a `git pull` beside a
refresh would give tables of two versions under the commit of the second.
"""

from __future__ import annotations

from orchestration.reuse.fingerprint import hash_code

_at_start: list[str] = []


class CodeChanged(Exception):
    """Files of the checkout changed while a run worked."""


def note_code() -> None:
    """Remember the code as it is now, at the start of a run of this process."""
    _at_start[:] = [hash_code()]


def require_same_code() -> None:
    """Stop where the code is not as it was noted; nothing where it was not (a run of the UI, which
    loads its code once).

    Raises
    ------
    CodeChanged
        With what to do.
    """
    if _at_start and _at_start != [hash_code()]:
        raise CodeChanged(
            "files of this checkout changed while the run worked (git pull, an editor): nothing "
            "is published; run it again"
        )
