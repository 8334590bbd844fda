"""Static pictures of a page: drawn, set into the page, with alternative text, title, tables they
come from and the file of their data.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from . import figures


@dataclass(frozen=True)
class Chart:
    """A picture of a page.

    Attributes
    ----------
    name : its id, and the permalink
    title : what it says
    alt : what it shows, for those who do not see it
    svg : the picture
    data : file of `data/` with its numbers, without ending
    tables : of the published database
    note : how to read it
    """

    name: str
    title: str
    alt: str
    svg: Markup
    data: str
    tables: str
    note: str = ""


def chart(
    name: str, svg: str, *, title: str, alt: str, data: str, tables: str, note: str = ""
) -> Chart:
    """A picture from a standing SVG."""
    inside = Markup(figures.inline(svg, name))  # noqa: S704 - drawn by matplotlib, which escapes every text it sets
    return Chart(name, title, alt, inside, data, tables, note)
