"""A cleaned policy text to numbered clauses, each with its kind and place (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, pairwise
from typing import Any

import numpy as np

from warehouse.ingest.policy.cleaning import MappedText

_NUMERALS = "一二三四五六七八九十"
MARKER = re.compile(
    rf"(?P<l1>第[{_NUMERALS}百零\d]{{1,4}}[章节编]|[{_NUMERALS}]{{1,3}}[、.])"
    rf"|(?P<l2>[(（][{_NUMERALS}]{{1,3}}[)）][、.]?|第[{_NUMERALS}百零\d]{{1,4}}条)"
    r"|(?P<l3>\d{1,2}[.、](?!\d))"
    r"|(?P<l4>[(（]\d{1,2}[)）]|\d{1,2}[)）]|[①-⑳]|——|--)"
    rf"|(?P<l5>[{_NUMERALS}]是)"
)
_SPACE = " \t\u3000"
_CLOSING = "”’」』》〉）)\\]】"
#: No enumeration sign is longer: 第一百零条 has five, a bracketed numeral with a stop six.
_LONGEST_MARKER = 6
_END = re.compile(rf"[。；;！？!?]+[{_CLOSING}]*")
# both begin with their sign, not with a look behind it: a search then jumps from sign to sign
_ADDRESSED = re.compile(rf"[:：](?<=[政府部局厅委署院关会位门构处业].)(?=[^\n\d{_CLOSING}])")
_COLON_MARKER = re.compile(rf"[:：](?=[{_SPACE}]*(?:{MARKER.pattern.replace('?P<', '?P<x')}))")
_NOTE = re.compile(r"[\[【].*[\]】]")
_DATE = (
    r"(?:(?:19|20)\d\d年\d{1,2}月\d{1,2}日"
    r"|[一二][〇○零Ο一二三四五六七八九]{3}年"
    r"[一二三四五六七八九十]{1,2}月[一二三四五六七八九十]{1,3}日)"
)
BODY = (
    r"(?:国务院(?:办公厅)?|国家[\u4e00-\u9fff]{2,10}(?:局|委员会|总局)|(?:财政|商务|科技|工业和信息化|人力资源社会保障|交通运输|农业农村)部|海关总署"
    r"|[\u4e00-\u9fff]{2,12}?(?:省|自治区|市|州|盟|地区|县|区|新区)(?:人民(?:政府|[*×□]{1,3}|(?![\u4e00-\u9fff]))(?:办公厅|办公室)?"
    r"|[\u4e00-\u9fff]{2,10}(?:厅|局|委员会|办公室|管委会|领导小组)))"
)
NUMBER = (
    r"[\u4e00-\u9fff]{2,8}[〔\[(（【﹝]\s*(?:19|20)\d\d\s*[〕\])）】﹞]\s*(?:第)?\s*\d{1,4}\s*号"
)
_SIGNATURE = re.compile(
    rf"(?:{NUMBER})?[{_SPACE}]*(?:{BODY}[、,，{_SPACE}]*)*[{_SPACE}]*(?:[(（]?{_DATE}[)）]?(?:印发)?)?"
)
_TITLE_WORDS = "通知|批复|意见|决定|公告|通告|方案|计划|措施|办法|规划|细则|规定|政策"
TITLE = re.compile(
    rf"(?![《\"“])[^。；;！？!?，：:]{{0,90}}?(?:关于[^。；;：:]{{2,200}}?的?|跨境[^。；;：:]{{2,60}}?|[\u4e00-\u9fff]{{2,30}}?)(?:{_TITLE_WORDS})"
    rf"(?:[(（][^()（）号]{{1,24}}[)）])?+(?=$|[{_SPACE}(（]|{NUMBER})"
)
ZONE_TITLE = re.compile(
    rf"(?:附件\d*[:：]?)?中国[(（](?P<zone>[\u4e00-\u9fff]{{2,12}})[)）]跨境电子?商务综合试验区[^。；;，,《》]{{0,20}}(?:{_TITLE_WORDS})(?:[(（].{{1,24}}[)）])?"
)
_WRAPPED_TITLE = re.compile(
    rf"([)）]跨境电子?商务综合试验区)[{_SPACE}]*\n[{_SPACE}]*(?=[\u4e00-\u9fff]{{0,10}}(?:{_TITLE_WORDS})(?:\n|$))"
)
_ADDRESSEE = re.compile(
    r"[^。；;]{2,600}(?:政府|[部局厅委署院会]|海关|单位|部门|机构|处|企业)[:：]"
)
_HEADING_LENGTH = 30
_SIGNATURE_LENGTH = 120
_SENTENCE_END = "。；;！？!?"


def joined_titles(mapped: MappedText) -> MappedText:
    """Return the text with a zone plan's title on one line where it was set on two."""
    spans, start = [], 0
    for match in _WRAPPED_TITLE.finditer(mapped.text):
        spans.append((start, match.end(1)))
        start = match.end()
    return mapped.rearranged([*spans, (start, len(mapped.text))]) if spans else mapped


