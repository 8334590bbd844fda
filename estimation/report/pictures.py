"""Pictures of the pages: which figures are drawn, with their alternative texts."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from . import figures, findings
from .data import ReportData

SERIES_TITLES = {"growth_official": "official growth", "growth_deflated": "deflated growth"}
MEASURES = {"cm": "synchronization", "comove": "co-movement", "dispersion": "dispersion"}
ESTIMATORS = {
    "callaway_santanna": "Callaway–Sant'Anna",
    "sun_abraham": "Sun–Abraham",
    "gardner": "Gardner",
    "borusyak": "imputation",
    "etwfe": "extended two-way",
}
# drawn one by one; event studies of other outcomes stand in the table and the file
DRAWN = tuple(f"{measure}_{series}" for series in SERIES_TITLES for measure in MEASURES)


def headline_lines(data: ReportData) -> list[dict[str, Any]]:
    """The headline coefficient and its parts under every line of inference."""
    pictures = []
    for measure, words in MEASURES.items():
        spec_id = findings.HEADLINE if measure == "cm" else findings.part_of(findings.HEADLINE, measure)
        estimate = data["estimate"]
        rows = estimate[(estimate["spec_id"] == spec_id) & (estimate["term"] == "treated")]
        truth = findings.truth_of(data, spec_id) if data.is_simulated else None
        svg = figures.lines_svg(rows, f"{words}, official growth", truth, data.is_simulated)
        pictures.append(_picture(f"lines-{measure}", svg, f"Estimate of {words} with its 95 % interval under every line of inference."))
    return _kept(pictures)


def paths(data: ReportData) -> list[dict[str, Any]]:
    """Means by year of the parts and series."""
    means, whose = (data["paths"], "pairs with exactly one pilot city against pairs with none")
    if means.empty:
        means, whose = data["all_paths"], "over all pairs of cities"
    titles = {
        "cm_growth_official": "synchronization, official growth",
        "cm_growth_deflated": "synchronization, deflated growth",
        "comove_growth_official": "co-movement, official growth",
        "dispersion_growth_official": "dispersion, official growth",
    }
    return _kept(
        [
            _picture(
                f"path-{k}",
                figures.paths_svg(means, outcome, title, data["batches"], data.is_simulated),
                f"Mean {title} by year, {whose}.",
            )
            for k, (outcome, title) in enumerate(titles.items())
        ]
    )


def spread(data: ReportData) -> list[dict[str, Any]]:
    """Quantiles of all pairs by year."""
    svg = figures.spread_svg(data["quantiles"], "synchronization, official growth, all pairs", data.is_simulated)
    return _kept([_picture("spread", svg, "Median and quantiles of synchronization over all pairs of cities by year.")])


def by_estimator(data: ReportData) -> list[dict[str, Any]]:
    """One picture an outcome with every estimator's event study."""
    pictures = []
    for outcome in ("cm_growth_official", "comove_growth_official"):
        specs = {f"dynamics.{outcome}.headline": "two-way fixed effects"}
        specs |= {f"robustness.{outcome}.{name}": words for name, words in ESTIMATORS.items()}
        if not set(specs).intersection(data["estimate"].loc[data["estimate"]["event_time"].notna(), "spec_id"]):
            continue
        measure, _, series = outcome.partition("_")
        words = f"{MEASURES[measure]}, {SERIES_TITLES[series]}"
        truth = data["truth"] if data.is_simulated else None
        svg = figures.estimators_svg(data["estimate"], specs, words, data.is_simulated, truth)
        pictures.append(_picture(f"by-{measure}", svg, f"Event study of {words} by estimator, with the default 95 % intervals."))
    return _kept(pictures)


def event_studies(data: ReportData) -> list[dict[str, Any]]:
    """One picture an event study: the headline rule first, then the calendar-year rule, then the other estimators."""
    rows = data["estimate"]
    rows = rows[rows["event_time"].notna() & rows["cohort_year"].isna() & rows["analysis"].isin(["dynamics", "robustness"])]
    specs = rows.drop_duplicates("spec_id")[["spec_id", "outcome"]].itertuples(index=False, name=None)
    variants = ["headline", *ESTIMATORS, "calendar_year"]
    found = [(spec_id, outcome) for spec_id, outcome in specs if outcome in DRAWN and spec_id.split(".")[-1] in variants]
    found = [(s, o) for s, o in found if not (s.endswith(".calendar_year") and not o.startswith("cm_"))]
    found.sort(key=lambda pair: (variants.index(pair[0].split(".")[-1]), DRAWN.index(pair[1])))
    return _kept([_event_study(data, spec_id, outcome) for spec_id, outcome in found])


def _event_study(data: ReportData, spec_id: str, outcome: str) -> dict[str, Any] | None:
    measure, _, series = outcome.partition("_")
    variant = spec_id.rsplit(".", maxsplit=1)[-1]
    rule = {"headline": "", "calendar_year": ", calendar year"}.get(variant, f", {ESTIMATORS.get(variant, variant)}")
    words, series_words = MEASURES[measure], SERIES_TITLES[series]
    svg = figures.event_study_svg(
        data["estimate"],
        spec_id,
        truth=data["truth"] if data.is_simulated else None,
        title=f"{words}, {series_words.removesuffix(' growth') if rule else series_words}{rule}",
        is_simulated=data.is_simulated,
    )
    text = f"Event study of {words} on {series_words}{rule}: coefficients by years since admission with 95 % intervals."
    caption = " ".join(filter(None, (findings.lead_test(data, spec_id), findings.sensitivity(data, spec_id))))
    return _picture(spec_id.replace(".", "-"), svg, text, caption)


def _picture(name: str, svg: str | None, text: str, caption: str = "") -> dict[str, Any] | None:
    if svg is None:
        return None
    drawn = Markup(figures.inline(svg, name))  # noqa: S704 - drawn by matplotlib, which escapes every text it sets
    return {"name": name, "svg": drawn, "alt": text, "caption": caption}


def _kept(pictures: list[dict[str, Any] | None]) -> list[dict[str, Any]]:
    return [picture for picture in pictures if picture is not None]
