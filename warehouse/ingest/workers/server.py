"""The other side of `pool`: a process that has loaded the parsers once, and forks one worker
whenever it is asked to.

It has one thread and never parses anything itself, so a fork is safe and costs milliseconds. A
worker takes jobs one after the other, each under limits of memory and processor time, and answers
with JSON: what it answers is data and never code.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import math
import os
import pickle
import resource
import signal
import socket
import sys
import time
from typing import NoReturn

from warehouse.ingest.errors import FileFault
from warehouse.ingest.formats.later_pandas import hold_pandas_back
from warehouse.ingest.workers.limits import Limits
from warehouse.ingest.workers.wire import receive, send

#: A worker whose address space grew by more is replaced after its job.
_WORN_BYTES = 300_000_000
_PR_SET_PDEATHSIG = 1
_LONGEST_NOTE = 300
_PAUSE = 0.002


def main(descriptor: int) -> None:
    """Load the parsers, then fork workers and report how they ended until the parent closes its
    side.
    """
    control = socket.socket(fileno=descriptor)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    hold_pandas_back()
    # modules stay as they are: no collector walks over them, here or in the workers that share
    # their memory
    gc.disable()
    importlib.import_module("warehouse.ingest.raw_files")
    while (message := receive(control)) is not None:
        content, descriptors = message
        request, argument = json.loads(content)
        if request == "fork":
            send(control, json.dumps(_fork(control, descriptors[0])).encode())
        elif request == "import":
            importlib.import_module(argument)
            send(control, json.dumps(None).encode())
        elif request == "end":
            send(control, json.dumps(_end(*argument)).encode())


def _fork(control: socket.socket, descriptor: int) -> int:
    gc.freeze()
    pid = os.fork()
    if pid:
        os.close(descriptor)
        return pid
    control.close()
    gc.enable()
    _work(socket.socket(fileno=descriptor))


def _work(channel: socket.socket) -> NoReturn:
    """Take jobs until the parent closes its side."""
    _end_with_parent()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # what a parser prints before it aborts is no line of the refresh
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    with contextlib.suppress(OSError):
        while (message := receive(channel)) is not None:
            content, descriptors = message
            limits, job = pickle.loads(content)  # noqa: S301 -- from the process that started this one
            send(channel, json.dumps(_answer(job, limits, descriptors)).encode())
    os._exit(0)


def _end(pid: int, grace_seconds: float) -> tuple[int, int]:
    """Wait status and highest memory of a worker that has so long to end by itself and is killed
    then.
    """
    deadline = time.monotonic() + grace_seconds
    while time.monotonic() < deadline:
        ended, status, used = os.wait4(pid, os.WNOHANG)
        if ended:
            return status, used.ru_maxrss * 1024
        time.sleep(_PAUSE)
    os.kill(pid, signal.SIGKILL)
    _, status, used = os.wait4(pid, 0)
    return status, used.ru_maxrss * 1024


def _end_with_parent() -> None:
    """Ask the kernel to end this process with the one that forked it: a refresh that is killed
    leaves no parser behind.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _answer(job: object, limits: Limits, descriptors: list[int]) -> dict[str, object]:
    before = address_space()
    used = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime) + limits.cpu_seconds)
    _limit(resource.RLIMIT_AS, before + limits.memory_bytes)
    try:
        answer = _run(job, descriptors)
    finally:
        _limit(resource.RLIMIT_AS, resource.RLIM_INFINITY)
        for descriptor in descriptors:
            os.close(descriptor)
    return answer | {"worn": address_space() - before > _WORN_BYTES or "memory" in answer}


def _run(job: object, descriptors: list[int]) -> dict[str, object]:
    """What the job returns, or why it did not: a fault of the file, memory, the disk, or any other
    error that a hostile file can cause.
    """
    try:
        return {"done": job.run(descriptors[0] if descriptors else None)}
    except FileFault as fault:
        return {"fault": [fault.expected, fault.found, fault.action, fault.where]}
    except MemoryError:
        return {"memory": True}
    except OSError as error:
        if error.filename is None:
            return {"broken": _named(error)}
        return {"disk": [error.errno, error.strerror, os.fspath(error.filename)]}
    except BaseException as error:  # a panic of a compiled parser is no Exception
        return {"broken": _named(error)}


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:_LONGEST_NOTE]


def _limit(kind: int, soft: int) -> None:
    """Set a soft limit, as far as the hard one allows."""
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        soft = hard if soft == resource.RLIM_INFINITY else min(soft, hard)
    resource.setrlimit(kind, (soft, hard))


def address_space() -> int:
    """Bytes of address space that this process has; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as stream:
            return int(stream.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0
