"""The pages of the site: which there are, what each shows, and the files offered for download. Contexts only; templates set them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from . import curve, findings, forest, map_points, pictures, quality_tables, tables, words
from .csv_files import frame_csv
from .data import ReportData
from .dictionary import build_dictionary, dictionary_frame
from .primary_answer import primary_answer


@dataclass(frozen=True)
class Page:
    """One page: its file, template, title, a line of what it holds, and the functions that give its context.

    `scripts` are files of `templates/scripts`; `inline_data` becomes JSON in the page.
    """

    slug: str
    template: str
    title: words.Phrase
    about: str
    context: Callable[[ReportData], dict[str, Any]]
    scripts: tuple[str, ...] = ()
    inline_data: Callable[[ReportData, dict[str, Any]], dict[str, Any]] = field(default=lambda data, catalogs: {})

    @property
    def href(self) -> str:
        """File of the page."""
        return f"{self.slug}.html"


def site_pages(data: ReportData) -> list[Page]:
    """Every page, in the order of the navigation; each analysis beyond the headline has one of its own."""
    fixed = {
        "estimates": ("Headline estimates with every line of inference, warnings, and what was not run.", _estimates),
        "map": ("Pilot batches year by year, and how closely any city moves with all others.", _map),
        "time": ("Means and spread of synchronization by year.", _time),
        "events": ("Before and after admission, by estimator.", _events),
        "curve": ("Every specification of the same question, with filters.", _curve),
        "quality": ("Coverage, conflicts, revisions, what changed, flagged and rejected values, checks.", _quality),
        "city": ("Click a number and see its source, file, sheet and cell.", _nothing),
        "provenance": ("The run, its sources and input files.", _provenance),
        "dictionary": ("Indicators, tables and columns in English and Chinese.", _dictionary),
    }
    scripts = {"map": ("map.js",), "curve": ("curve.js",), "city": ("city.js",)}
    inline = {"map": _map_data, "curve": _curve_data, "city": _city_data}
    made = {
        slug: Page(slug, f"{slug}.html.j2", words.phrase("pages", slug), about, context, scripts.get(slug, ()), inline.get(slug, _no_data))
        for slug, (about, context) in fixed.items()
    }
    index = Page("index", "index.html.j2", words.phrase("pages", "index"), "", _index)
    front, back = (["estimates", "map", "time", "events", "curve"], ["quality", "city", "provenance", "dictionary"])
    return [index, *(made[slug] for slug in front), *_analysis_pages(data), *(made[slug] for slug in back)]


def _analysis_pages(data: ReportData) -> list[Page]:
    pages: dict[str, Page] = {}
    for name in forest.analyses(data):
        slug = f"analysis-{words.slug(name)}"
        while slug in pages:  # two names may differ in letters that a file name does not keep
            slug += "-2"
        intro = words.analysis_intro(name)
        pages[slug] = Page(slug, "analysis.html.j2", words.analysis_title(name), intro, _analysis_context(name, intro, slug))
    return list(pages.values())


def _analysis_context(name: str, intro: str, slug: str) -> Callable[[ReportData], dict[str, Any]]:
    def context(data: ReportData) -> dict[str, Any]:
        own = [row for rows in tables.warnings(data).values() for row in rows if f"{name}." in row["specs"]]
        missing = data["not_run"]
        return {
            "intro": intro,
            "file": slug,
            "blocks": forest.blocks(data, name),
            "warnings": own,
            "not_run": tables.not_run(missing[missing["analysis"] == name]),
        }

    return context


def _nothing(data: ReportData) -> dict[str, Any]:
    return {}


def _no_data(data: ReportData, catalogs: dict[str, Any]) -> dict[str, Any]:
    return {}


def _index(data: ReportData) -> dict[str, Any]:
    return {
        "answer": primary_answer(data),
        "differences": findings.differences(data),
        "influence": findings.influence(data),
        "pictures": {"lines": pictures.headline_lines(data)},
        "sample": sample(data),
    }


def sample(data: ReportData) -> dict[str, Any]:
    """Counts of the headline sample and of the warehouse."""
    cities, files = data["cities"], data["files"]
    found = findings.verdict(data, findings.HEADLINE)
    years = data["paths"]["year"]
    return {
        "n_mart": f"{len(cities):,}",
        "n_files": f"{int((files['status'] == 'taken').sum()):,} of {len(files):,}",
        "has_panel": not years.empty,
        "years": "–" if years.empty else f"{int(years.min())}–{int(years.max())}",
        **{name: "–" if found is None else f"{getattr(found, name):,}" for name in ("n_cities", "n_pilots", "n_pairs", "n_obs")},
    }


def _estimates(data: ReportData) -> dict[str, Any]:
    return {
        "cards": tables.headline_cards(data),
        "all_estimates": tables.all_estimates(data),
        "warnings": tables.warnings(data),
        "not_run": tables.not_run(data["not_run"]),
    }


def _map(data: ReportData) -> dict[str, Any]:
    batches = tables.batches(data)
    return {"map": map_points.build_map(data, batches), "batches": batches}


def _map_data(data: ReportData, catalogs: dict[str, Any]) -> dict[str, Any]:
    return {"cities": map_points.map_data(data), "sync": catalogs["sync"]}


def _time(data: ReportData) -> dict[str, Any]:
    means = data["paths"] if len(data["paths"]) else data["all_paths"]
    figures = [name for name in means.columns if name not in ("year", "is_one", "n_pairs")]
    rows = [
        {
            "year": f"{int(row['year'])}",
            "who": "all pairs" if "is_one" not in row else ("one pilot" if row["is_one"] else "no pilot"),
            "n_pairs": f"{int(row['n_pairs']):,}",
            **{name: findings.fmt(row[name]) for name in figures},
        }
        for row in means.to_dict("records")
    ]
    return {
        "pictures": {"paths": pictures.paths(data), "spread": pictures.spread(data)},
        "sample": sample(data),
        "path_columns": [("year", "year", ""), ("who", "pairs", ""), ("n_pairs", "number", "n"), *((name, name, "n") for name in figures)],
        "path_rows": rows,
        "quantile_rows": [
            {
                "year": f"{int(row['year'])}",
                "n_pairs": f"{int(row['n_pairs']):,}",
                **{name: findings.fmt(row[name]) for name in ("p10", "p25", "p50", "p75", "p90")},
            }
            for row in data["quantiles"].to_dict("records")
        ],
    }


def _events(data: ReportData) -> dict[str, Any]:
    names = ("spec_id", "term", "estimate", "interval", "p_default", "p_permutation", "n_pilots")
    labels = ("spec", "years since admission", "estimate", "95 % interval", "p", "permutation p", "pilots")
    kinds = ("code", "", "n", "n", "n", "n", "n")
    return {
        "pictures": {"events": pictures.event_studies(data), "by_estimator": pictures.by_estimator(data)},
        "event_columns": list(zip(names, labels, kinds, strict=True)),
        "event_rows": [row for row in tables.all_estimates(data) if row["term"].startswith("event ")],
    }


def _curve(data: ReportData) -> dict[str, Any]:
    rows = curve.specifications(data)
    stand_in = "No curve was run here; the headline and the other estimators stand in." if data["specification"].empty else ""
    return {"curve": {"rows": len(rows), "words": stand_in}}


def _curve_data(data: ReportData, catalogs: dict[str, Any]) -> dict[str, Any]:
    return {"curve-data": curve.curve_data(curve.specifications(data))}


def _quality(data: ReportData) -> dict[str, Any]:
    return {
        "heat": quality_tables.coverage_heat(data),
        "conflicts": quality_tables.conflicts(data),
        "revisions": quality_tables.revisions(data),
        "changes": quality_tables.changes(data),
        "flagged": quality_tables.flagged(data),
        "rejected_rows": quality_tables.rejected_rows(data),
        **{name: getattr(tables, name)(data) for name in ("flags", "rejections", "gates", "gate_failures")},
    }


def _city_data(data: ReportData, catalogs: dict[str, Any]) -> dict[str, Any]:
    catalog = dict(catalogs["values"])
    names, labels = data.place_names, data["indicators"].set_index("indicator_id")
    catalog["places"] = [{"id": code, "name": names.get(code, str(code))} for code in catalog["places"]]
    catalog["indicators"] = [
        {"id": name, **{part: labels[f"label_{part}"].get(name, "") for part in ("en", "zh")}} for name in catalog["indicators"]
    ]
    return {"catalog": catalog}


def _provenance(data: ReportData) -> dict[str, Any]:
    return {"sample": sample(data), "sources": tables.sources(data), "files": tables.files(data)}


def _dictionary(data: ReportData) -> dict[str, Any]:
    return {"dictionary": build_dictionary(data), "indicators": data["indicators"].fillna("").to_dict("records")}


def downloads(data: ReportData) -> dict[str, str]:
    """CSV text by file name (without ending), one file for each picture and table that offers one."""
    estimate = data["estimate"]
    headline = estimate[estimate["analysis"].eq("baseline")]
    frames: dict[str, pd.DataFrame] = {
        "headline": headline,
        "estimates": estimate,
        "events": estimate[estimate["event_time"].notna() & estimate["cohort_year"].isna()],
        "specification_curve": curve.specifications(data),
        "paths": data["paths"] if len(data["paths"]) else data["all_paths"],
        "quantiles": data["quantiles"],
        "cities": data["cities"],
        "coverage": data["coverage"],
        "conflicts": data["conflict_sources"],
        "revisions": data["revision_worst"],
        "changes": data["estimate_changes"],
        "flagged": data["flagged_rows"],
        "rejected": data["rejected_rows"],
        "files": data["files"],
        "dictionary": dictionary_frame(data),
    }
    for page in _analysis_pages(data):
        frames[page.slug] = _of_analysis(data, page.slug)
    return {name: frame_csv(frame) for name, frame in frames.items()}


def _of_analysis(data: ReportData, slug: str) -> pd.DataFrame:
    estimate = data["estimate"]
    own = [name for name in forest.analyses(data) if slug.startswith(f"analysis-{words.slug(name)}")]
    return estimate[estimate["analysis"].isin(own)]
