"""Which pages there are: template, scripts, queries whose numbers they show, and the function that
gives each its context.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .cities import cities, cities_data
from .context import Context
from .data_page import data_page
from .methods import methods
from .play import shuffle_data
from .policies import policies
from .policy import policy, policy_data
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
    scripts : files of `templates/scripts`; libraries : files of `vendor`; styles : files of
    `templates`
    inline : gives what its scripts need, a file beside the pages
    says : words that the scripts need
    template : its file in `templates`, without ending, where that is not the slug
    """

    slug: str
    context: Callable[[Context], dict[str, Any]]
    queries: tuple[str, ...]
    scripts: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    inline: Callable[[Context], dict[str, Any]] = field(default=lambda page: {})
    says: tuple[str, ...] = ()
    template: str = ""


# drawn in the page where a reader chooses what to see; every other picture is static
PLOT = ("d3.min.js", "plot.umd.min.js")
CITY_SAYS = (
    "said_halves",
    "said_alone",
    "no_tools",
    "tools_of_others",
    "no_texts_without",
    "issued_by",
    "from_own",
    "from_province",
    "from_nation",
    "from_unknown",
    "tool",
    "not_found",
    "no_batches",
    "growth_title",
    "layer_batch",
    "layer_sync",
    "layer_change",
    "layer_all",
    "map_said",
    "map_all",
    "map_change",
    "not_admitted",
    "admitted_before",
    "admitted_in",
    "not_yet",
    "no_value",
    "partners_said",
    "no_partners",
    "before",
    "after",
    "change",
    "partners_x",
    "official",
    "deflated",
    "median_all",
    "growth",
    "growth_x",
    "growth_y",
    "growth_admitted",
    "growth_break",
    "growth_flagged",
    "strip",
    "strip_known",
    "strip_missing",
    "which_city",
    "log_points",
    "no_texts",
    "cm_newest_growth_official",
    "cm_newest_growth_deflated",
    "cities_group",
    "provinces_group",
    "indicator",
    "values_said",
    "formula_rate",
    "formula_index",
    "formula_level",
    "formula_deflated",
    "basis",
    "basis_rate",
    "basis_index",
    "basis_level",
    "basis_deflated",
    "evidence",
    "evidence_printed",
    "evidence_index_confirmed",
    "evidence_index_alone",
    "value",
    "source",
    "edition",
    "file",
    "sheet",
    "cell",
    "as_delivered",
    "state",
    "is_current",
    "not_used",
    "flag",
    "detail",
    "computed",
    "within",
    "inputs",
    "no_inputs",
    "no_values_here",
    "gap",
    "others_delivered",
    "no_number",
    "city",
)
PLAY_SAYS = ("shuffle_title", "shuffle_real", "shuffle_said", "shuffle_none", "one_city_said")
SEARCH = ("label.search", "label.found_rows")
PAGES = (
    Page(
        "index",
        result,
        (
            "admitted",
            "primary",
            "truth_coverage",
            "power",
            "placebo",
            "coefficient",
            "diagnostic",
            "claim",
            "next_window",
            "promise",
            "weight",
            "own_outcome",
            "check",
            "stood_out",
            "literature",
            "gap",
            "breaks",
            "without_province",
            "primary_cities",
            "primary_cohorts",
            "estimate_changes",
        ),
        scripts=("play.js",),
        styles=("play.css",),
        inline=lambda page: {"stand_ins": shuffle_data(page)},
        says=tuple(f"play.{name}" for name in PLAY_SAYS),
    ),
    Page(
        "robust",
        robust,
        (
            "primary",
            "coefficient",
            "placebo",
            "event",
            "diagnostic",
            "curve",
            "curve_summary",
            "check",
            "stood_out",
        ),
        scripts=("forest.js", "curve.js"),
        libraries=PLOT,
        inline=lambda page: {"curve-data": curve_data(page)},
        says=(
            "label.truth",
            "label.chinese_colon",
            "label.chinese_semicolon",
            "label.simulated",
            "robust.curve_said",
            "robust.median",
            "robust.n_specs",
            "robust.curve_x",
            "robust.curve_y",
            "robust.joint_p",
            "robust.curve_headline",
        ),
    ),
    Page("whom", whom, ("coefficient", "channel", "diagnostic")),
    Page(
        "cities",
        cities,
        (
            "cities",
            "zones",
            "city_test",
            "batches",
            "city_change",
            "city_tool",
            "growth_median",
            "growth_basis",
            "distance",
        ),
        scripts=("map.js", "values.js"),
        libraries=PLOT,
        styles=("cities.css",),
        inline=cities_data,
        says=tuple(f"cities.{name}" for name in CITY_SAYS),
    ),
    Page("policies", policies, ("policy_test", "policy_overlap", "promise")),
    Page(
        "policy",
        policy,
        ("policy", "policy_batch", "policy_tool"),
        scripts=("policy.js",),
        styles=("policy.css",),
        inline=policy_data,
        says=("policy.found",),
    ),
    Page(
        "data",
        data_page,
        (
            "coverage",
            "codebook",
            "sources",
            "origins",
            "files",
            "flags",
            "errata",
            "conflict_causes",
            "conflict_worst",
            "revisions",
            "revision_worst",
            "value_changes",
            "flag_totals",
            "flag_changes",
            "current_changes",
            "value_changed",
            "verdict_changes",
            "estimate_changes",
            "rejected",
            "gates",
            "gate_failures",
        ),
        styles=("data.css",),
    ),
    Page("methods", methods, ("power",)),
)
