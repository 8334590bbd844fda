"""The picture of a link's card: the finding and the one picture of the first screen as PNG, since
no site that shows cards takes SVG.

Its words are English in both languages: no library here brings a font with Chinese, and one of the
machine would give other bytes on another machine.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import matplotlib
from lxml import etree
from PIL import Image, ImageDraw, ImageFont

from .plots import TEMPLATES

# pixels; what cards are cut to
WIDTH, HEIGHT = 1200, 630
MARGIN, SCALE = 48, 2
SIGNS_PER_LINE = 45
ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}
# classes of `plots.css` that are no token themselves
TOKENS = {"grid": "line", "truth": "vermilion", "stamp": "vermilion"}
FONTS = Path(matplotlib.get_data_path()) / "fonts/ttf"


def card(title: str, picture: str) -> Image.Image:
    """Draw a standing picture (`plots.standing`) under a title.

    Parameters
    ----------
    title : what it says, in Latin letters
    picture : SVG of our own: rect, line, circle and text, across in per cent, down in pixels
    """
    light = (TEMPLATES / "tokens.css").read_text(encoding="utf-8").partition("@media")[0]
    colours = dict(re.findall(r"--(\w+): (#\w{6});", light))
    image = Image.new("RGB", (WIDTH, HEIGHT), colours["paper"])
    pen = ImageDraw.Draw(image)
    plain, bold = (FONTS / f"DejaVuSans{kind}.ttf" for kind in ("", "-Bold"))
    lines = textwrap.fill(title, SIGNS_PER_LINE)
    pen.text((MARGIN, MARGIN), lines, colours["ink"], ImageFont.truetype(bold, 40), spacing=12)
    svg = etree.fromstring(picture)
    top = HEIGHT - MARGIN - SCALE * float(svg.get("height"))
    for node in svg.iter():
        classes = node.get("class", "").split()
        named = (colours.get(TOKENS.get(name, name)) for name in classes)
        colour = next(filter(None, named), colours["ink"])

        def across(*names: str, of: etree._Element = node) -> float:
            share = sum(float(of.get(name).rstrip("%")) for name in names) / 100
            return MARGIN + share * (WIDTH - 2 * MARGIN)

        def down(*names: str, of: etree._Element = node) -> float:
            return top + SCALE * sum(float(of.get(name)) for name in names)

        match node.tag.rpartition("}")[2]:
            case "rect" if "shade" in classes:
                corners = [across("x"), down("y"), across("x", "width"), down("y", "height")]
                pen.rectangle(corners, colour)
            case "line":
                ends = [across("x1"), down("y1"), across("x2"), down("y2")]
                pen.line(ends, colour, SCALE * (4 if "thick" in classes else 1))
            case "circle":
                centre = (across("cx"), down("cy"))
                pen.circle(centre, 5 * SCALE, colour, colours["paper"], SCALE)
            case "text":
                font = ImageFont.truetype(bold if "label" in classes else plain, 12 * SCALE)
                at, anchor = (across("x"), down("y")), ANCHORS[node.get("text-anchor")]
                halo = {"stroke_width": 2 * SCALE, "stroke_fill": colours["paper"]}
                pen.text(at, node.text, colour, font, anchor, **halo)
    return image
