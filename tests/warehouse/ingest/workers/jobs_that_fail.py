"""Jobs that do what a hostile file makes a parser do; in a module of their own, so that a worker
can load them.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from typing import Any

from warehouse.ingest.errors import FileFault


@dataclass(frozen=True)
class Act:
    """Do one thing, by its name."""

    name: str
    argument: Any = None

    def run(self, descriptor: int | None) -> Any:
        """What `name` says."""
        return getattr(self, f"_{self.name}")(descriptor)

    def _echo(self, _: int | None) -> Any:
        return self.argument

    def _pid(self, _: int | None) -> int:
        return os.getpid()

    def _read(self, descriptor: int) -> str:
        return os.pread(descriptor, 100, 0).decode()

    def _fault(self, _: int | None) -> None:
        raise FileFault("a good file", "a bad one", "mend it", "sheet 'S'")

    def _raise(self, _: int | None) -> None:
        raise self.argument

    def _fill(self, _: int | None) -> int:
        return len(bytearray(self.argument))

    def _abort(self, _: int | None) -> None:
        os.abort()

    def _signal(self, _: int | None) -> None:
        os.kill(os.getpid(), self.argument)

    def _exit(self, _: int | None) -> None:
        os._exit(self.argument)

    def _loop(self, _: int | None) -> None:
        while True:
            pass

    def _work(self, _: int | None) -> str:
        while time.process_time() < self.argument:
            pass
        return "done"

    def _sleep(self, _: int | None) -> None:
        # a parser that waits for something uses no processor time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)

    def _nap(self, _: int | None) -> str:
        time.sleep(self.argument)
        return "woke"

    def _many(self, _: int | None) -> None:
        deep: list[Any] = []
        for _level in range(1_000_000):
            deep = [deep]
        repr(deep)
