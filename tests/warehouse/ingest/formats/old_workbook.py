"""A small .xls file written record by record: enough of BIFF 8 in an OLE container for a reader to
open it.
"""

import struct

SECTOR = 512
END, FREE, FAT_SECTOR = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def text_cell(row: int, col: int, text: str) -> bytes:
    return record(
        0x0204, struct.pack("<HHHHB", row, col, 0, len(text), 1) + text.encode("utf-16-le")
    )


def font_record(form: int = 0) -> bytes:
    """A font; 1 raises its letters, 2 lowers them."""
    return record(
        0x0031, struct.pack("<HHHHHBBBBBB", 200, 0, 0x7FFF, 400, form, 0, 0, 0, 0, 1, 0) + b"A"
    )


def shared_texts(texts: list[list[tuple[str, int]]], most_bytes: int = 8224) -> bytes:
    """The table of shared texts, each made of runs of a text and a font, cut into records of so
    many bytes as Excel does.
    """
    pieces = [bytearray(struct.pack("<II", len(texts), len(texts)))]

    def put(part: bytes) -> None:
        if len(pieces[-1]) + len(part) > most_bytes:
            pieces.append(bytearray())
        pieces[-1].extend(part)

    for runs in texts:
        text = "".join(part for part, _ in runs)
        put(struct.pack("<HBH", len(text), 9, len(runs) - 1))
        for sign in text:
            if len(pieces[-1]) + 2 > most_bytes:
                # a text that goes on in the next record says its width again
                pieces.append(bytearray(b"\x01"))
            pieces[-1].extend(sign.encode("utf-16-le"))
        place = len(runs[0][0])
        for part, font in runs[1:]:
            put(struct.pack("<HH", place, font))
            place += len(part)
    return b"".join(
        record(0x003C if number else 0x00FC, bytes(piece)) for number, piece in enumerate(pieces)
    )


def shared_text_cell(row: int, col: int, number: int) -> bytes:
    return record(0x00FD, struct.pack("<HHHI", row, col, 0, number))


def merged_record(*ranges: tuple[int, int, int, int]) -> bytes:
    """Merged cells: first and last row, first and last column of each range."""
    return record(
        0x00E5,
        struct.pack("<H", len(ranges)) + b"".join(struct.pack("<HHHH", *cells) for cells in ranges),
    )


def number_cell(row: int, col: int, value: float, style: int = 0) -> bytes:
    return record(0x0203, struct.pack("<HHHd", row, col, style, value))


def hundredths_cells(row: int, col: int, values: list[int], style: int) -> bytes:
    """A run of numbers in the short form, each stored as hundredths."""
    run = b"".join(struct.pack("<HI", style, (value << 2) | 3) for value in values)
    return record(
        0x00BD, struct.pack("<HH", row, col) + run + struct.pack("<H", col + len(values) - 1)
    )


def error_cell(row: int, col: int, code: int) -> bytes:
    return record(0x0205, struct.pack("<HHHBB", row, col, 0, code, 1))


def failed_formula(row: int, col: int, code: int) -> bytes:
    """The formula =1/0 with a stored error."""
    tokens = b"\x1e\x01\x00\x1e\x00\x00\x06"
    result = bytes([2, 0, code, 0, 0, 0, 0xFF, 0xFF])
    return record(
        0x0006,
        struct.pack("<HHH", row, col, 0) + result + struct.pack("<HIH", 0, 0, len(tokens)) + tokens,
    )


def format_record(number: int, code: str) -> bytes:
    return record(0x041E, struct.pack("<HHB", number, len(code), 1) + code.encode("utf-16-le"))


def style_record(number: int) -> bytes:
    """A style of the given number format."""
    return record(0x00E0, struct.pack("<HH", 0, number) + bytes(16))


def write_xls(sheet_name: str, cells: list[bytes], styles: bytes = b"") -> bytes:
    """A workbook with one sheet of the given cell records; ``styles`` are records of formats and
    styles.
    """
    name = struct.pack("<BB", len(sheet_name), 1) + sheet_name.encode("utf-16-le")

    def head(start: int) -> bytes:
        bof = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0))
        return (
            bof
            + styles
            + record(0x0085, struct.pack("<IBB", start, 0, 0) + name)
            + record(0x000A, b"")
        )

    start = len(head(0))
    sheet = (
        record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0))
        + b"".join(cells)
        + record(0x000A, b"")
    )
    return _container((head(start) + sheet).ljust(4096, b"\0"))


def _container(stream: bytes) -> bytes:
    """An OLE file with one stream, Workbook, of at least 4,096 bytes."""
    stream = stream.ljust(-(-len(stream) // SECTOR) * SECTOR, b"\0")
    n = len(stream) // SECTOR
    fat = [FAT_SECTOR, END, *range(3, n + 2), END]
    fat_bytes = struct.pack(f"<{len(fat)}I", *fat).ljust(SECTOR, b"\xff")
    entries = _entry("Root Entry", 5, END, 0, child=1) + _entry("Workbook", 2, 2, len(stream))
    header = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(16)
        + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    )
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, END, 0, END, 0)
    header += struct.pack("<109I", 0, *[FREE] * 108)
    return header + fat_bytes + entries.ljust(SECTOR, b"\0") + stream


def _entry(name: str, kind: int, start: int, size: int, child: int = FREE) -> bytes:
    encoded = (name + "\0").encode("utf-16-le")
    head = encoded.ljust(64, b"\0") + struct.pack(
        "<HBBIII", len(encoded), kind, 1, FREE, FREE, child
    )
    return head + bytes(16 + 4 + 16) + struct.pack("<IQ", start, size)
