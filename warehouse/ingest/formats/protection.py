"""Workbooks that Excel opens without asking: write protection encrypts them under a password that
everybody knows (pure).
"""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np

from warehouse.ingest.errors import FileFault, said

# the password that Excel itself tries, so that a write-protected workbook opens for reading
# (MS-OFFCRYPTO, section 2.3.5)
DEFAULT_PASSWORD = "VelvetSweatshop"  # noqa: S105 -- a published constant of the file format, no secret
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")


def is_encrypted(data: bytes) -> bool:
    """Whether a workbook is encrypted: an xls whose first record says so, or an xlsx wrapped in an
    encrypted package.
    """
    if not data.startswith(OLE_MAGIC):
        return False
    if _ENCRYPTED_PACKAGE in data:
        return True
    start = data.find(b"\x09\x08\x10\x00\x00\x06")
    record = data[start + 20 : start + 24] if start >= 0 else b""
    if record[:2] == b"\x86\x00":  # a write-protection record stands before it
        record = data[start + 24 : start + 28]
    return record[:2] == b"\x2f\x00"


def decrypt_workbook(data: bytes) -> bytes:
    """The workbook without its write protection.

    Parameters
    ----------
    data : bytes
        A workbook for which ``is_encrypted`` holds.

    Returns
    -------
    bytes
        The plain xls or xlsx file.

    Raises
    ------
    FileFault
        It needs a password of its own, or is damaged.
    """
    # imported here because few landings need it
    import msoffcrypto
    from msoffcrypto.exceptions import DecryptionError, FileFormatError, InvalidKeyError, ParseError

    plain = io.BytesIO()
    try:
        workbook = msoffcrypto.OfficeFile(io.BytesIO(data))
        workbook.load_key(password=DEFAULT_PASSWORD)
        if getattr(workbook, "type", None) == "rc4":
            return _decrypt_rc4(data, workbook)
        workbook.decrypt(plain)
    except InvalidKeyError as error:
        raise FileFault(
            "a workbook that opens without a password",
            "an encrypted one with a password of its own, or a damaged one",
            "open it in Excel with its password and save it without, or deliver it again",
        ) from error
    except (
        DecryptionError,
        FileFormatError,
        ParseError,
        OSError,
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
    ) as error:
        found = f"an encrypted one that is truncated or damaged ({said(error)})"
        raise FileFault(
            "a workbook that can be decrypted", found, "download or export it again"
        ) from error
    return plain.getvalue()


# records of a protected .xls that stay plain: BOF, UsrExcl, FileLock, InterfaceHdr, RRDInfo,
# RRDHead; of BoundSheet8 the first four bytes
_PLAIN_RECORDS = frozenset({0x0809, 0x0194, 0x0195, 0x00E1, 0x0196, 0x0138})
_FILE_PASS, _BOUND_SHEET, _BLOCK = 0x002F, 0x0085, 1024


def _decrypt_rc4(data: bytes, workbook: Any) -> bytes:
    """The plain .xls file: what ``Xls97File.decrypt`` of msoffcrypto does byte by byte, done by
    records (a tenth of its time).

    References
    ----------
    [MS-XLS] 2.2.10: headers of records and some records are not encrypted, and the key changes
    every 1,024 bytes of the stream.
    """
    import olefile
    from msoffcrypto.method.rc4 import DocumentRC4

    with olefile.OleFileIO(io.BytesIO(data)) as container:
        stream = np.frombuffer(container.openstream("Workbook").read(), np.uint8)
    plain, is_plain, place = stream.copy(), np.zeros(len(stream), bool), 0
    while place + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, place)
        end = place + 4 + size
        n_plain = (
            end - place
            if kind in _PLAIN_RECORDS or kind == _FILE_PASS
            else 8
            if kind == _BOUND_SHEET
            else 4
        )
        is_plain[place : place + n_plain] = True
        if kind == _FILE_PASS:
            # a workbook without a key: the record that names it becomes one that says nothing
            plain[place : place + 2] = plain[place + 4 : end] = 0
        place = end
    hidden = np.where(is_plain, 0, stream).astype(np.uint8)
    shown = DocumentRC4.decrypt(
        workbook.key, workbook.salt, io.BytesIO(hidden.tobytes()), blocksize=_BLOCK
    ).read()
    plain[~is_plain] = np.frombuffer(shown, np.uint8)[~is_plain]
    whole = io.BytesIO(data)
    with olefile.OleFileIO(whole, write_mode=True) as container:
        container.write_stream("Workbook", plain.tobytes())
    return whole.getvalue()
