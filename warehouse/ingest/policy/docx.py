"""The text of a Word document (docx): nothing in it is fetched, expanded or executed (pure)."""

from __future__ import annotations

import io
import zipfile
from xml.parsers import expat

from warehouse.ingest.errors import FileFault, said
from warehouse.ingest.formats.xlsx_guard import DAMAGES, refuse_entities, require_plain_encoding

MAX_PART_BYTES = 50_000_000
MAX_RELATIONS = 500
MAX_DEPTH = 1_000
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main "
_FALLBACK = "http://schemas.openxmlformats.org/markup-compatibility/2006 Fallback"
_SAVE = "save it again with an office program"


def read_docx(data: bytes) -> str:
    """Text of a docx, one line for each paragraph and line break.

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
            _check_outside_parts(archive)
            body = _read_part(archive, "word/document.xml")
    except DAMAGES as error:
        raise FileFault(
            "a docx file",
            f"a broken or protected archive ({said(error)})",
            "save it again without protection",
        ) from error
    return "\n".join(_Paragraphs().read(body))


def _read_part(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as stream:
        part = stream.read(MAX_PART_BYTES + 1)
    if len(part) > MAX_PART_BYTES:
        raise FileFault(
            f"parts of at most {MAX_PART_BYTES:,} bytes in a docx",
            f"more in {name}",
            "deliver the text alone",
        )
    return part


def _check_outside_parts(archive: zipfile.ZipFile) -> None:
    """Refuse parts that an office program would fetch from elsewhere; plain hyperlinks are only
    text.
    """
    names = [name for name in archive.namelist() if name.lower().endswith(".rels")]
    if len(names) > MAX_RELATIONS:
        raise FileFault(
            f"a docx with at most {MAX_RELATIONS:,} lists of relations",
            f"{len(names):,}",
            "deliver the text alone",
        )
    for name in names:
        for relation in _Relations().read(_read_part(archive, name)):
            kind = relation.get("Type", "").rpartition("/")[2]
            if relation.get("TargetMode") == "External" and kind != "hyperlink":
                found = f"a reference to an outside {kind or 'part'} in {name[:100]}"
                raise FileFault(
                    "a docx without outside parts",
                    found,
                    "embed the part or remove it, then save again",
                )


class _Part:
    """Reads a part as a stream: no tree of it is ever in memory, and a document type ends the
    reading, whatever its encoding.
    """

    def __init__(self) -> None:
        self.depth = 0
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler, self.parser.EndElementHandler = self.start, self.end
        self.parser.CharacterDataHandler, self.parser.StartDoctypeDeclHandler = (
            self.text,
            self._doctype,
        )

    def parse(self, part: bytes) -> None:
        """Go through the part."""
        try:
            refuse_entities(part, "docx", _SAVE)
            require_plain_encoding(part, "docx", _SAVE)
            self.parser.Parse(part, True)
        except (expat.ExpatError, LookupError, ValueError) as error:
            raise FileFault(
                "a docx with well-formed parts", f"one that is not ({said(error)})", _SAVE
            ) from error

    def _doctype(self, *_: object) -> None:
        raise FileFault("a docx without XML entities", "a document type declaration", _SAVE)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise FileFault(f"XML of at most {MAX_DEPTH:,} levels in a docx", "more", _SAVE)

    def end(self, name: str) -> None:
        """An element ends."""
        self.depth -= 1

    def text(self, text: str) -> None:
        """Text of the element that is open."""


class _Relations(_Part):
    """Attributes of the elements below the root."""

    def read(self, part: bytes) -> list[dict[str, str]]:
        """Of each in order."""
        self.found: list[dict[str, str]] = []
        self.parse(part)
        return self.found

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Keep the attributes."""
        super().start(name, attributes)
        if self.depth == 2:
            self.found.append(attributes)


class _Paragraphs(_Part):
    """Text of every paragraph in document order, tables included; a text box's second copy for old
    programs is left out.
    """

    def read(self, part: bytes) -> list[str]:
        """Lines of the document."""
        self.lines: list[list[str]] = [[]]
        # depth of the copy that is left out, and of the text element that is open
        self.left_out: int | None = None
        self.open_text: int | None = None
        self.parse(part)
        return ["".join(line) for line in self.lines]

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Open a text, or begin a line."""
        super().start(name, attributes)
        # text behind an element inside a text element is none of its own
        self.open_text = None
        if self.left_out is not None:
            return
        if name == _FALLBACK:
            self.left_out = self.depth
        elif name == f"{_WORD}t":
            self.open_text = self.depth
        elif name in (f"{_WORD}br", f"{_WORD}cr"):
            self.lines.append([])
        elif name == f"{_WORD}tab":
            self.lines[-1].append("\t")

    def end(self, name: str) -> None:
        """Close a text, or end a paragraph."""
        if self.left_out is None and name == f"{_WORD}p":
            self.lines.append([])
        if self.left_out == self.depth:
            self.left_out = None
        self.open_text = None
        super().end(name)

    def text(self, text: str) -> None:
        """Keep the text of a text element."""
        if self.open_text is not None:
            self.lines[-1].append(text)
