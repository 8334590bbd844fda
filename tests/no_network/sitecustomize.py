"""Loaded by every Python process of a test's refresh: a look-up of, or a connection to, any host
but this one is written down and fails. SQLite does not wait for the disk: Dagster commits 1,800
times in a refresh, and what only a loss of power would take is not tested.
"""

import os
import socket
import sqlite3
import sys

LOCAL = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "", None, socket.gethostname()}
_look_up, _connect = socket.getaddrinfo, socket.socket.connect
_open = sqlite3.connect


def _refuse(what: str) -> None:
    log = os.environ.get("CITYSYNC_TEST_LOOKUPS")
    if log:
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"{what} by {' '.join(sys.orig_argv)}\n")
    raise OSError(f"test without network: {what}")


def _checked_look_up(host, *arguments, **options):
    name = host.decode() if isinstance(host, bytes) else host
    if name not in LOCAL:
        _refuse(f"look-up of {name}")
    return _look_up(host, *arguments, **options)


def _checked_connect(self, address):
    if isinstance(address, tuple) and str(address[0]) not in LOCAL:
        _refuse(f"connection to {address[0]}")
    return _connect(self, address)


def _opened_without_waiting(*arguments, **options):
    database = _open(*arguments, **options)
    database.execute("pragma synchronous = off")
    return database


# SQLAlchemy takes it from the second
sqlite3.connect = sqlite3.dbapi2.connect = _opened_without_waiting
socket.getaddrinfo = _checked_look_up
socket.socket.connect = _checked_connect
