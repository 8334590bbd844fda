"""Messages between the process that reads a landing and those that parse its files: a length of
eight bytes, then the content.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence

_LENGTH = struct.Struct(">Q")
_PIECE = 1 << 20


def send(channel: socket.socket, content: bytes, descriptors: Sequence[int] = ()) -> None:
    """Send one message, with open files beside it.

    Raises
    ------
    OSError
        If the other side is gone.
    """
    header = _LENGTH.pack(len(content))
    if descriptors:
        socket.send_fds(channel, [header], list(descriptors))
    else:
        channel.sendall(header)
    channel.sendall(content)


def receive(channel: socket.socket) -> tuple[bytes, list[int]] | None:
    """The next message and the open files that came with it; None where the other side is gone."""
    header, descriptors, _, _ = socket.recv_fds(channel, _LENGTH.size, 1)
    while (
        header and len(header) < _LENGTH.size and (more := channel.recv(_LENGTH.size - len(header)))
    ):
        header += more
    if len(header) < _LENGTH.size:
        return None
    content, wanted = bytearray(), _LENGTH.unpack(header)[0]
    while len(content) < wanted:
        piece = channel.recv(min(_PIECE, wanted - len(content)))
        if not piece:
            return None
        content += piece
    return bytes(content), descriptors
