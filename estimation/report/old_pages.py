"""Addresses of reports before the seven pages: each leads to where its content stands now, so that
links people sent keep working.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

import jinja2
from markupsafe import Markup

from .language import Words

FOLDER = Path(__file__).parent / "templates"
# where a page's content stands now
MOVED = {
    "estimates": "index.html#table",
    "events": "index.html#event-study",
    "time": "index.html#raw-means",
    "curve": "robust.html#curve-section",
    "map": "cities.html#map-section",
    "city": "cities.html#values",
    "quality": "data.html#coverage",
    "provenance": "data.html#sources",
    "dictionary": "data.html#dictionary",
    "analysis-alternative-outcomes": "robust.html#all-variants",
    "analysis-confounders": "robust.html#all-variants",
    "analysis-leave-out": "robust.html#all-variants",
    "analysis-matching": "robust.html#all-variants",
    "analysis-primary": "index.html#answer",
    "analysis-robustness": "robust.html#all-variants",
    "analysis-spillovers": "robust.html#all-variants",
    "analysis-study-form": "index.html#claims",
    "analysis-heterogeneity": "whom.html#differences-section",
    "analysis-mechanisms": "whom.html#mechanisms-section",
    "analysis-policy-tools": "whom.html#tools-section",
    "analysis-radiation": "whom.html#radiation-section",
}
# parts of these pages that went elsewhere than the page; a part that keeps its name is found on the
# page's target
PARTS = {
    "estimates": {"not-run": "robust.html#not-run", "warnings": "index.html#answer"},
    "events": {"by-estimator": "robust.html#by-estimator"},
    "map": {"batches": "cities.html#batches"},
    "quality": {
        name: f"data.html#{name}"
        for name in ("changes", "checks", "conflicts", "rejected", "revisions")
    },
    "provenance": {"files": "data.html#files"},
}
# their parts were named by the number of a city, with indicator and year behind it
OF_A_CITY = ("map", "city")


def render_moved() -> Iterator[tuple[str, str]]:
    """File name and text of each old page: it leads on by its script, without scripts by itself,
    and says where to.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER), autoescape=True, undefined=jinja2.StrictUndefined
    )
    script = (FOLDER / "scripts" / "moved.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    for slug, target in MOVED.items():
        text = environment.get_template("moved.html.j2").render(
            target=target,
            parts=PARTS.get(slug, {}),
            of_a_city=slug in OF_A_CITY,
            said=[
                (word.language, word("label.moved"), word(f"pages.{target.partition('.')[0]}"))
                for word in (Words("en"), Words("zh"))
            ],
            script=Markup(script),  # noqa: S704 - our own file, its hash stands in the page's policy
            script_hash=f"sha256-{digest}",
        )
        yield f"{slug}.html", text
