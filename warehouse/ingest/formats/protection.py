"""Workbooks that Excel opens without asking: write protection encrypts them under a password that
everybody knows (pure).
"""

from __future__ import annotations

import io

from warehouse.ingest.errors import FileFault, message_of

# the password that Excel itself tries, so that a write-protected workbook opens for reading
# (MS-OFFCRYPTO, section 2.3.5)
DEFAULT_PASSWORD = "VelvetSweatshop"  # noqa: S105 -- a published constant of the file format, no secret
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def is_encrypted(data: bytes) -> bool:
    """Return whether a workbook is encrypted: an xls that says so, or an xlsx wrapped in an
    encrypted package.
    """
    if not data.startswith(OLE_MAGIC):
        return False
    # imported here because few landings need it
    import msoffcrypto

    try:
        return msoffcrypto.OfficeFile(io.BytesIO(data)).is_encrypted()
    except MemoryError:
        raise
    except Exception:  # msoffcrypto raises whatever the damage leads to; reading it says how
        return False


def decrypt_workbook(data: bytes) -> bytes:
    """Return the workbook without its write protection.

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
    import msoffcrypto
    from msoffcrypto.exceptions import DecryptionError, FileFormatError, InvalidKeyError, ParseError

    plain = io.BytesIO()
    try:
        workbook = msoffcrypto.OfficeFile(io.BytesIO(data))
        workbook.load_key(password=DEFAULT_PASSWORD)
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
        found = f"an encrypted one that is truncated or damaged ({message_of(error)})"
        raise FileFault(
            "a workbook that can be decrypted", found, "download or export it again"
        ) from error
    return plain.getvalue()
