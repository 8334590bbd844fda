"""Jobs that do what a hostile file makes a parser do; in a module of their own, so that a worker
can load them.
"""

import os  # noqa: F401 (for the code of acts)
import signal  # noqa: F401
import time
from dataclasses import dataclass
from typing import Any

from warehouse.ingest.errors import FileFault


def fail(error: BaseException) -> None:
    raise error


def fault() -> None:
    raise FileFault("a good file", "a bad one", "mend it", "sheet 'S'")


def work(seconds: float) -> str:
    while time.process_time() < seconds:
        pass
    return "done"


def nest() -> str:
    deep: list[Any] = []
    for _ in range(1_000_000):
        deep = [deep]
    return repr(deep)


@dataclass(frozen=True)
class Act:
    """Evaluate some code."""

    code: str

    def run(self, _: None) -> Any:
        """Its value."""
        return eval(self.code, globals())
