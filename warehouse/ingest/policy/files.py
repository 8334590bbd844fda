"""Bytes of a policy text to plain text, by format: txt, md, html, docx, pdf with a text layer
(pure: nothing is fetched or executed).
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import PurePosixPath

from warehouse.ingest.errors import FileFault
from warehouse.ingest.policy.docx import read_docx
from warehouse.ingest.policy.html import visible_text

MAX_PAGES = 2_000
MAX_BROKEN_SHARE = 0.02
MIN_HANZI = 20
MIN_HANZI_SHARE = 0.05
MIN_COMMON_SHARE = 0.3
BROKEN = "\ufffd"
HANZI = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
HANZI_RUN = re.compile(rf"{HANZI.pattern}+")

#: Frequent characters of written Chinese in both scripts: in a text decoded by the wrong table they
#: are rare.
COMMON_HANZI = frozenset(
    "的一是在不了有和人这中大为上个国我以要时来用们生到作地于出就分对成会可主发年动同工也能下过子产种面而方后多定行学法所民得经三之进"
    "等部度家电力如化高自二理物现实加量两体制机当使点从业本性好应开合因由其前外天政四日社事平形全表间样与关各重新线内数正心明利比或但"
    "质第向变条结解问意建月公系情者最立代通并提题党程展五果员革位入常文总次品式活设及管特件长求基资流路级统接知较将组计期根论农指区强放"
    "决被做必先则任据处给保治造规领海口东导器志金增济思术交受联认六共权收证改采转更单切教速带安场例务具每目至达积示议报完类名确科信节整"
    "元今集传步广记需研界算低持众布复际商非验深难千周委技备半办省列约支便团市构府准精值号率维划选标存效院查型按格置专状育识适属包调满县局"
    "參這為個國時來們對會發動產種後學經進電務現實體業綜試區設關應開從質變條結題黨員總設統將組論農強處給導濟術聯認權證採轉單帶場報類確"
    "節記際驗難備辦約構準號維劃選標專狀識適屬調縣企境贸易跨税汇支付仓储物流园创新试综"
)


def read_policy_text(data: bytes, file_name: str) -> str:
    """Return the text of a policy document, one line per line or paragraph, in the order of the
    file.

    Parameters
    ----------
    data : bytes
        The file as delivered.
    file_name : str
        Its name; the suffix says the format.

    Raises
    ------
    FileFault
        The file is empty, too large, of another format than its name says, encrypted, holds macros
        or outside parts, has no text layer, no encoding that fits, or no Chinese text.
    """
    suffix = PurePosixPath(file_name).suffix.lower()
    reader = _READERS.get(suffix)
    if reader is None:
        raise FileFault(
            "a policy text as txt, md, html, docx or pdf",
            f"'{suffix or 'no suffix'}'",
            "convert it to one of these formats",
        )
    if not data.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise FileFault("a policy text", "an empty file", "deliver the file again")
    _check_format(data, suffix)
    text = reader(data).replace("\r\n", "\n").replace("\r", "\n")
    _check_chinese(text, suffix)
    return text


def _check_format(data: bytes, suffix: str) -> None:
    """Compare the first bytes with what the name promises."""
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    kinds = (
        (b"%pdf", ".pdf"),
        (b"pk\x03\x04", ".docx"),
        (b"\xd0\xcf\x11\xe0", ".doc"),
        (b"<!doctype html", ".html"),
        (b"<html", ".html"),
    )
    found = next((kind for start, kind in kinds if head.startswith(start)), ".txt")
    same = {".md": ".txt", ".htm": ".html"}.get(suffix, suffix)
    if found == same or (same == ".html" and found == ".txt"):
        return
    raise FileFault(
        f"the format that the name says ({suffix})",
        f"the beginning of a {found} file",
        "give the file its true suffix",
    )


def _check_chinese(text: str, suffix: str) -> None:
    needed = max(MIN_HANZI, MIN_HANZI_SHARE * min(len(text), 200_000))
    # the beginning of nearly every text holds enough of them
    if _count_hanzi(text[: int(4 * needed)]) >= needed:
        return
    n_hanzi = _count_hanzi(text)
    if n_hanzi >= needed:
        return
    n_letters = sum(map(str.isalpha, text[:200_000]))
    if n_hanzi < MIN_HANZI and suffix == ".pdf":
        raise FileFault(
            "a pdf with a text layer",
            f"{n_hanzi} Chinese characters (a scan?)",
            "deliver the text, or a pdf after text recognition",
        )
    if n_hanzi < MIN_HANZI or n_hanzi < MIN_HANZI_SHARE * n_letters:
        found = f"{n_hanzi} Chinese characters among {n_letters} letters"
        raise FileFault(
            f"a text in Chinese of at least {MIN_HANZI} characters",
            found,
            "deliver the Chinese original",
        )


def _count_hanzi(text: str) -> int:
    return sum(map(len, HANZI_RUN.findall(text)))


def decode_text(data: bytes) -> str:
    """Return the text of bytes in UTF-8 (or UTF-16 with its mark), GB18030 or Big5; single broken
    bytes become U+FFFD.

    Raises
    ------
    FileFault
        If no encoding gives readable Chinese or Latin text.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if b"\x00" in data[:4096]:
        raise FileFault("a text file", "binary data (zero bytes)", "save it as UTF-8 text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    for encoding in ("gb18030", "utf-8", "big5hkscs"):
        text = data.decode(encoding, "replace")
        if text.count(BROKEN) <= MAX_BROKEN_SHARE * len(text) and _is_readable(text):
            return text
    raise FileFault(
        "UTF-8, GB18030 or Big5", "bytes that are readable text in none of them", "save it as UTF-8"
    )


def _is_readable(text: str) -> bool:
    hanzi = HANZI.findall(text[:20_000])
    return bool(hanzi) and sum(c in COMMON_HANZI for c in hanzi) >= MIN_COMMON_SHARE * len(hanzi)


def _read_pdf(data: bytes) -> str:
    import logging

    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted:
            raise FileFault(
                "a pdf that opens without a password",
                "an encrypted one",
                "deliver it without protection",
            )
        if len(reader.pages) > MAX_PAGES:
            raise FileFault(
                f"a pdf of at most {MAX_PAGES:,} pages",
                f"{len(reader.pages):,}",
                "deliver one document per file",
            )
        return "\n".join(page.extract_text() for page in reader.pages)
    except FileFault:
        raise
    except Exception as error:  # a hostile pdf can raise anything from inside the parser
        raise FileFault(
            "a readable pdf",
            f"one that cannot be parsed ({type(error).__name__})",
            "save it again, or deliver the text",
        ) from error


_READERS: dict[str, Callable[[bytes], str]] = {
    ".txt": decode_text,
    ".md": decode_text,
    ".html": lambda data: visible_text(decode_text(data)),
    ".htm": lambda data: visible_text(decode_text(data)),
    ".docx": read_docx,
    ".pdf": _read_pdf,
}
