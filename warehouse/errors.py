"""What ends a command for a reason that the person at it can put right."""

from __future__ import annotations


class Refused(Exception):
    """Base of such errors: exit code 2, and the message says what was expected, what was found and
    what to do. Of several lines the first one sums up.
    """
