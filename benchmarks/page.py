"""Parts that a benchmark writes into its page; what people wrote around them stays."""

from __future__ import annotations

from pathlib import Path


def write_between(page: Path, mark: str, body: str) -> None:
    """Replace what stands on a page between a mark's begin and end.

    Raises
    ------
    ValueError
        If the page lacks the mark.
    """
    text = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(
            f"{page.name}: expected {begin} and {end} once each, in this order; put them back"
        )
    before, after = text.split(begin)[0], text.split(end)[1]
    page.write_text(f"{before}{begin}\n\n{body}\n\n{end}{after}", encoding="utf-8")
