"""Which pages there are: template, scripts, queries whose numbers they show, and the function that gives each its context."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .context import Context
from .result import result
from .robust import curve_data, robust
from .whom import whom


@dataclass(frozen=True)
class Page:
    """One page.

    Attributes
    ----------
    slug : file name without ending; its title is ``pages.<slug>`` of the words
    context : gives what the template sets
    queries : names of the queries whose numbers stand on the page; their SQL is in it
    scripts : files of `templates/scripts`; libraries : files of `vendor`; styles : files of `templates`
    inline : gives what becomes JSON in the page
    says : words that the scripts need
    """

    slug: str
    context: Callable[[Context], dict[str, Any]]
    queries: tuple[str, ...]
    scripts: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    inline: Callable[[Context], dict[str, Any]] = field(default=lambda page: {})
    says: tuple[str, ...] = ()


# drawn in the page where a reader chooses what to see; every other picture is static
PLOT = ("d3.min.js", "plot.umd.min.js")
SEARCH = ("label.search", "label.found_rows")
PAGES = (
    Page(
        "index",
        result,
        (
            "primary", "truth", "power", "placebo", "coefficient", "diagnostic", "claim", "gap", "breaks", "without_province",
            "primary_cities", "primary_cohorts",
        ),
    ),
    Page(
        "robust",
        robust,
        ("primary", "coefficient", "placebo", "event", "curve", "curve_summary"),
        scripts=("forest.js", "curve.js"),
        libraries=PLOT,
        inline=lambda page: {"curve-data": curve_data(page)},
        says=(
            "label.truth", "label.n_pilots", "label.simulated", "robust.median", "robust.n_specs", "robust.curve_x", "robust.curve_y",
            "robust.curve_headline",
        ),
    ),
    Page("whom", whom, ("coefficient", "channel")),
)  # fmt: skip
