"""Units of a study in processes of their own, one per core: the longest are begun first, and the
caller puts their rows in order.

The draws of a worker may use every core (CITYSYNC_THREADS): one unit of the headline takes as long
as all small ones, and so no core waits for it. A worker ends with its parent, whatever ends that: a
thread of it waits for nothing else. What it raises is raised again in the parent, with the specs of
the unit in front.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .units import Frames, Rows, Unit

#: Called with a unit and its rows when it is done; returns units that can be run now.
Done = Callable[["Unit", "Rows"], Iterable["Unit"]]


#: A process that has nothing to do ends within a second.
GRACE_SECONDS = 10.0


class WorkerLost(RuntimeError):
    """A worker was ended from outside; the message says what it was at, and what to do."""


def run_here(frames: Frames, units: Iterable[Unit], on_done: Done) -> None:
    """The same as `Workers.run`, in this process."""
    waiting = list(units)
    while waiting:
        unit = waiting.pop(0)
        waiting += on_done(unit, unit.run(frames))


class Workers:
    """Processes that load the estimators when they are started, and wait for marts and units.

    Parameters
    ----------
    size : int
        How many.
    """

    def __init__(self, size: int) -> None:
        # a new interpreter: a forked one would inherit the locks of the threads of DuckDB, Arrow
        # and Dagster
        context = multiprocessing.get_context("spawn")
        self._processes: dict[Connection, Any] = {}
        for _ in range(size):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs,), daemon=True)
            process.start()
            theirs.close()
            self._processes[ours] = process

    def run(self, frames: Frames, units: Iterable[Unit], on_done: Done) -> None:
        """Run units, and those that `on_done` returns.

        Raises
        ------
        StudyError
            Of the first unit that failed, with the traceback of its process as a note; the others
            are given up.
        WorkerLost
            Where a process ended without an answer.
        """
        message = ForkingPickler.dumps(("load", dict(frames)))
        for channel in self._processes:
            self._send(channel, message, "its start")
        waiting, idle, busy = _by_weight(units), list(self._processes), {}
        while waiting or busy:
            while waiting and idle:
                channel, unit = idle.pop(), waiting.pop(0)
                self._send(channel, ForkingPickler.dumps(("run", unit)), unit.name)
                busy[channel] = unit
            for channel in wait(list(busy)):
                unit = busy.pop(channel)
                rows = self._receive(channel, unit.name)
                idle.append(channel)
                waiting = _by_weight([*waiting, *on_done(unit, rows)])

    def close(self, *, at_once: bool = False) -> None:
        """End the processes: those that wait end by themselves, a busy one is killed after some
        seconds or at once.
        """
        for channel in self._processes:
            channel.close()
        for process in self._processes.values():
            process.join(0 if at_once else GRACE_SECONDS)
            process.kill()
            process.join()
        self._processes = {}

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close(at_once=kind is not None)

    def _send(self, channel: Connection, message: Any, at: str) -> None:
        try:
            channel.send_bytes(message)
        except OSError:
            raise self._lost(channel, at) from None

    def _receive(self, channel: Connection, at: str) -> Rows:
        try:
            kind, found, text = channel.recv()
        except (OSError, EOFError):
            raise self._lost(channel, at) from None
        if kind == "done":
            return found
        found.add_note(text)
        raise found

    def _lost(self, channel: Connection, at: str) -> WorkerLost:
        process = self._processes[channel]
        process.join(timeout=5)
        code = process.exitcode
        ended = signal.Signals(-code).name if code is not None and code < 0 else f"exit {code}"
        return WorkerLost(
            f"{at}: a process of the estimates was ended ({ended}), perhaps because memory ran "
            "out; close other programs, or set "
            "CITYSYNC_THREADS=1 for one process alone, then run again"
        )


def _by_weight(units: Iterable[Unit]) -> list[Unit]:
    return sorted(units, key=lambda unit: -unit.weight)


def _serve(channel: Connection) -> None:
    """What a worker does until its channel ends."""
    # the terminal's interrupt is for the parent, which then ends this process
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from ..inference.permutation.draws import show_progress
    from . import units  # noqa: F401 -- unpickling units and marts would load it later; here it loads beside what the parent does

    # a bar would write over the parent's lines, and its lock would be left behind by a process that
    # is killed
    with show_progress(False):
        _answer(channel)


def _answer(channel: Connection) -> None:
    frames: dict[str, Any] = {}
    while True:
        try:
            request, content = channel.recv()
        except (OSError, EOFError):
            return
        if request == "load":
            frames |= content
            continue
        try:
            answer = ("done", content.run(frames), "")
        except Exception as error:
            answer = (
                "failed",
                _plain(error),
                f"in a process of the estimates:\n{traceback.format_exc()}",
            )
        channel.send(answer)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
    os._exit(1)


def _plain(error: Exception) -> Exception:
    """The error without what hangs on it, which need not be picklable: its text holds the cause."""
    from .units import StudyError

    return error if type(error) is StudyError else StudyError(f"{type(error).__name__}: {error}")
