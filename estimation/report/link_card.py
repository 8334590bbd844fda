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
PLACES = ("x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "width", "height")
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
        at = {
            name: MARGIN + (WIDTH - 2 * MARGIN) * float(value[:-1]) / 100
            if value.endswith("%")
            else top + SCALE * float(value)
            for name, value in node.items()
            if name in PLACES
        }
        match node.tag.rpartition("}")[2]:
            case "rect" if "shade" in classes:
                right, bottom = at["x"] + at["width"] - MARGIN, at["y"] + at["height"] - top
                pen.rectangle([at["x"], at["y"], right, bottom], colour)
            case "line":
                ends = [at["x1"], at["y1"], at["x2"], at["y2"]]
                pen.line(ends, colour, SCALE * (4 if "thick" in classes else 1))
            case "circle":
                pen.circle((at["cx"], at["cy"]), 5 * SCALE, colour, colours["paper"], SCALE)
            case "text":
                font = ImageFont.truetype(bold if "label" in classes else plain, 12 * SCALE)
                halo = {"stroke_width": 2 * SCALE, "stroke_fill": colours["paper"]}
                anchor = ANCHORS[node.get("text-anchor")]
                pen.text((at["x"], at["y"]), node.text, colour, font, anchor, **halo)
    return image
