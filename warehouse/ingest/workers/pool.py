"""Work in processes of its own: a small pool of long-lived workers, each task under its limits.

Whatever a task does (abort, endless loop, out of memory, any error), its outcome says so, and the
others are done. The readers of delivered files are forked from a process that has loaded the
parsers; the units of the study are run by new interpreters, which share the marts
(`orchestration/unit_workers.py`). What a worker answers is JSON: data and never code.
"""

from __future__ import annotations

import contextlib
import json
import math
import multiprocessing
import os
import pickle
import resource
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

from warehouse.ingest.errors import FileFault

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
#: More readers would not hurt the time but each may take so much memory.
MOST_WORKERS = 4
#: A worker whose address space grew by more is replaced after its task.
_WORN_BYTES = 300_000_000
# what has closed its channel ends by itself
_GRACE_SECONDS = 5.0
# after which the kernel says that a process has ended
_NOTICED_SECONDS = 0.5
_LONGEST_NOTE = 300
_SMALLER = "deliver it in smaller parts, or save it again with the program it came from"
_PRELOAD = "warehouse.ingest.workers.preload"


@dataclass(frozen=True)
class Limits:
    """Bytes that a parser may add, and its seconds of processor time."""

    memory_bytes: int
    cpu_seconds: int


def limits_for(size: int) -> Limits:
    """Return limits for a file of so many bytes."""
    seconds = round(SECONDS + SECONDS_PER_MEGABYTE * max(0, size - FREE_BYTES) / MEGABYTE)
    return Limits(MEMORY_BYTES, seconds)


class Job(Protocol):
    """Something that a worker can do: sent to it pickled; `run` gets what the pool shares with its
    workers, and returns plain values.
    """

    def run(self, given: Any) -> Any:
        """Do it."""


@dataclass
class Task:
    """A job with its limits and what belongs to it on this side.

    Attributes
    ----------
    job : Job
    limits : Limits, optional
        None where it may take what the machine has.
    note : object
        Not sent.
    """

    job: Job
    limits: Limits | None = None
    note: Any = None


@dataclass
class Outcome:
    """What a job returned, or what went wrong.

    Attributes
    ----------
    value : object
    fault : FileFault, optional
        What to say of the task's file where there is no value.
    raised : tuple of str, optional
        Text and traceback of the error that the job raised.
    ended : str
        How the worker ended (`SIGKILL`, `exit 3`) where it did without an answer.
    """

    value: Any = None
    fault: FileFault | None = None
    raised: tuple[str, str] | None = None
    ended: str = ""


class Worker:
    """One process and the task it has."""

    def __init__(self, context: Any, load: Callable[[], object] | None) -> None:
        self.channel, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, load), daemon=True)
        self.process.start()
        theirs.close()
        self.task: Task | None = None
        self._has_shared = False

    def give(self, task: Task, shared: bytes) -> None:
        """Begin a task; a worker that is gone already answers with the end of its channel."""
        self.task = task
        message = pickle.dumps((task.limits, task.job))
        with contextlib.suppress(OSError):
            if not self._has_shared:
                self.channel.send_bytes(shared)
                self._has_shared = True
            self.channel.send_bytes(message)

    def stop(self, grace_seconds: float = 0.0) -> int:
        """End it, at once or after some time to end by itself; its exit code."""
        self.channel.close()
        self.process.join(grace_seconds)
        self.process.kill()
        self.process.join()
        return self.process.exitcode


class Pool:
    """Workers of this process, which end when the context of the pool is left. Not for several
    threads at once: `run` holds a lock.

    Parameters
    ----------
    size : int, optional
        The most workers; default is one per core, and few.
    load : callable, optional
        What a worker does before its first task. Workers are then new interpreters, else they are
        forked from a process that has loaded the parsers of files.
    """

    def __init__(self, size: int | None = None, load: Callable[[], object] | None = None) -> None:
        cores = int(os.environ.get("CITYSYNC_THREADS") or os.cpu_count() or 1)
        self.size = size or max(1, min(cores, MOST_WORKERS))
        self._load = load
        self._context = multiprocessing.get_context("forkserver" if load is None else "spawn")
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        #: The highest memory of any worker after a task.
        self.peak_bytes = 0

    def run(self, tasks: Iterable[Task], shared: Any = None) -> Iterator[tuple[Task, Outcome]]:
        """Tasks with what came of them, in the order in which they end; what is `shared` is sent
        once to each worker.

        A task is taken from the iterable when a worker is free for it, so no more files are in
        memory than there are workers; the iterable is asked again after each outcome, which may
        have brought new tasks.

        Raises
        ------
        OSError
            A worker could not write its result (a full disk); the other tasks are given up.
        """
        coming, busy, to_share = iter(tasks), {}, pickle.dumps(shared)
        with self._lock:
            if self._load is not None:
                self.start()
            try:
                while True:
                    while len(busy) < self.size and (task := next(coming, None)) is not None:
                        worker = self._idle.pop() if self._idle else self._start()
                        busy[worker.channel] = worker
                        worker.give(task, to_share)
                    if not busy:
                        return
                    yield from self._ended(busy)
            finally:
                for worker in busy.values():
                    worker.stop()

    def start(self) -> None:
        """Load what tasks need beside whatever this process does next, so that the first of them
        need not wait.
        """
        if self._load is None:
            multiprocessing.set_forkserver_preload([_PRELOAD])
            forkserver.ensure_running()
        while self._load is not None and len(self._idle) < self.size:
            self._idle.append(self._start())

    def __enter__(self) -> Pool:
        """Return the pool."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let all workers end."""
        self.close()

    def close(self) -> None:
        """Let all workers end; more are started when the next task is run."""
        for worker in self._idle:
            worker.channel.close()
        for worker in self._idle:
            worker.stop(_GRACE_SECONDS)
        self._idle = []

    def _start(self) -> Worker:
        if self._load is None:
            self.start()
        try:
            return Worker(self._context, self._load)
        except (EOFError, ConnectionError):
            # the process that forks the readers was killed, perhaps because memory ran out
            time.sleep(_NOTICED_SECONDS)
            return Worker(self._context, self._load)

    def _ended(self, busy: dict[Connection, Worker]) -> Iterator[tuple[Task, Outcome]]:
        """Wait for the next answers or ends of workers."""
        for channel in wait(list(busy)):
            worker = busy.pop(channel)
            yield worker.task, self._outcome(worker, worker.task.limits)

    def _outcome(self, worker: Worker, limits: Limits | None) -> Outcome:
        try:
            answer = json.loads(worker.channel.recv_bytes())
        except (OSError, EOFError):
            return _outcome_of_end(worker.stop(_GRACE_SECONDS), limits)
        self.peak_bytes = max(self.peak_bytes, answer["peak"])
        if answer["worn"]:
            worker.stop(_GRACE_SECONDS)
        else:
            self._idle.append(worker)
        if "disk" in answer:
            raise OSError(*answer["disk"])
        return _read_answer(answer, limits)


