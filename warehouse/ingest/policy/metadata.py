"""Read the metadata of a policy text: number, title, type, issuer, date, zones, time in force.

Rules only; nothing is guessed (pure).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from warehouse.ingest.policy.clauses import BODY, TITLE, ZONE_TITLE

_NUMERAL = {sign: str(n) for n, sign in enumerate("〇一二三四五六七八九")} | {
    "○": "0",
    "零": "0",
    "Ο": "0",
}
_NUMBER = re.compile(
    r"(?P<prefix>[\u4e00-\u9fff]{2,8})[〔\[(（【﹝]\s*(?P<year>(?:19|20)\d\d)\s*[〕\])）】﹞]\s*第?\s*(?P<no>\d{1,4})\s*号"
)
_NOTE_NUMBER = re.compile(r"\b(?:summary|text|copy|reprint|digest)\s+of\s+(?=[\u4e00-\u9fff])")
_NOTE_TITLE = re.compile(r"\bof\s+《(?P<title>[^》]+)》(?:\s*\((?P<date>\d{4}-\d{1,2}-\d{1,2})\))?")
_NOTE_DATE = re.compile(r"\b(?:briefing|meeting|conference|notice)\s+of\s+(\d{4}-\d{1,2}-\d{1,2})")
_HANZI_DATE = (
    r"[一二][〇○零Ο一二三四五六七八九]{3}年"
    r"[一二三四五六七八九十]{1,2}月[一二三四五六七八九十]{1,3}日"
)
_DATE = re.compile(
    rf"(?P<y>(?:19|20)\d\d)\s*[年\-/.]\s*(?P<m>\d{{1,2}})\s*[月\-/.]\s*(?P<d>\d{{1,2}})日?|(?P<hanzi>{_HANZI_DATE})"
)
_SIGNED = re.compile(rf"(?:{BODY}[、,， ]*)*\s*[(（]?(?P<date>{_DATE.pattern})[)）]?(?:印发)?")
_LABELLED = re.compile(
    rf"(?P<label>成文日期|印发日期|发文日期|发布日期|发布时间|Date\s*Issued)[:：\s]*(?P<date>{_DATE.pattern}|\d{{1,2}}-\d{{1,2}}-\d{{4}})"
)
_AT_END = re.compile(rf"(?P<date>{_DATE.pattern})[)）]?$")
_ISSUER = re.compile(BODY)
_MASKED_GOVERNMENT = re.compile(r"人民(?:[*×□]{1,3}|(?![\u4e00-\u9fff]))")
_ABOUT = re.compile(rf"(?P<issuer>(?:{BODY}[、,， ]*)+?)\s*(?:关于|印发)")
_ZONE_NAME = re.compile(r"中国[(（]([\u4e00-\u9fff]{2,12})[)）]")
# a covering letter names the plans that it sends out; an opening sentence says for which zone the
# text is
_TRANSMITS = re.compile(r"印发给你们|现印发")
_PURPOSE = re.compile(
    r"为(?:进一步|加快|全面|切实|扎实|有序|深入)*(?:做好|推进|推动|促进|支持|建设|加强|规范|发展|贯彻落实《)[^,，。《]{0,8}?中国[(（]([\u4e00-\u9fff]{2,12})[)）]跨境电子?商务综合试验区"
)
_TITLE_LABEL = re.compile(r"^\W*标\s*题\s+")
_QUOTED = re.compile(r"《[^《》]*(?:《[^《》]*》[^《》]*)*》")
_ESTABLISHED = re.compile(
    r"同意在([^。；;]{2,2500}?)(?:等)?(?:这)?(?:\d{1,3}个)?(?:城市)?(?:和地区)?(?:设立|新设)"
)
_NAMELY = re.compile(r"namely,?\s*([A-Z][^.;:]*)")
_SERVED = re.compile(r"([\u4e00-\u9fff、,，]{4,400}?市)人民(?:政府|[*×□]{1,3})")
_COUNTED = re.compile(r"等\s*(\d{1,3})\s*个")
_PLANNED_SPAN = re.compile(r"(20\d\d)\s*年?\s*[-—–~至到]{1,2}\s*(20\d\d)\s*年")
_FROM = re.compile(rf"自(?P<date>{_DATE.pattern})起(?:正式)?(?:施行|实施|执行|生效)")
_UNTIL = re.compile(rf"有效期(?:限)?(?:至|到|截至)(?P<date>{_DATE.pattern})")
_YEARS = re.compile(r"有效期(?:限)?(?:为)?\s*([一二两三四五六七八九十\d]{1,2})\s*年")
_REPEALED = ("同时废止", "予以废止", "停止执行")
_HEAD_LINES = 12
# a covering letter may stand below a block of index numbers and links of its site
_LETTER_LINES = 40
#: Words that a line must hold, or end with, before the slow patterns are tried on it.
_MAY_TITLE = "综合试验区"
_DATE_ENDS = ("日", ")", "）", "印发", *"0123456789")
_TYPES = (
    *(
        "批复",
        "实施方案",
        "行动方案",
        "工作方案",
        "行动计划",
        "总体方案",
        "方案",
        "计划",
        "规划",
        "实施意见",
        "意见",
    ),
    *("措施", "办法", "细则", "规定", "政策", "决定", "公告", "通告", "通知"),
)


@dataclass(frozen=True)
class _Parts:
    """The text by role: collector's notes, lines of the head (before the first enumerated heading),
    all lines, the whole.
    """

    notes: str
    head: list[str]
    lines: list[str]
    text: str


def read_metadata(text: str) -> dict[str, Any]:
    """Metadata of a cleaned text by rules.

    Parameters
    ----------
    text : str
        Cleaned text (see `cleaning.clean_text`).

    Returns
    -------
    dict
        What the text states; None and empty lists where it does not.

        title, document_type, document_no, issuer : str or None
            The type is the one of the transmitted document where a notice only transmits it.
        issue_date : date or None
        issue_year : int or None
            Of the date, else of the document number.
        in_force_from, in_force_to : date or None
            Only where the text or its title says so.
        zone_texts : list of str
            Zones concerned, as written; `zone_rule` says which rule read them.
        cited_numbers, repealed_numbers : list of str
            Numbers of other documents that the text names, and those that it ends.
        is_transmitted : bool
            Whether a notice transmits another document (then it is not held to be a mere notice).
        not_stated : list of str
            Names of the fields above that the text does not state; a date that no calendar has
            (2021-02-30) is none, also one of force.
    """
    parts = _parts(text)
    title = _title(parts)
    number = _own_number(parts)
    issuer = _issuer(parts, title)
    issued = _issue_date(parts, title)
    year = issued.year if issued else (int(number["year"]) if number else None)
    zones, rule = _zones(parts, title, issuer, number)
    cited = list(dict.fromkeys(map(_format_number, _NUMBER.finditer(parts.text))))
    own = _format_number(number) if number else None
    found = {
        "title": title,
        "document_type": _document_type(title),
        "document_no": own,
        "issuer": issuer,
        "issue_date": issued,
        "zone_texts": zones,
        **_in_force(parts.text, title, issued),
    }
    return {
        "in_force_from": None,
        "in_force_to": None,
        **found,
        "issue_year": year,
        "zone_rule": rule,
        "cited_numbers": [no for no in cited if no != own],
        "repealed_numbers": _repealed(parts.text),
        "is_transmitted": bool(title and "印发" in title and title.endswith("通知")),
        "not_stated": [name for name, value in found.items() if not value],
    }


def _repealed(text: str) -> list[str]:
    """Return numbers of documents in sentences that end their force."""
    numbers: list[str] = []
    for sentence in re.split("[。；;]", text):
        if any(word in sentence for word in _REPEALED):
            numbers += map(_format_number, _NUMBER.finditer(sentence))
    return numbers


def _parts(text: str) -> _Parts:
    lines = list(filter(None, map(str.strip, text.split("\n"))))
    notes = [line for line in lines if line[0] == "[" and line[-1] == "]"]
    rest = [line for line in lines if line not in notes] if notes else lines
    first = next(
        (
            n
            for n, line in enumerate(rest)
            if re.match(r"[一二三四五六七八九十]{1,3}、|[(（]一[)）]|1[.、]|第一[章条]", line)
        ),
        len(rest),
    )
    return _Parts(" ".join(notes), rest[: min(first, _HEAD_LINES)], rest, "\n".join(rest))


def _title(parts: _Parts) -> str | None:
    for before, line in pairwise(["", *parts.head]):
        match = TITLE.match(line)
        if match and line.startswith(("(", "（")):
            # the line before is the first half of the title
            match = TITLE.match(before + line)
        if match and not re.match(r"现将|根据|为", match.string):
            title = _TITLE_LABEL.sub("", match.group())
            return title if re.search("[A-Za-z]{3}", title) else re.sub(r"\s+", "", title)
    for line in parts.lines:
        if _MAY_TITLE in line and (match := ZONE_TITLE.fullmatch(line)):
            return match.group()
    noted = _NOTE_TITLE.search(parts.notes)
    return noted["title"] if noted else None


def _document_type(title: str | None) -> str | None:
    if title is None:
        return None
    stem = re.sub(r"[(（][^()（）]{1,24}[)）]$", "", title)
    if stem.endswith("通知") and "印发" in stem:
        stem = re.sub(r"的?通知$", "", stem).rstrip("》")
        stem = re.sub(r"等\d+个", "", stem)
        stem = re.sub(r"[(（][^()（）]{1,24}[)）]$", "", stem)
        return next((kind for kind in _TYPES if stem.endswith(kind)), "通知")
    return next((kind for kind in _TYPES if stem.endswith(kind)), None)


def _format_number(match: re.Match[str]) -> str:
    return f"{match['prefix']}〔{match['year']}〕{int(match['no'])}号"


def _own_number(parts: _Parts) -> re.Match[str] | None:
    """Return the number of the document itself: in the head, and not behind the title of another
    document.
    """
    for line in parts.head:
        open_text = _QUOTED.sub(lambda m: "》" * len(m.group()), line)
        for match in _NUMBER.finditer(open_text):
            before = open_text[: match.start()].rstrip(" (（〔[")
            if not before.endswith(("》", "〉")):
                return match
    noted = _NOTE_NUMBER.search(parts.notes)
    return _NUMBER.match(parts.notes, noted.end()) if noted else None


def _issuer(parts: _Parts, title: str | None) -> str | None:
    """Who signed: the signature line, else the head line that ends in a date, else the name before
    关于 in the title.
    """
    for line in [*parts.lines[:40], *parts.lines[-8:]]:
        match = _ISSUER.match(line)
        if match and _SIGNED_NAME.fullmatch(line):
            return _unmasked(match.group())
    for line in parts.head:
        end = _AT_END.search(line)
        if end is None or len(line) >= 300:
            continue
        before = line[: end.start()].rstrip()
        numbers = list(_NUMBER.finditer(before))
        names = list(_ISSUER.finditer(before, numbers[-1].end() if numbers else 0))
        if names and before.endswith(names[-1].group()):
            return _unmasked(names[-1].group())
    about = _ABOUT.match(title or "")
    return _unmasked(about["issuer"].strip("、,， ")) if about else None


_SIGNED_NAME = re.compile(rf"(?:{BODY}[、,， ]*)+(?:{_DATE.pattern})?")


def _unmasked(name: str) -> str:
    """Return the issuer with 人民* and a cut 人民 written out as 人民政府, which no other
    body is called.
    """
    return _MASKED_GOVERNMENT.sub("人民政府", name)


def _issue_date(parts: _Parts, title: str | None) -> date | None:
    labels = {m["label"]: m["date"] for m in reversed(list(_LABELLED.finditer(parts.text)))}
    written = next(
        (labels[name] for name in ("成文日期", "印发日期", "发文日期") if name in labels), None
    )
    if written:
        return _parse_date(written)
    ending = (line for line in parts.lines if line.endswith(_DATE_ENDS))
    signed = [found["date"] for found in map(_SIGNED.fullmatch, ending) if found]
    if signed:
        # a signature is written out (2020年7月23日); a date in figures alone (2020.08.04) is when a
        # site posted the text
        return _parse_date(next((text for text in signed if "年" in text), signed[0]))
    for line in parts.head:
        end = _AT_END.search(line)
        is_headline = (title is not None and line[:8] == title[:8]) or _NUMBER.search(
            line
        ) is not None
        if end and len(line) < 300 and (is_headline or _ISSUER.match(line)):
            return _parse_date(end["date"])
    if labels:
        return _parse_date(next(iter(labels.values())))
    noted = _NOTE_TITLE.search(parts.notes)
    stated = (noted and noted["date"]) or next(iter(_NOTE_DATE.findall(parts.notes)), None)
    return _parse_date(stated) if stated else None


def _parse_date(text: str) -> date | None:
    american = re.fullmatch(r"(\d{1,2})-(\d{1,2})-(\d{4})", text)
    if american:
        return _date(american[3], american[1], american[2])
    match = _DATE.search(text)
    if match["hanzi"] is None:
        return _date(match["y"], match["m"], match["d"])
    year, month, day = re.split("[年月日]", match["hanzi"])[:3]
    return _date("".join(_NUMERAL[sign] for sign in year), _tens(month), _tens(day))


def _tens(text: str) -> str:
    head, ten, tail = text.partition("十")
    if not ten:
        return _NUMERAL[text]
    return f"{_NUMERAL[head] if head else '1'}{_NUMERAL[tail] if tail else '0'}"


def _date(year: str, month: str, day: str) -> date | None:
    """Return the date; None for one that no calendar has, which `not_stated` then names."""
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _zones(
    parts: _Parts, title: str | None, issuer: str | None, number: re.Match[str] | None
) -> tuple[list[str], str | None]:
    """Zones concerned: established by a reply, named in the title (all those served where it counts
    more), in the plans that a covering letter sends out or in the opening sentence, else the
    issuing city.
    """
    open_text = _QUOTED.sub("", parts.text)
    is_reply = (
        title is None
        or title.endswith("批复")
        or (number is not None and number["prefix"] == "国函")
    )
    established = [m.group(1) for m in _ESTABLISHED.finditer(open_text)] if is_reply else []
    if established:
        listed = _parts_of(established, r"[、,，和]")
        named = _parts_of(_NAMELY.findall(open_text), r",\s*|\s+and\s+")
        return _distinct([*listed, *named]), "established"
    titled = _ZONE_NAME.findall(title or "")
    counted = _COUNTED.search(title or "")
    if titled and counted:
        served = _distinct(_parts_of(_SERVED.findall("\n".join(parts.head)), "[、,，]"))
        if len(served) == int(counted[1]):
            return served, "addressees"
    annexes = []
    for line in parts.lines:
        match = ZONE_TITLE.fullmatch(line) if _MAY_TITLE in line else None
        if match:
            annexes.append(match["zone"])
    sent: list[str] = []
    for line in parts.lines[:_LETTER_LINES]:
        if _TRANSMITS.search(line):
            for part in _QUOTED.findall(line):
                sent += _ZONE_NAME.findall(part)
    if titled or annexes or sent:
        return _distinct([*titled, *annexes, *sent]), "title"
    purposes = [match[1] for match in map(_PURPOSE.match, parts.head) if match]
    if purposes:
        return _distinct(purposes), "purpose"
    city = re.match(
        r"(?:[\u4e00-\u9fff]{2,3}省)?([\u4e00-\u9fff]{2,8}(?:市|州|盟|地区|新区))", issuer or ""
    )
    return ([city[1]], "issuer") if city else ([], None)


def _parts_of(texts: list[str], between: str) -> list[str]:
    """Return the parts of some texts, split at a pattern."""
    parts: list[str] = []
    for text in texts:
        parts += re.split(between, text)
    return parts


def _distinct(names: list[str]) -> list[str]:
    tidy = (re.sub(r"^(?:在|the )|等$|\s*(?:City|Cit|Ci)$", "", name.strip()) for name in names)
    return list(dict.fromkeys(name for name in tidy if 2 <= len(name) <= 30))


def _in_force(text: str, title: str | None, issued: date | None) -> dict[str, date | None]:
    """Return the dates of force that the text or its title gives."""
    found: dict[str, date | None] = {}
    start, until = _FROM.search(text), _UNTIL.search(text)
    years, span = _YEARS.search(text), _PLANNED_SPAN.search(title or "")
    if start:
        found["in_force_from"] = _parse_date(start["date"])
    begin = found.get("in_force_from") or issued
    if until:
        found["in_force_to"] = _parse_date(until["date"])
    elif years and begin:
        n = years[1].replace("两", "二")
        length = int(n) if n.isdigit() else int(_tens(n))
        found["in_force_to"] = begin.replace(year=begin.year + length, day=min(begin.day, 28))
    elif span:
        found["in_force_to"] = date(int(span[2]), 12, 31)
    return found