def split_clauses(mapped: MappedText, found: str) -> list[dict[str, Any]]:
    """Return clauses of a cleaned text.

    A clause ends at the end of a line, after a full stop, semicolon, question or exclamation mark,
    after the colon behind an addressee, and before an enumeration sign. An enumeration sign alone
    on a line belongs to the next line.

    Parameters
    ----------
    mapped : MappedText
        Result of `clean_text` on `found`.
    found : str
        The text as extracted from the file, in which places are counted.

    Returns
    -------
    list of dict
        In reading order, as `schema.CLAUSE_TYPE`: number from 1, text without its marker, kind,
        marker, level 1-5 (0 unmarked), zone of its annex, place as found. `clause_kind` is note,
        title, header (number, issuer or date alone), addressee, heading or body. `char_start` and
        `char_end` count characters (the first is 0, the end is exclusive), `line_no` lines from 1.
    """
    text = mapped.text
    rows, starts, ends = [], [], []
    zone, has_body = None, False
    for start, end, is_first, has_more in _pieces(text):
        piece = text[start:end]
        marker = MARKER.match(piece)
        level = int(marker.lastgroup[1]) if marker else 0
        inner = piece[marker.end() :].strip(_SPACE + "\n") if marker else piece
        kind = _kind(piece, inner, level, is_first, has_more, has_body)
        has_body = has_body or (level > 0 and kind in ("heading", "body"))
        if kind == "title" and (titled := ZONE_TITLE.fullmatch(piece)):
            zone = titled["zone"]
        if rows and _is_set_under(rows[-1], level, kind):
            rows[-1]["clause_kind"] = "heading"
        rows.append(
            {
                "clause_no": len(rows) + 1,
                "clause_text": inner,
                "clause_kind": kind,
                "marker": marker.group() if marker else None,
                "marker_level": level,
                "zone_text": zone,
            }
        )
        starts.append(start)
        ends.append(end)
    for row, place in zip(rows, _places(mapped, found, starts, ends), strict=True):
        row |= dict(zip(("char_start", "char_end", "line_no"), place, strict=True))
    return rows


def _places(
    mapped: MappedText, found: str, starts: list[int], ends: list[int]
) -> Iterator[tuple[int, int, int]]:
    """Return the first and last place (exclusive) and line of each piece in the text as found."""
    first, last = (
        mapped.origin[np.array(starts, np.int64)],
        mapped.origin[np.array(ends, np.int64) - 1] + 1,
    )
    line_ends = np.array([match.start() for match in re.finditer("\n", found)])
    return zip(
        first.tolist(), last.tolist(), (np.searchsorted(line_ends, first) + 1).tolist(), strict=True
    )


def _is_set_under(row: dict[str, Any], level_after: int, kind_after: str) -> bool:
    """Return whether a short marked sentence heads what follows: a deeper mark, or text without
    one.
    """
    level = row["marker_level"]
    if row["clause_kind"] != "body" or not 0 < level < 5:
        return False
    if len(row["clause_text"]) > _HEADING_LENGTH:
        return False
    return level_after > level or (level_after == 0 and kind_after == "body")


def _pieces(text: str) -> Iterator[tuple[int, int, bool, bool]]:
    """Start and end of each piece, whether it is the first of its line, and whether more follows on
    the line.
    """
    pending = None
    cuts = _cuts(text)
    n, n_cuts = 0, len(cuts)
    start = 0
    for line in text.split("\n"):
        end = start + len(line)
        inner = []
        while n < n_cuts and cuts[n] < end:
            if cuts[n] > start:
                inner.append(cuts[n])
            n += 1
        if inner and _NOTE.fullmatch(line.strip(_SPACE)):
            inner = []
        parts = [
            part
            for part in pairwise((start, *inner, end))
            if any(map(str.isalnum, text[part[0] : part[1]]))
        ]
        for k, (left, right) in enumerate(parts):
            piece = text[left:right]
            a, b = right - len(piece.lstrip()), left + len(piece.rstrip())
            has_more = k + 1 < len(parts)
            if b - a <= _LONGEST_MARKER and not has_more and MARKER.fullmatch(text, a, b):
                pending = a
                continue
            yield (a if pending is None else pending), b, k == 0, has_more
            pending = None
        start = end + 1


def _cuts(text: str) -> list[int]:
    """Return places where a clause ends inside a line, ascending: behind its closing sign, and
    before an enumeration sign behind a colon.
    """
    patterns = (_END, _ADDRESSED, _COLON_MARKER) if ":" in text or "：" in text else (_END,)
    matches = chain.from_iterable(pattern.finditer(text) for pattern in patterns)
    return sorted({match.end() for match in matches})


def _kind(piece: str, text: str, level: int, is_first: bool, has_more: bool, has_body: bool) -> str:
    if level == 0:
        if is_first and not has_more and _NOTE.fullmatch(piece):
            return "note"
        if (
            len(piece) <= _SIGNATURE_LENGTH
            and piece[-1] not in _SENTENCE_END
            and _SIGNATURE.fullmatch(piece)
        ):
            return "header"
        if is_first and (ZONE_TITLE.fullmatch(piece) or (not has_body and TITLE.match(piece))):
            return "title"
        if not has_body and _ADDRESSEE.fullmatch(piece):
            return "addressee"
        return "body"
    may_head = len(text) <= _HEADING_LENGTH and level < 5
    return (
        "heading"
        if may_head and (text[-1:] not in _SENTENCE_END or (is_first and has_more))
        else "body"
    )