def _read_answer(answer: dict[str, Any], limits: Limits | None) -> Outcome:
    if "done" in answer:
        return Outcome(value=answer["done"])
    if "fault" in answer:
        return Outcome(fault=FileFault(*answer["fault"]))
    if "memory" in answer and limits is not None:
        return Outcome(fault=_memory_fault(limits))
    text, trace = answer.get("broken", ("MemoryError", ""))
    found = f"one at which the reader stopped ({text[:_LONGEST_NOTE]})"
    action = "save it again with the program it came from; if it opens there, tell the maintainers"
    fault = FileFault("a file that can be read", found, action)
    return Outcome(fault=fault, raised=(text, trace))


def _memory_fault(limits: Limits) -> FileFault:
    return FileFault(
        f"a file that can be read within {limits.memory_bytes // MEGABYTE:,} MB of memory",
        "one that needs more",
        _SMALLER,
    )


def _outcome_of_end(code: int, limits: Limits | None) -> Outcome:
    """Return what to say of a file at which the worker ended."""
    if code == -signal.SIGXCPU and limits is not None:
        expected = f"a file that can be read within {limits.cpu_seconds} s"
        return Outcome(fault=FileFault(expected, "one that takes longer", _SMALLER))
    if code == -signal.SIGABRT and limits is not None:
        # compiled parsers abort where they are refused memory
        return Outcome(fault=_memory_fault(limits))
    ended = signal.Signals(-code).name if code < 0 else f"exit {code}"
    found = f"one at which the reader ended ({ended})"
    fault = FileFault(
        "a file that can be read", found, "save it again with the program it came from"
    )
    return Outcome(fault=fault, ended=ended)


def _serve(channel: Connection, load: Callable[[], object] | None) -> None:
    """What a worker does: load, take what is shared, then jobs until its parent closes its side."""
    # the terminal's interrupt is for the parent, which then ends this process
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if load is not None:
        load()
    with contextlib.suppress(OSError, EOFError):
        # from the process that started this one
        shared = pickle.loads(channel.recv_bytes())  # noqa: S301
        while True:
            limits, job = pickle.loads(channel.recv_bytes())  # noqa: S301
            answer = _answer(job, limits, shared)
            channel.send_bytes(json.dumps(answer, default=lambda value: value.item()).encode())


def _end_with_parent() -> None:
    """A refresh that is killed leaves no worker behind."""
    wait([multiprocessing.parent_process().sentinel])
    os._exit(1)


def _answer(job: Job, limits: Limits | None, shared: Any) -> dict[str, object]:
    before = address_space()
    if limits is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime) + limits.cpu_seconds)
        _limit(resource.RLIMIT_AS, before + limits.memory_bytes)
    try:
        answer = _run(job, shared)
    finally:
        if limits is not None:
            _limit(resource.RLIMIT_AS, resource.RLIM_INFINITY)
    worn = limits is not None and address_space() - before > _WORN_BYTES
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return answer | {"worn": worn or "memory" in answer, "peak": peak}


def _run(job: Job, given: Any) -> dict[str, object]:
    """Return what the job returns, or why it did not: a fault of the file, memory, the disk, or any
    other error that a hostile file can cause.
    """
    try:
        return {"done": job.run(given)}
    except FileFault as fault:
        return {"fault": [fault.expected, fault.found, fault.action, fault.where]}
    except MemoryError:
        return {"memory": True}
    except BaseException as error:  # a panic of a compiled parser is no Exception
        if isinstance(error, OSError) and error.filename is not None:
            return {"disk": [error.errno, error.strerror, os.fspath(error.filename)]}
        return {"broken": [f"{type(error).__name__}: {error}", traceback.format_exc()]}


def _limit(kind: int, soft: int) -> None:
    """Set a soft limit, as far as the hard one allows."""
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        soft = hard if soft == resource.RLIM_INFINITY else min(soft, hard)
    resource.setrlimit(kind, (soft, hard))


def address_space() -> int:
    """Return bytes of address space that this process has; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as stream:
            return int(stream.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0
