"""Every parser runs in a process of its own: a small pool of long-lived workers, started when the
first file is to be read.

Whatever a parser does (abort, endless loop, out of memory, any error), the file gets a fault that
says so, and the others are read.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import pickle
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from warehouse.ingest.errors import FileFault
from warehouse.ingest.workers.limits import MEGABYTE, Limits
from warehouse.ingest.workers.wire import receive, send

REPO = Path(__file__).resolve().parents[3]
#: A second worker earns its start back where there is more to read than this many bytes or files.
ONE_WORKER_BYTES, ONE_WORKER_FILES = 20_000_000, 200
#: More workers would not hurt the time but each may take the memory of `limits`.
MOST_WORKERS = 4
_MOST_TRIES = 3
_LOST = (
    "the process that starts the readers of files was ended from outside, three times; start the "
    "refresh again"
)
#: Of the time by the clock, what a reader must have worked to get as much again.
_HEADWAY = 0.01
# what is idle or has closed its channel ends by itself
_GRACE_SECONDS = 5.0
_SMALLER = "deliver it in smaller parts, or save it again with the program it came from"
_SERVER = (
    "import gc, sys; gc.disable(); sys.path.insert(0, sys.argv[1]); "
    "from warehouse.ingest.workers.server import main; main(int(sys.argv[2]))"
)
# One thread for each worker; malloc instead of a pool that reserves a gigabyte of address space at
# once.
_SETTINGS = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "ARROW_IO_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
}


class Job(Protocol):
    """Something that a worker can do: sent to it pickled, `run` gets an open file if one was sent,
    and returns plain values.
    """

    def run(self, descriptor: int | None) -> Any:
        """Do it."""


@dataclass
class Task:
    """A job with its limits and what belongs to it on this side.

    Attributes
    ----------
    job : Job
    limits : Limits
    modules : tuple of str
        Loaded once before the worker is forked.
    descriptor : int, optional
        An open file that the job reads; closed when the task has ended.
    size : int
        Bytes of the file.
    note : object
        Not sent.
    n_tries : int
        How often it was begun.
    """

    job: Job
    limits: Limits
    modules: tuple[str, ...] = ()
    descriptor: int | None = None
    size: int = 0
    note: Any = None
    n_tries: int = 0


@dataclass
class Outcome:
    """What a job returned, or the fault of its file; `peak_bytes` is known where the worker
    ended.
    """

    value: Any = None
    fault: FileFault | None = None
    is_unforeseen: bool = False
    peak_bytes: int | None = None


class StarterLostError(RuntimeError):
    """The process that starts the workers was ended from outside, and its workers with it."""


class Worker:
    """One forked process and the task it has."""

    def __init__(self, pid: int, channel: socket.socket) -> None:
        self.pid, self.channel = pid, channel
        self.task: Task | None = None
        self.deadline = 0.0
        self.used_seconds = 0.0

    def give_time(self, seconds: float) -> None:
        """Let it have so long by the clock from now."""
        self.deadline, (_, self.used_seconds) = time.monotonic() + seconds, _state_of(self.pid)

    def is_held_up(self, seconds: float) -> bool:
        """Whether it would work and gets no turn: it waits for a processor, was stopped, or made
        some headway since it was given time.

        What it may use of a processor is limited by the kernel; the clock is for what waits for
        something that does not come, and not for a machine that is busy with other things.
        """
        state, used = _state_of(self.pid)
        return state in ("R", "T", "t") or used - self.used_seconds >= _HEADWAY * seconds


class Pool:
    """Workers of this process. Not for several threads at once: `run` holds a lock."""

    def __init__(self, size: int | None = None) -> None:
        cores = int(os.environ.get("CITYSYNC_THREADS") or os.cpu_count() or 1)
        self.size = size or max(1, min(cores, MOST_WORKERS))
        self._lock = threading.Lock()
        self._server: subprocess.Popen | None = None
        self._control: socket.socket | None = None
        self._idle: list[Worker] = []
        self._modules: set[str] = set()
        self._n_bytes = self._n_files = 0
        #: The highest memory of any worker that has ended.
        self.peak_bytes = 0

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Outcome]]:
        """Tasks with what came of them, in the order in which they end.

        A task is taken from the iterable when a worker is free for it, so no more files are in
        memory than there are workers.

        Raises
        ------
        OSError
            A worker could not write its result (a full disk); the other tasks are given up.
        """
        with self._lock, selectors.DefaultSelector() as waiting:
            try:
                for task in tasks:
                    self._start(task, waiting)
                    self._n_bytes, self._n_files = self._n_bytes + task.size, self._n_files + 1
                    is_large = self._n_bytes > ONE_WORKER_BYTES or self._n_files > ONE_WORKER_FILES
                    while len(waiting.get_map()) >= (self.size if is_large else 1):
                        yield from self._ended(waiting)
                while waiting.get_map():
                    yield from self._ended(waiting)
            finally:
                for worker in [key.data for key in waiting.get_map().values()]:
                    with contextlib.suppress(StarterLostError):
                        self._stop(worker)
                    if worker.task.descriptor is not None:
                        os.close(worker.task.descriptor)

    def start(self) -> None:
        """Load the parsers beside whatever this process does next, so that the first file need not
        wait for them.
        """
        with self._lock:
            if self._server is None:
                self._open()

    def close(self) -> None:
        """End all processes."""
        with contextlib.suppress(StarterLostError):
            for worker in self._idle:
                self._stop(worker, _GRACE_SECONDS)
        self._idle, self._modules = [], set()
        if self._control is not None:
            self._control.close()
        if self._server is not None:
            self._server.wait()
        self._server = self._control = None

    def _start(self, task: Task, waiting: selectors.BaseSelector) -> None:
        task.n_tries += 1
        worker = self._free_worker(task.modules)
        worker.task = task
        worker.give_time(task.limits.clock_seconds)
        # a worker that is gone already answers with the end of its channel
        with contextlib.suppress(OSError):
            descriptors = () if task.descriptor is None else (task.descriptor,)
            send(worker.channel, pickle.dumps((task.limits, task.job)), descriptors)
        waiting.register(worker.channel, selectors.EVENT_READ, worker)

    def _ended(self, waiting: selectors.BaseSelector) -> Iterator[tuple[Task, Outcome]]:
        """Wait for the next answers, ends of workers, or deadlines."""
        first = min(key.data.deadline for key in waiting.get_map().values())
        ready = [key.data for key, _ in waiting.select(max(0.0, first - time.monotonic()))]
        late = [
            key.data
            for key in waiting.get_map().values()
            if key.data.deadline <= time.monotonic() and key.data not in ready
        ]
        for worker in [
            worker for worker in late if worker.is_held_up(worker.task.limits.clock_seconds)
        ]:
            worker.give_time(worker.task.limits.clock_seconds)
            late.remove(worker)
        for worker in [*ready, *late]:
            waiting.unregister(worker.channel)
            task, worker.task = worker.task, None
            try:
                outcome = (
                    self._too_late(worker, task.limits)
                    if worker in late
                    else self._outcome(worker, task.limits)
                )
            except StarterLostError:
                if task.n_tries >= _MOST_TRIES:
                    raise
                self._start(task, waiting)
                continue
            if task.descriptor is not None:
                os.close(task.descriptor)
            yield task, outcome

    def _outcome(self, worker: Worker, limits: Limits) -> Outcome:
        message = receive(worker.channel) if _is_open(worker.channel) else None
        if message is None:
            status, peak = self._stop(worker, _GRACE_SECONDS)
            return Outcome(
                fault=_fault_of_end(status, limits),
                is_unforeseen=_is_unforeseen(status),
                peak_bytes=peak,
            )
        answer = json.loads(message[0])
        peak = None
        if answer.pop("worn"):
            _, peak = self._stop(worker, _GRACE_SECONDS)
        else:
            self._idle.append(worker)
        if "disk" in answer:
            raise OSError(*answer["disk"])
        return _read_answer(answer, limits, peak)

    def _too_late(self, worker: Worker, limits: Limits) -> Outcome:
        _, peak = self._stop(worker)
        fault = FileFault(
            f"a file that can be read within {limits.clock_seconds:g} s",
            "one whose reading does not end",
            _SMALLER,
        )
        return Outcome(fault=fault, peak_bytes=peak)

    def _free_worker(self, modules: tuple[str, ...]) -> Worker:
        for _ in range(_MOST_TRIES):
            with contextlib.suppress(StarterLostError):
                return self._worker_with(modules)
        raise StarterLostError(_LOST)

    def _worker_with(self, modules: tuple[str, ...]) -> Worker:
        if self._server is None or self._server.poll() is not None:
            self._open()
        new = [name for name in modules if name not in self._modules]
        if new:
            # workers that were forked before would each load them on their own
            for worker in self._idle:
                self._stop(worker, _GRACE_SECONDS)
            self._idle = []
            for name in new:
                self._ask("import", name)
            self._modules.update(new)
        return self._idle.pop() if self._idle else self._fork()

    def _open(self) -> None:
        self._idle, self._modules = [], set()
        self._control, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-P", "-c", _SERVER, str(REPO), str(theirs.fileno())]
            # a session of its own: the interrupt key is for the refresh, which then closes this
            self._server = subprocess.Popen(  # constants and this file's own place
                command,
                pass_fds=[theirs.fileno()],
                env=os.environ | _SETTINGS,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def _fork(self) -> Worker:
        ours, theirs = socket.socketpair()
        with theirs:
            return Worker(self._ask("fork", None, (theirs.fileno(),)), ours)

    def _ask(self, request: str, argument: object, descriptors: tuple[int, ...] = ()) -> Any:
        answer = None
        if self._server is not None:
            with contextlib.suppress(OSError):
                send(self._control, json.dumps([request, argument]).encode(), descriptors)
                answer = receive(self._control)
        if answer is None:
            self._lose_starter()
            raise StarterLostError(_LOST)
        return json.loads(answer[0])

    def _lose_starter(self) -> None:
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._control.close()
        self._server, self._control, self._idle = None, None, []

    def _stop(self, worker: Worker, grace_seconds: float = 0.0) -> tuple[int, int]:
        """End a worker, at once or after some time to end by itself; its wait status and its
        highest memory.
        """
        worker.channel.close()
        status, peak = self._ask("end", (worker.pid, grace_seconds))
        self.peak_bytes = max(self.peak_bytes, peak)
        return status, peak


def _state_of(pid: int) -> tuple[str, float]:
    """State of a process in the kernel's letters, and its seconds of processor time so far; nothing
    where the system does not say.
    """
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stream:
            fields = stream.read().rpartition(")")[2].split()
        return fields[0], (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError, ValueError):
        return "", 0.0


def _is_open(channel: socket.socket) -> bool:
    try:
        return bool(channel.recv(1, socket.MSG_PEEK))
    except OSError:
        return False


def _read_answer(answer: dict[str, Any], limits: Limits, peak: int | None) -> Outcome:
    if "done" in answer:
        return Outcome(value=answer["done"], peak_bytes=peak)
    if "fault" in answer:
        return Outcome(fault=FileFault(*answer["fault"]), peak_bytes=peak)
    if "memory" in answer:
        return Outcome(fault=_memory_fault(limits), peak_bytes=peak)
    found = f"one at which the reader stopped ({answer['broken']})"
    action = "save it again with the program it came from; if it opens there, tell the maintainers"
    fault = FileFault("a file that can be read", found, action)
    return Outcome(fault=fault, is_unforeseen=True, peak_bytes=peak)


def _memory_fault(limits: Limits) -> FileFault:
    return FileFault(
        f"a file that can be read within {limits.memory_bytes // MEGABYTE:,} MB of memory",
        "one that needs more",
        _SMALLER,
    )


def _fault_of_end(status: int, limits: Limits) -> FileFault:
    """What to say of a file at which the worker ended."""
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    if number == signal.SIGXCPU:
        return FileFault(
            f"a file that can be read within {limits.cpu_seconds} s",
            "one that takes longer",
            _SMALLER,
        )
    if number == signal.SIGABRT:
        # compiled parsers abort where they are refused memory
        return _memory_fault(limits)
    ended = (
        f"exit {os.waitstatus_to_exitcode(status)}"
        if number is None
        else signal.Signals(number).name
    )
    return FileFault(
        "a file that can be read",
        f"one at which the reader ended ({ended})",
        "save it again with the program it came from",
    )


def _is_unforeseen(status: int) -> bool:
    return not (os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGABRT))


_shared: list[Pool] = []


def shared_pool() -> Pool:
    """The pool of this process, made when it is first asked for."""
    if not _shared:
        _shared.append(Pool())
        atexit.register(close_readers)
    return _shared[0]


def close_readers() -> None:
    """End the processes that read files, until the next file is to be read."""
    for pool in _shared:
        pool.close()
