"""The text of a Word document (docx): nothing in it is fetched, expanded or executed (pure)."""

from __future__ import annotations

import io
import zipfile

from lxml import etree

from warehouse.ingest.errors import FileFault, message_of
from warehouse.ingest.formats.xlsx_guard import DAMAGES, read_member

MAX_PART_BYTES = 50_000_000
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_TEXT, _PARAGRAPH = f"{_WORD}t", f"{_WORD}p"
_SIGNS = {f"{_WORD}tab": "\t", f"{_WORD}br": "\n", f"{_WORD}cr": "\n"}
_SAVE = "save it again with an office program"


def read_docx(data: bytes) -> str:
    """Return the text of a docx, one line for each paragraph and line break, tables included; a
    text box's second copy for old programs is left out.

    Raises
    ------
    FileFault
        It is broken, protected or too large, has macros, outside parts, entities, or XML that is
        deep beyond any use.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if any(name.lower().endswith("vbaproject.bin") for name in names):
                raise FileFault("a docx without macros", "a macro project", "save it as plain docx")
            _refuse_outside_parts(archive)
            body = _read_part(archive, "word/document.xml")
    except DAMAGES as error:
        raise FileFault(
            "a docx file",
            f"a broken or protected archive ({message_of(error)})",
            "save it again without protection",
        ) from error
    etree.strip_elements(body, _FALLBACK, with_tail=False)
    parts = []
    walk = etree.iterwalk(body, events=("start", "end"), tag=(_TEXT, _PARAGRAPH, *_SIGNS))
    for event, element in walk:
        if event == "end":
            parts.append("\n" if element.tag == _PARAGRAPH else "")
        else:
            # text behind an element inside a text element is none of its own
            parts.append(
                element.text or "" if element.tag == _TEXT else _SIGNS.get(element.tag, "")
            )
    return "".join(parts)


def _read_part(archive: zipfile.ZipFile, name: str) -> etree._Element:
    part = read_member(archive, name, MAX_PART_BYTES, MAX_PART_BYTES)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(part, parser)
    except (etree.XMLSyntaxError, LookupError, ValueError) as error:
        raise FileFault(
            "a docx with well-formed parts", f"one that is not ({message_of(error)})", _SAVE
        ) from error
    if root.getroottree().docinfo.doctype:
        raise FileFault("a docx without XML entities", "a document type declaration", _SAVE)
    return root


def _refuse_outside_parts(archive: zipfile.ZipFile) -> None:
    """Refuse parts that an office program would fetch from elsewhere; plain hyperlinks are only
    text.
    """
    names = [name for name in archive.namelist() if name.lower().endswith(".rels")]
    for name in names:
        for relation in _read_part(archive, name):
            kind = relation.get("Type", "").rpartition("/")[2]
            if relation.get("TargetMode") == "External" and kind != "hyperlink":
                found = f"a reference to an outside {kind or 'part'} in {name[:100]}"
                raise FileFault(
                    "a docx without outside parts",
                    found,
                    "embed the part or remove it, then save again",
                )
