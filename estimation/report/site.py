"""The page: pictures, tables and sentences set into one self-contained HTML file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from estimation.report import figures, findings, tables
from estimation.report.data import ReportData, Source, read_report_data

TEMPLATES = Path(__file__).parent / "templates"
SERIES_TITLES = {"growth_official": "official growth", "growth_deflated": "deflated growth"}
MEASURES = {"cm": "synchronization", "comove": "co-movement", "dispersion": "dispersion"}


def write_report(source: Source, out_dir: Path | str) -> None:
    """Write ``index.html`` into a folder; the same input gives the same bytes.

    Parameters
    ----------
    source : path of a DuckDB file, open connection, or data frames by ``schema.table``
    out_dir : folder, made if it does not exist
    """
    page = render(read_report_data(source))
    out_dir = Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    draft = out_dir / ".index.html.new"
    draft.write_text(page, encoding="utf-8", newline="\n")
    os.replace(draft, out_dir / "index.html")


def render(data: ReportData) -> str:
    """The page as text; every delivered text is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html.j2").render(**_context(data))


def _context(data: ReportData) -> dict[str, Any]:
    return {
        "is_simulated": data.is_simulated,
        "run": {name: data.run.get(name, "unknown") for name in ("run_id", "git_commit", "started_at")},
        "answer": findings.answer(data),
        "differences": findings.differences(data),
        "influence": findings.influence(data),
        "cards": tables.headline_cards(data),
        "pictures": _pictures(data),
        "sample": _sample(data),
        **{name: getattr(tables, name)(data) for name in tables.PAGE_TABLES},
    }


def _sample(data: ReportData) -> dict[str, Any]:
    cities, files = data["cities"], data["files"]
    found = findings.verdict(data, findings.PRIMARY)
    years = data["paths"]["year"]
    return {
        "n_mart": f"{len(cities):,}",
        "n_files": f"{int((files['status'] == 'taken').sum()):,} of {len(files):,}",
        "has_panel": not years.empty,
        "years": "–" if years.empty else f"{int(years.min())}–{int(years.max())}",
        **{name: "–" if found is None else f"{getattr(found, name):,}" for name in ("n_cities", "n_pilots", "n_pairs", "n_obs")},
    }


def _pictures(data: ReportData) -> dict[str, list[dict[str, Any]]]:
    simulated = data.is_simulated
    means, whose = (data["paths"], "pairs with exactly one pilot city against pairs with none")
    if means.empty:
        means, whose = data["all_paths"], "over all pairs of cities"
    paths = [
        _picture(
            f"path-{k}",
            figures.paths_svg(means, outcome, title, data["batches"], simulated),
            f"Mean {title} by year, {whose}.",
        )
        for k, (outcome, title) in enumerate(
            {
                "cm_growth_official": "synchronization, official growth",
                "cm_growth_deflated": "synchronization, deflated growth",
                "comove_growth_official": "co-movement, official growth",
                "dispersion_growth_official": "dispersion, official growth",
            }.items()
        )
    ]
    return {
        "map": _kept([_picture("map", figures.map_svg(data["cities"], data["batches"], simulated), _map_text(data))]),
        "paths": _kept(paths),
        "events": _kept(_events(data)),
        "lines": _kept(_lines(data)),
        "coverage": _kept(
            [
                _picture(
                    "coverage",
                    figures.coverage_svg(data["coverage"], simulated),
                    "Heat map: for each indicator and year, the number of places with a current value.",
                )
            ]
        ),
    }


def _events(data: ReportData) -> list[dict[str, Any]]:
    pictures = []
    for variant, rule in (("headline", ""), ("calendar_year", ", calendar year")):
        for series, series_words in SERIES_TITLES.items():
            for measure, words in MEASURES.items():
                if variant == "calendar_year" and measure != "cm":
                    continue
                spec_id = f"dynamics.{measure}_{series}.{variant}"
                svg = figures.event_study_svg(
                    data["estimate"],
                    spec_id,
                    truth=data["truth"] if data.is_simulated else None,
                    title=f"{words}, {series_words.removesuffix(' growth') if rule else series_words}{rule}",
                    is_simulated=data.is_simulated,
                )
                text = f"Event study of {words} on {series_words}{rule}: coefficients by years since admission with 95 % intervals."
                pictures.append(_picture(spec_id.replace(".", "-"), svg, text, findings.lead_test(data, spec_id)))
    return pictures


def _lines(data: ReportData) -> list[dict[str, Any]]:
    pictures = []
    for measure, words in MEASURES.items():
        spec_id = findings.PRIMARY if measure == "cm" else findings.part_of(findings.PRIMARY, measure)
        estimate = data["estimate"]
        rows = estimate[(estimate["spec_id"] == spec_id) & (estimate["term"] == "treated")]
        truth = findings.truth_of(data, spec_id) if data.is_simulated else None
        svg = figures.lines_svg(rows, f"{words}, official growth", truth, data.is_simulated)
        pictures.append(_picture(f"lines-{measure}", svg, f"Estimate of {words} with its 95 % interval under every line of inference."))
    return pictures


def _picture(name: str, svg: str | None, text: str, caption: str = "") -> dict[str, Any] | None:
    if svg is None:
        return None
    drawn = Markup(figures.inline(svg, name))  # noqa: S704 - drawn by matplotlib, which escapes every text it sets
    return {"name": name, "svg": drawn, "alt": text, "caption": caption}


def _kept(pictures: list[dict[str, Any] | None]) -> list[dict[str, Any]]:
    return [picture for picture in pictures if picture is not None]


def _map_text(data: ReportData) -> str:
    cities = data["cities"]
    n_zone = int(cities["batch"].notna().sum())
    n_inside = int(cities["is_in_sample"].astype(bool).sum()) if len(cities) else 0
    return f"Map of {len(cities)} cities by their seats; {n_zone} have a whole-prefecture zone, {n_inside} are in the headline sample."
